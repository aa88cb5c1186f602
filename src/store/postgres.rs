//! PostgreSQL: any number of nodes on one database.
//!
//! Whoever writes takes one advisory lock for its transaction, so that places in the log are given in the order of the commits. Every
//! lock here lives in a transaction, and where the database is polled every setting too, so that a pooler may stand in between that lends a
//! connection for a transaction only.

use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sea_orm::sqlx::{self, ConnectOptions, Connection, PgPool};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqlxPostgresConnector,
    TransactionTrait,
};
use tokio::time::timeout;

use super::bounded::STATEMENT_WITHIN;
use super::kept::Kept;
use super::{Connections, OWN_READERS, OpenError, Reader, StoreError, WAIT};
use crate::clock::Time;
use crate::config::{self, WakeUp};

mod inspect;

/// The lock of whoever writes: of the two ways to name an advisory lock this is the one with a single number, which says "bidarc".
const WRITE_LOCK: i64 = 0x6269_6461_7263;

/// The class of the locks of single jobs, in the other way, with two numbers: "bidr".
pub(super) const JOB_LOCKS: i32 = 0x6269_6472;

/// The channel on which commits are told.
pub(super) const CHANNEL: &str = "bidarc_log";

/// How long a connection may have been idle to be taken as it is: a server that was restarted meanwhile has closed it.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How long a connection has to show that it is alive, before it is used again or given back.
pub(super) const ALIVE_WITHIN: Duration = Duration::from_secs(1);

/// The same for the one that is kept: where it is dead a vendor waits for another.
const KEPT_ALIVE_WITHIN: Duration = Duration::from_millis(300);

/// How many transactions of a node write or wait for the lock at once: those of deliveries one after the other, beside the others; and one
/// connection that is kept.
const WRITERS: u32 = 4;

/// What holds of every transaction that writes. It waits for the lock no longer than [`WAIT`]. A session that falls silent in the middle is
/// ended by the server, so that a node that hangs does not keep the others from writing.
const LIMITS: [(&str, &str); 3] =
    [("lock_timeout", "1500ms"), ("idle_in_transaction_session_timeout", "10s"), ("client_min_messages", "warning")];

/// Whether a commit is on disk when it is told. Whoever runs the server may want more than that, but not less.
const DURABLE: &str = "current_setting('synchronous_commit')";

/// Plans that look rows up by their keys are preferred to all others: a plan that is made while a table is almost empty is kept for the
/// connection's statements until the table's statistics are renewed, a minute later at best, and to go through all of an empty table is
/// cheap. What can only be done by going through a table still is; the server is then not to compile it, for the cost that it reckons with.
const BY_KEYS: [(&str, &str); 2] = [("enable_seqscan", "off"), ("jit", "off")];

/// More of the same for statements that look up several things at once. One plan of such a statement is as good as another for other
/// values, and is kept from the first time on: left to the server, some are made anew each time, which takes longer than what they are
/// made for.
const ONE_BY_ONE: [(&str, &str); 4] = [
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// How many jobs of one node may hold a lock at once, each over a connection of its own.
const MOST_JOBS: u32 = 10;

/// How long a connection for jobs is kept that has nothing to do.
const JOBS_IDLE: Duration = Duration::from_secs(30);

/// What a node needs besides its connections.
#[derive(Clone, Debug)]
pub(super) struct Postgres {
    /// Connections for the locks of jobs.
    pub(super) jobs: PgPool,
    /// What connections are made by on which nodes tell each other of commits; none where the database is polled.
    pub(super) talk_by: Option<PgConnectOptions>,
    /// How often the database is looked at where nobody listens.
    pub(super) poll_every: Duration,
    /// What a transaction that writes is told first.
    local_settings: String,
    /// The connection of the last one.
    pub(super) kept: Kept,
}

/// Connects, and sees whether the server is fit for it.
pub(super) async fn connect(settings: &config::Database, now: Time) -> Result<(Connections, Postgres), OpenError> {
    let options = PgConnectOptions::from_str(settings.url.expose())
        .map_err(|error| OpenError::Unsupported(format!("its URL cannot be read: {error}")))?
        .application_name("bidarc")
        // Nothing here is a float, and a pooler may not know the parameter.
        .extra_float_digits(None)
        .statement_cache_capacity(200)
        .disable_statement_logging();
    // What nobody waits for any more the server is to end as well. What the service must know in time it finds by keys, as whoever writes
    // does, and no plan of an empty table is to be kept for it.
    let reading = options.clone().options([("statement_timeout", STATEMENT_WITHIN.as_millis())]);
    let own = reading.clone().options(BY_KEYS);
    let writing = options.clone().options(plans());
    // A pooler may not let settings through, and its sessions are not ours: there each transaction brings its own. What others rely on it
    // brings in any case.
    let limits = set_local(LIMITS.into_iter());
    let (reading, own, writing, local_settings, talk_by) = match settings.wake_up {
        WakeUp::Notify => (reading, own.clone(), writing, limits, Some(own)),
        WakeUp::Poll => (options.clone(), options.clone(), options.clone(), limits + &set_local(plans()), None),
    };
    inspect::inspect(&own, settings.wake_up, now).await?;
    let connections = Connections {
        writer: connection(pool(&writing, WRITERS)),
        readers: Reader::new(connection(pool(&reading, settings.readers.max(1)))),
        own: Reader::new(connection(pool(&own, OWN_READERS))),
        keys: Reader::new(connection(pool(&reading, 1))),
    };
    let jobs = pool_options(MOST_JOBS).idle_timeout(JOBS_IDLE).connect_lazy_with(options);
    let poll_every = Duration::from_millis(settings.poll_milliseconds);
    Ok((connections, Postgres { jobs, talk_by, poll_every, local_settings, kept: Kept::new() }))
}

/// The plans of statements under the write lock.
fn plans() -> impl Iterator<Item = (&'static str, &'static str)> {
    BY_KEYS.into_iter().chain(ONE_BY_ONE)
}

/// Settings for a transaction.
fn set_local<'a>(settings: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    settings.map(|(name, value)| format!("SET LOCAL {name} = '{value}'; ")).collect()
}

/// Begins a transaction that holds the write lock, in which every statement sees what was committed before it began.
///
/// The lock is asked for after the transaction has begun and before anything is read: at READ COMMITTED what is read then is newer than
/// all that earlier holders have committed.
pub(super) async fn begin(writer: &DatabaseConnection, node: &Postgres) -> Result<DatabaseTransaction, StoreError> {
    let (tx, begin) = match kept(node).await {
        Some(tx) => (tx, "BEGIN"),
        None => (writer.begin().await?, "SET TRANSACTION"),
    };
    let local = &node.local_settings;
    tx.execute_unprepared(&format!(
        "{begin} ISOLATION LEVEL READ COMMITTED, READ WRITE; {local} \
         SELECT set_config('synchronous_commit', CASE {DURABLE} WHEN 'off' THEN 'on' ELSE {DURABLE} END, true), \
         pg_advisory_xact_lock({WRITE_LOCK})"
    ))
    .await?;
    Ok(tx)
}

/// The connection of the last transaction, if there is one that lives.
async fn kept(node: &Postgres) -> Option<DatabaseTransaction> {
    let (connection, idle_for) = node.kept.take()?;
    if idle_for >= TRUSTED_FOR {
        // Any statement tells; this one the server does not even parse.
        timeout(KEPT_ALIVE_WITHIN, connection.execute_unprepared("")).await.ok()?.ok()?;
    }
    Some(connection)
}

/// A pool that connects when it is asked to.
pub(super) fn pool(options: &PgConnectOptions, connections: u32) -> PgPool {
    pool_options(connections).connect_lazy_with(options.clone())
}

fn pool_options(connections: u32) -> PgPoolOptions {
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
}

fn connection(pool: PgPool) -> DatabaseConnection {
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

async fn alive(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    timeout(ALIVE_WITHIN, connection.ping()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Waits for the driver, but not for ever.
pub(super) async fn in_time<T>(
    within: Duration,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    match timeout(within, asked).await {
        Ok(answered) => answered.map_err(unavailable),
        Err(_) => Err(StoreError::too_late()),
    }
}

/// An error of the driver, as the ORM has it.
fn unavailable(error: sqlx::Error) -> StoreError {
    StoreError::from(DbErr::Conn(RuntimeErr::SqlxError(error.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_waited_for_as_long_as_a_connection() {
        assert_eq!(LIMITS[0], ("lock_timeout", format!("{}ms", WAIT.as_millis()).as_str()));
    }
}
