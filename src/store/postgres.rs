//! PostgreSQL: any number of nodes on one database.
//!
//! Whoever writes takes one advisory lock for its transaction, so that places in the log are given in the order of the commits. Every
//! lock here lives in a transaction and no setting in a session, so that a pooler may stand in between that lends a connection for
//! a transaction only.

use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sea_orm::sqlx::{self, ConnectOptions, Connection, PgPool, Row};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector, TransactionTrait};
use tokio::time::timeout;

use super::{Connections, OpenError, StoreError, Transaction, WAIT};
use crate::config::{self, WakeUp};
use crate::domain::{LogId, Seq};

/// The oldest version that the service is tested with, as the server numbers it.
const OLDEST: i32 = 150_000;

/// The lock of whoever writes: of the two ways to name an advisory lock this is the one with a single number, which says "bidarc".
const WRITE_LOCK: i64 = 0x6269_6461_7263;

/// The class of the locks of single jobs, in the other way, with two numbers: "bidr".
pub(super) const JOB_LOCKS: i32 = 0x6269_6472;

/// The channel on which commits are told.
pub(super) const CHANNEL: &str = "bidarc_log";

/// How long a connection may have been idle to be taken as it is: a server that was restarted meanwhile has closed it.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How long a connection has to show that it is alive, before it is used again or given back.
const ALIVE_WITHIN: Duration = Duration::from_secs(1);

/// How many jobs of one node may hold a lock at once, each over a connection of its own.
const MOST_JOBS: u32 = 10;

/// What a node needs besides its connections.
#[derive(Clone, Debug)]
pub(super) struct Postgres {
    /// Connections for the locks of jobs.
    pub(super) jobs: PgPool,
    /// What a connection that listens is made by; none where the database is polled.
    pub(super) listen_by: Option<PgConnectOptions>,
    /// How often the database is looked at where nobody listens.
    pub(super) poll_every: Duration,
}

/// Connects, and sees whether the server is fit for it.
pub(super) async fn connect(settings: &config::Database) -> Result<(Connections, Postgres), OpenError> {
    let options = PgConnectOptions::from_str(settings.url.expose())
        .map_err(|error| OpenError::Unsupported(format!("its URL cannot be read: {error}")))?
        .application_name("bidarc")
        // Nothing here is a float, and a pooler may not know the parameter.
        .extra_float_digits(None)
        .statement_cache_capacity(200)
        .disable_statement_logging();
    inspect(&options).await?;
    let connections = Connections {
        // One writes; another can where that one hangs on a server that is gone.
        writer: connection(pool(&options, 2)),
        readers: connection(pool(&options, settings.readers.max(1))),
        keys_reader: connection(pool(&options, 1)),
    };
    let jobs = pool(&options, MOST_JOBS);
    let poll_every = Duration::from_millis(settings.poll_milliseconds);
    let listen_by = match settings.wake_up {
        WakeUp::Notify => Some(options),
        WakeUp::Poll => None,
    };
    Ok((connections, Postgres { jobs, listen_by, poll_every }))
}

/// Begins a transaction that holds the write lock, in which every statement sees what was committed before it began.
///
/// The lock is asked for after the transaction has begun and before anything is read: at READ COMMITTED what is read then is newer than
/// all that earlier holders have committed. A session that falls silent in the middle is ended by the server, so that a node that
/// hangs does not keep the others from writing.
pub(super) async fn begin(writer: &DatabaseConnection) -> Result<Transaction, StoreError> {
    let tx = writer.begin().await?;
    let wait = WAIT.as_millis();
    tx.execute_unprepared(&format!(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; \
         SET LOCAL lock_timeout = {wait}; \
         SET LOCAL idle_in_transaction_session_timeout = '10s'; \
         SET LOCAL client_min_messages = warning; \
         SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'; \
         SELECT pg_advisory_xact_lock({WRITE_LOCK})"
    ))
    .await?;
    Ok(tx)
}

impl Postgres {
    /// Tells the other nodes, once the transaction is committed, how far the log has come.
    pub(super) async fn notify(&self, tx: &Transaction, log: &LogId, newest: Seq) -> Result<(), StoreError> {
        if self.listen_by.is_some() {
            // The id is made of hexadecimal digits.
            tx.execute_unprepared(&format!("SELECT pg_notify('{CHANNEL}', '{log} {newest}')")).await?;
        }
        Ok(())
    }
}

/// A pool that connects when it is asked to.
pub(super) fn pool(options: &PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(WAIT)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for >= TRUSTED_FOR {
                    alive(connection).await?;
                }
                Ok(true)
            })
        })
        // Somebody may have given up waiting in the middle of a statement. Without a bound a dead server would keep the place in the pool
        // for as long as TCP tries.
        .after_release(|connection, _| Box::pin(async move { alive(connection).await.map(|()| true) }))
        .connect_lazy_with(options.clone())
}

fn connection(pool: PgPool) -> DatabaseConnection {
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

async fn alive(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    timeout(ALIVE_WITHIN, connection.ping()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Looks whether the server is fit, and says what weakens its promise. The first connection is made without a pool, which would hide
/// why it cannot be made.
async fn inspect(options: &PgConnectOptions) -> Result<(), OpenError> {
    const STATE: &str = "SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
                         current_setting('server_encoding'), pg_is_in_recovery(), \
                         current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'";
    let asked = async {
        let mut connection = PgConnection::connect_with(options).await?;
        let state = sqlx::query(STATE).fetch_one(&mut connection).await?;
        connection.close().await?;
        let state: (i32, String, String, bool, bool) =
            (state.try_get(0)?, state.try_get(1)?, state.try_get(2)?, state.try_get(3)?, state.try_get(4)?);
        Ok::<_, sqlx::Error>(state)
    };
    let answered = timeout(WAIT * 4, asked).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    let (number, version, encoding, is_replica, is_durable) = answered.map_err(unavailable)?;
    let unfit = if number < OLDEST {
        format!("PostgreSQL 15 or later is needed, the server is {version}")
    } else if encoding != "UTF8" {
        format!("the database's encoding must be UTF8, it is {encoding}")
    } else if is_replica {
        "the server is a replica, which cannot be written to: name the primary".to_owned()
    } else {
        if !is_durable {
            tracing::warn!(
                "fsync or full_page_writes is off on the PostgreSQL server: deliveries that were answered 200 may be lost when its machine \
                 fails"
            );
        }
        return Ok(());
    };
    Err(OpenError::Unsupported(unfit))
}

/// An error of the driver, as the ORM has it.
pub(super) fn unavailable(error: sqlx::Error) -> StoreError {
    StoreError::from(DbErr::Conn(RuntimeErr::SqlxError(error.into())))
}
