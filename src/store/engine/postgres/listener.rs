//! The connection on which a node receives notifications of other nodes' commits (PostgreSQL's
//! LISTEN).

use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgListener, PgNotification};
use sea_orm::sqlx::{self};
use tokio::time::sleep;

use super::pool;
use crate::domain::{LogId, Seq};
use crate::store::engine::ACQUIRE_TIMEOUT;
use crate::store::{StoreError, log};

/// How long to wait before the connection is made again.
const RECONNECT_DELAY: Duration = Duration::from_millis(500);

/// Listens for commits to one log.
#[derive(Debug)]
pub(in crate::store::engine) struct Listener {
    options: PgConnectOptions,
    log_id: LogId,
    connection: Option<PgListener>,
}

impl Listener {
    pub(super) fn new(options: &PgConnectOptions, log_id: &LogId) -> Self {
        let options = options.clone().application_name("bidarc listener");
        Self { options, log_id: log_id.clone(), connection: None }
    }

    /// Waits for a notification of a seq greater than `known`, or until the connection was made
    /// again: notifications sent before that are lost.
    pub(in crate::store::engine) async fn wait_for_commit(&mut self, known: impl Fn() -> Seq) {
        loop {
            let Some(connection) = &mut self.connection else {
                match connect(&self.options).await {
                    Ok(connection) => {
                        self.connection = Some(connection);
                        return;
                    }
                    Err(error) => log_and_back_off(&error).await,
                }
                continue;
            };
            match connection.try_recv().await {
                Ok(Some(notification)) => {
                    if parse_notification(&notification, &self.log_id).is_some_and(|newest| newest > known()) {
                        return;
                    }
                }
                // The library lost the connection and has made it again.
                Ok(None) => return,
                Err(error) => {
                    self.connection = None;
                    log_and_back_off(&error).await;
                }
            }
        }
    }

    /// The newest seq that is committed; `None` while there is no connection.
    pub(in crate::store::engine) async fn head(&mut self) -> Option<Result<Seq, StoreError>> {
        let connection = self.connection.as_mut()?;
        let query = sqlx::query_scalar(log::HEAD_QUERY).fetch_optional(connection);
        let head: Result<Option<i64>, StoreError> = pool::with_driver_timeout(ACQUIRE_TIMEOUT, query).await;
        if head.is_err() {
            self.disconnect();
        }
        Some(head.map(|head| Seq(head.unwrap_or_default())))
    }

    pub(in crate::store::engine) fn disconnect(&mut self) {
        self.connection = None;
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let mut connection = PgListener::connect_with(&pool(options, 1)).await?;
    connection.listen(super::COMMIT_CHANNEL).await?;
    Ok(connection)
}

async fn log_and_back_off(error: &sqlx::Error) {
    tracing::warn!(%error, "not connected for notifications of other nodes' commits; the log is read every few seconds instead");
    sleep(RECONNECT_DELAY).await;
}

/// The newest seq in a notification for this log; `None` for another log's notification, or one
/// that is not from bidarc.
fn parse_notification(notification: &PgNotification, log_id: &LogId) -> Option<Seq> {
    let (id, newest) = notification.payload().split_once(' ')?;
    (id == &*log_id.0).then(|| newest.parse().ok().map(Seq)).flatten()
}
