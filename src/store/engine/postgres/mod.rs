//! PostgreSQL: any number of nodes on one database.
//!
//! A writer takes one advisory lock for its transaction, so that seqs are given in commit order. Every lock lives in a transaction.
//! Where the database is polled every setting does too, so that a pooler that lends connections for single transactions may stand
//! in between.

use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{self, ConnectOptions, PgPool};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait};
use tokio::time::timeout;

use super::commit_signal::HeadWatch;
use super::deadline::{Reader, STATEMENT_TIMEOUT};
use super::{Connections, RESERVED_READER_CONNECTIONS};
use crate::clock::Time;
use crate::config::{self, WakeUp};
use crate::domain::LogId;
use crate::store::{OpenError, StoreError};

pub(super) mod listener;
pub(super) mod notifier;
pub(super) mod pool;
mod preflight;
pub(super) mod write_connection;

use pool::{PING_AFTER_IDLE, orm_connection, pool, pool_options, with_driver_timeout};
use write_connection::WriteConnection;

/// The write lock. An advisory lock is named by one 64-bit number or by two of 32 bits; this is the first way, and says "bidarc".
const WRITE_LOCK_ID: i64 = 0x6269_6461_7263;

/// The class of the locks of single jobs, which are named by two numbers: "bidr".
pub(super) const JOB_LOCK_CLASS: i32 = 0x6269_6472;

/// The channel of notifications of commits.
const COMMIT_CHANNEL: &str = "bidarc_log";

/// How long the idle write connection has to answer a ping. While it is dead a vendor waits for another.
const WRITE_CONNECTION_PING_TIMEOUT: Duration = Duration::from_millis(300);

/// How many transactions of a node write or wait for the lock at once: those of deliveries one after the other, beside the others; and one
/// connection that is kept.
const WRITER_CONNECTIONS_MAX: u32 = 4;

/// What holds of every transaction that writes. It waits for the lock no longer than [`ACQUIRE_TIMEOUT`]. A session that falls silent in the middle is
/// ended by the server, so that a node that hangs does not keep the others from writing.
const WRITE_TRANSACTION_SETTINGS: [(&str, &str); 3] =
    [("lock_timeout", "1500ms"), ("idle_in_transaction_session_timeout", "10s"), ("client_min_messages", "warning")];

/// Whether a commit is on disk when it is told. Whoever runs the server may want more than that, but not less.
const SYNCHRONOUS_COMMIT: &str = "current_setting('synchronous_commit')";

/// Plans that look rows up by their keys are preferred to all others: a plan that is made while a table is almost empty is kept for the
/// connection's statements until the table's statistics are renewed, a minute later at best, and to go through all of an empty table is
/// cheap. What can only be done by going through a table still is; the server is then not to compile it, for the cost that it reckons with.
const PREFER_INDEX_PLANS: [(&str, &str); 2] = [("enable_seqscan", "off"), ("jit", "off")];

/// More of the same for statements that look up several things at once. One plan of such a statement is as good as another for other
/// values, and is kept from the first time on: left to the server, some are made anew each time, which takes longer than what they are
/// made for.
const NESTED_LOOPS_ONLY: [(&str, &str); 4] = [
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// How many jobs of one node may hold a lock at once, each over a connection of its own.
const JOB_CONNECTIONS_MAX: u32 = 10;

/// How long a connection for jobs is kept that has nothing to do.
const JOB_CONNECTION_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// What a node needs besides its connections.
#[derive(Clone, Debug)]
pub(super) struct PostgresEngine {
    /// Connections for the locks of jobs.
    job_pool: PgPool,
    /// What connections are made by on which nodes tell each other of commits; none where the database is polled.
    notify_options: Option<PgConnectOptions>,
    /// How often the database is looked at where nobody listens.
    poll_interval: Duration,
    /// What a transaction that writes is told first.
    local_settings: String,
    /// The connection of the last one.
    pub(super) kept: WriteConnection,
}

impl PostgresEngine {
    /// Watches for commits by other nodes to the log of this id.
    pub(super) fn head_watch(&self, log_id: &LogId) -> HeadWatch {
        match &self.notify_options {
            None => HeadWatch::by_polling(self.poll_interval),
            Some(options) => HeadWatch::by_listening(listener::Listener::new(options, log_id)),
        }
    }

    /// Begins a transaction that holds job locks.
    pub(super) async fn begin_job(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, StoreError> {
        let begun = async {
            let mut transaction = self.job_pool.begin().await?;
            // No call takes as long as this. By then the holder's machine is gone without a word.
            let limit = "SET LOCAL idle_in_transaction_session_timeout = '5min'";
            sqlx::raw_sql(limit).execute(&mut *transaction).await?;
            Ok(transaction)
        };
        with_driver_timeout(STATEMENT_TIMEOUT, begun).await
    }

    /// Closes the connections that belong to no pool of [`Connections`].
    pub(super) async fn close(&self) {
        self.job_pool.close().await;
        self.kept.close().await;
    }
}

/// Connects, and sees whether the server is fit for it.
pub(super) async fn connect(
    settings: &config::Database,
    now: Time,
) -> Result<(Connections, PostgresEngine), OpenError> {
    let options = PgConnectOptions::from_str(settings.url.expose())
        .map_err(|error| OpenError::Unsupported(format!("its URL cannot be read: {error}")))?
        .application_name("bidarc")
        // Nothing here is a float, and a pooler may not know the parameter.
        .extra_float_digits(None)
        .statement_cache_capacity(200)
        .disable_statement_logging();
    // What nobody waits for any more the server is to end as well. What the service must know in time it finds by keys, as whoever writes
    // does, and no plan of an empty table is to be kept for it.
    let reading = options.clone().options([("statement_timeout", STATEMENT_TIMEOUT.as_millis())]);
    let own = reading.clone().options(PREFER_INDEX_PLANS);
    let writing = options.clone().options(plan_settings());
    // A pooler may not let settings through, and its sessions are not ours: there each transaction brings its own. What others rely on it
    // brings in any case.
    let limits = set_local(WRITE_TRANSACTION_SETTINGS.into_iter());
    let (reading, own, writing, local_settings, notify_options) = match settings.wake_up {
        WakeUp::Notify => (reading, own.clone(), writing, limits, Some(own)),
        WakeUp::Poll => (options.clone(), options.clone(), options.clone(), limits + &set_local(plan_settings()), None),
    };
    preflight::check_server(&own, settings.wake_up, now).await?;
    let connections = Connections {
        writer: orm_connection(pool(&writing, WRITER_CONNECTIONS_MAX)),
        readers: Reader::new(orm_connection(pool(&reading, settings.readers.max(1)))),
        reserved: Reader::new(orm_connection(pool(&own, RESERVED_READER_CONNECTIONS))),
        keys: Reader::new(orm_connection(pool(&reading, 1))),
    };
    let job_pool =
        pool_options(JOB_CONNECTIONS_MAX).idle_timeout(JOB_CONNECTION_IDLE_TIMEOUT).connect_lazy_with(options);
    let poll_interval = Duration::from_millis(settings.poll_milliseconds);
    Ok((
        connections,
        PostgresEngine { job_pool, notify_options, poll_interval, local_settings, kept: WriteConnection::new() },
    ))
}

/// The plans of statements under the write lock.
fn plan_settings() -> impl Iterator<Item = (&'static str, &'static str)> {
    PREFER_INDEX_PLANS.into_iter().chain(NESTED_LOOPS_ONLY)
}

/// Settings for a transaction.
fn set_local<'a>(settings: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    settings.map(|(name, value)| format!("SET LOCAL {name} = '{value}'; ")).collect()
}

/// Begins a transaction that holds the write lock, in which every statement sees what was committed before it began.
///
/// The lock is asked for after the transaction has begun and before anything is read: at READ COMMITTED what is read then is newer than
/// all that earlier holders have committed.
pub(super) async fn begin(
    writer: &DatabaseConnection,
    node: &PostgresEngine,
) -> Result<DatabaseTransaction, StoreError> {
    let (tx, begin) = match take_write_connection(node).await {
        Some(tx) => (tx, "BEGIN"),
        None => (writer.begin().await?, "SET TRANSACTION"),
    };
    let local = &node.local_settings;
    tx.execute_unprepared(&format!(
        "{begin} ISOLATION LEVEL READ COMMITTED, READ WRITE; {local} \
         SELECT set_config('synchronous_commit', CASE {SYNCHRONOUS_COMMIT} WHEN 'off' THEN 'on' ELSE {SYNCHRONOUS_COMMIT} END, true), \
         pg_advisory_xact_lock({WRITE_LOCK_ID})"
    ))
    .await?;
    Ok(tx)
}

/// The connection of the last transaction, if there is one that lives.
async fn take_write_connection(node: &PostgresEngine) -> Option<DatabaseTransaction> {
    let (connection, idle_for) = node.kept.take()?;
    if idle_for >= PING_AFTER_IDLE {
        // Any statement tells; this one the server does not even parse.
        timeout(WRITE_CONNECTION_PING_TIMEOUT, connection.execute_unprepared("")).await.ok()?.ok()?;
    }
    Some(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_waited_for_as_long_as_a_connection() {
        assert_eq!(
            WRITE_TRANSACTION_SETTINGS[0],
            ("lock_timeout", format!("{}ms", ACQUIRE_TIMEOUT.as_millis()).as_str())
        );
    }
}
