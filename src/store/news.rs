//! Hearing that another node has written. It is a hint and nothing else: whoever hears it looks at the log, and looks every few seconds
//! anyway.

use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgNotification};
use sea_orm::sqlx::{self, Connection};
use tokio::time::{Instant, sleep, timeout_at};

use super::postgres::ALIVE_WITHIN;
use super::{Engine, Store, StoreError, WAIT, log, postgres};
use crate::domain::{LogId, Seq};

/// How often the log is looked at where nothing is heard.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long to wait before a connection is made again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Why the log should be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Somebody has written, or may have while nobody listened.
    Heard,
    /// It is time.
    Due,
}

/// What is heard of other nodes' commits.
#[derive(Debug)]
pub struct News {
    look_every: Duration,
    ear: Option<Ear>,
}

#[derive(Debug)]
struct Ear {
    options: PgConnectOptions,
    log: LogId,
    listener: Option<PgListener>,
}

impl Store {
    /// What is heard of the commits of others.
    #[must_use]
    pub fn news(&self) -> News {
        match &self.engine {
            Engine::Sqlite { .. } => News { look_every: LOOK_EVERY, ear: None },
            Engine::Postgres(node) => match &node.talk_by {
                None => News { look_every: node.poll_every, ear: None },
                Some(options) => {
                    let options = options.clone().application_name("bidarc listener");
                    let ear = Ear { options, log: self.log_id.clone(), listener: None };
                    News { look_every: LOOK_EVERY, ear: Some(ear) }
                }
            },
        }
    }

    /// Tells other nodes how far the log has come by this one's commits, for as long as it is polled. It is told after the commit and apart
    /// from it: a hint that cannot be given must not keep a delivery from being recorded. Several commits may be told as one.
    pub async fn tell_others(&self) {
        let options = match &self.engine {
            Engine::Sqlite { .. } => None,
            Engine::Postgres(node) => node.talk_by.as_ref(),
        };
        let Some(options) = options else { return std::future::pending().await };
        let options = options.clone().application_name("bidarc notifier");
        let (mut told, mut mouth) = (self.told.subscribe(), None);
        while told.changed().await.is_ok() {
            let newest = *told.borrow_and_update();
            let what = format!("{} {newest}", self.log_id);
            if let Err(error) = tell(&mut mouth, &options, &what).await {
                tracing::warn!(%error, "other nodes could not be told of what was recorded; they look every few seconds");
                sleep(TRY_AGAIN_AFTER).await;
            }
        }
        std::future::pending().await
    }
}

/// Tells other nodes something: over the connection that is there, which may be dead without knowing it, or else over a new one. Told
/// twice does no harm.
async fn tell(mouth: &mut Option<PgConnection>, options: &PgConnectOptions, what: &str) -> Result<(), StoreError> {
    if let Some(mut connection) = mouth.take()
        && postgres::in_time(ALIVE_WITHIN, say(&mut connection, what)).await.is_ok()
    {
        *mouth = Some(connection);
        return Ok(());
    }
    let said = async {
        let mut connection = PgConnection::connect_with(options).await?;
        say(&mut connection, what).await?;
        Ok(connection)
    };
    *mouth = Some(postgres::in_time(WAIT, said).await?);
    Ok(())
}

async fn say(connection: &mut PgConnection, what: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify($1, $2)").bind(postgres::CHANNEL).bind(what).execute(connection).await?;
    Ok(())
}

impl News {
    /// Waits until the log should be looked at by somebody who knows it up to a place, which may move on meanwhile.
    pub async fn next(&mut self, known: impl Fn() -> Seq) -> Look {
        let due = Instant::now() + self.look_every;
        let Some(ear) = &mut self.ear else {
            tokio::time::sleep_until(due).await;
            return Look::Due;
        };
        match timeout_at(due, ear.hear(known)).await {
            Ok(()) => Look::Heard,
            Err(_) => Look::Due,
        }
    }

    /// The newest place in the log that is committed. Where something was heard it is asked over that connection, which has just shown that
    /// it is alive: each commit of another node costs this one a look.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn head(&mut self, store: &Store, why: Look) -> Result<Seq, StoreError> {
        let (Look::Heard, Some(Ear { listener: Some(listener), .. })) = (why, &mut self.ear) else {
            return store.head().await;
        };
        let asked = sqlx::query_scalar(log::HEAD).fetch_optional(listener);
        let head: Result<Option<i64>, StoreError> = postgres::in_time(WAIT, asked).await;
        if head.is_err() {
            self.missed();
        }
        Ok(Seq(head?.unwrap_or_default()))
    }

    /// Something was found of which nothing was heard: the connection may be dead without knowing it, and is made anew.
    pub fn missed(&mut self) {
        if let Some(ear) = &mut self.ear {
            ear.listener = None;
        }
    }
}

impl Ear {
    /// Waits until somebody says that the log goes past a place, or until the connection was made: what was said before is lost.
    async fn hear(&mut self, known: impl Fn() -> Seq) {
        loop {
            let Some(listener) = &mut self.listener else {
                match connect(&self.options).await {
                    Ok(listener) => {
                        self.listener = Some(listener);
                        return;
                    }
                    Err(error) => self.lost(&error).await,
                }
                continue;
            };
            match listener.try_recv().await {
                Ok(Some(said)) if newest(&said, &self.log).is_some_and(|newest| newest > known()) => return,
                Ok(Some(_)) => {}
                // Lost, and made again.
                Ok(None) => return,
                Err(error) => {
                    self.listener = None;
                    self.lost(&error).await;
                }
            }
        }
    }

    async fn lost(&self, error: &sqlx::Error) {
        tracing::warn!(%error, "nothing is heard of what other nodes write; the log is looked at every few seconds");
        sleep(TRY_AGAIN_AFTER).await;
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(&postgres::pool(options, 1)).await?;
    listener.listen(postgres::CHANNEL).await?;
    Ok(listener)
}

/// The place that a message tells of this log. Another log's, or what is none of ours, tells nothing.
fn newest(said: &PgNotification, log: &LogId) -> Option<Seq> {
    let (id, newest) = said.payload().split_once(' ')?;
    (id == &*log.0).then(|| newest.parse().ok().map(Seq)).flatten()
}
