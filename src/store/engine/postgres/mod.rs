//! PostgreSQL: any number of nodes on one database.
//!
//! A writer holds one advisory lock during its transaction, so that seqs are assigned in commit
//! order. Every lock belongs to a transaction. With `database.wake_up = "poll"` every setting does
//! too, which allows a pooler that lends connections for single transactions.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{self, ConnectOptions, PgPool};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait};
use tokio::time::timeout;
use url::Url;

use super::commit_signal::HeadWatch;
use super::deadline::{Reader, STATEMENT_TIMEOUT};
use super::{Connections, RESERVED_READER_CONNECTIONS};
use crate::clock::Time;
use crate::config::{self, WakeUp};
use crate::domain::LogId;
use crate::shown_url::SecretUrl;
use crate::store::{OpenError, StoreError};

pub(super) mod listener;
pub(super) mod notifier;
pub(super) mod pool;
mod preflight;
pub(super) mod refusal;
pub(super) mod write_connection;

use pool::{PING_AFTER_IDLE, orm_connection, pool, pool_options, query_pool, with_driver_timeout};
use write_connection::WriteConnection;

/// The write lock. An advisory lock has either one 64-bit id or two 32-bit ids. This is one of 64
/// bits, and spells "bidarc".
const WRITE_LOCK_ID: i64 = 0x6269_6461_7263;

/// The classes of job locks, which have two ids: "bidr" and "bidf".
pub(super) const WEBHOOK_LOCK_CLASS: i32 = 0x6269_6472;
pub(super) const FILES_LOCK_CLASS: i32 = 0x6269_6466;

/// The channel of notifications of commits.
const COMMIT_CHANNEL: &str = "bidarc_log";

/// How long the idle write connection has to answer a ping. A vendor waits meanwhile.
const WRITE_CONNECTION_PING_TIMEOUT: Duration = Duration::from_millis(300);

/// How many transactions of a node write or wait for the lock at once: one for deliveries, the
/// others beside it, and the idle write connection.
const WRITER_CONNECTIONS_MAX: u32 = 4;

/// How many connections a node needs besides its readers, if it listens: the writers, the reserved
/// ones, one for keys, one for the listener and one for the notifier. Jobs need more at times.
const OTHER_CONNECTIONS: u32 = WRITER_CONNECTIONS_MAX + RESERVED_READER_CONNECTIONS + 3;

/// Settings of every transaction that writes. It waits for the lock no longer than
/// [`ACQUIRE_TIMEOUT`](super::ACQUIRE_TIMEOUT). The server ends a session that is idle within its
/// transaction, so that a node that hangs does not block the others.
const WRITE_TRANSACTION_SETTINGS: [(&str, &str); 3] =
    [("lock_timeout", "1500ms"), ("idle_in_transaction_session_timeout", "10s"), ("client_min_messages", "warning")];

/// The server's setting of when a commit counts as done. Only `off` is overridden: a commit must be
/// on disk.
const SYNCHRONOUS_COMMIT: &str = "current_setting('synchronous_commit')";

/// Prefers plans that look rows up by key. The server may plan a statement while its table is
/// almost empty, and then scan the table, which is cheap. It keeps that plan until the table's
/// statistics are renewed, at best a minute later. A statement that has no other plan still scans
/// its table. Because its estimated cost is then huge, JIT compilation is off.
const PREFER_INDEX_PLANS: [(&str, &str); 2] = [("enable_seqscan", "off"), ("jit", "off")];

/// The same for statements that look up several rows at once. One plan of such a statement is as
/// good as another for all values, so the server must reuse the first one. Left alone, it plans
/// some of them for each execution, which takes longer than the execution.
const NESTED_LOOPS_ONLY: [(&str, &str); 4] = [
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// How many jobs of a node may hold a lock at once. Each occupies a connection.
const JOB_CONNECTIONS_MAX: u32 = 10;

/// How long an idle job connection is kept.
const JOB_CONNECTION_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The state of a PostgreSQL database besides its pools.
#[derive(Clone, Debug)]
pub(super) struct PostgresEngine {
    /// Connections that hold job locks.
    job_pool: PgPool,
    /// Options of the listener's and the notifier's connection; `None` if the database is polled.
    notify_options: Option<PgConnectOptions>,
    /// How often the log is read if there is no listener.
    poll_interval: Duration,
    /// The settings of a transaction that writes, as SQL.
    transaction_settings: String,
    /// The connection of the last transaction that wrote.
    pub(super) write_connection: WriteConnection,
}

/// The command that backs up this database into a file. It holds no password.
pub(super) fn dump_command(settings: &config::Database, file: &Path) -> String {
    let Ok(options) = PgConnectOptions::from_str(settings.url.expose()) else {
        return "pg_dump --format=custom --file=FILE DATABASE".to_owned();
    };
    let quote = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let host = options.get_socket().map_or_else(|| options.get_host().into(), |socket| socket.to_string_lossy());
    format!(
        "pg_dump --format=custom --file={file} --host={host} --port={port} --username={user} {database}",
        file = quote(&file.to_string_lossy()),
        host = quote(&host),
        port = options.get_port(),
        user = quote(options.get_username()),
        database = quote(options.get_database().unwrap_or_else(|| options.get_username())),
    )
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
            // No call to a vendor takes as long. After that the holder's machine is dead.
            let limit = "SET LOCAL idle_in_transaction_session_timeout = '5min'";
            sqlx::raw_sql(limit).execute(&mut *transaction).await?;
            Ok(transaction)
        };
        with_driver_timeout(STATEMENT_TIMEOUT, begun).await
    }

    /// Closes the connections that belong to no pool of [`Connections`].
    pub(super) async fn close(&self) {
        self.job_pool.close().await;
        self.write_connection.close().await;
    }
}

/// Connects, and checks that the server is suitable.
pub(super) async fn connect(
    settings: &config::Database,
    now: Time,
) -> Result<(Connections, PostgresEngine), OpenError> {
    let options = parse_url(&settings.url)?
        .application_name("bidarc")
        // bidarc reads no floats, and a pooler may not know the parameter.
        .extra_float_digits(None)
        .statement_cache_capacity(200)
        .disable_statement_logging();
    // The server ends abandoned statements too. The reserved reads look rows up by key, like the
    // writers, and must not keep a plan of an empty table.
    let reading = options.clone().options([("statement_timeout", STATEMENT_TIMEOUT.as_millis())]);
    let reserved = reading.clone().options(PREFER_INDEX_PLANS);
    let writing = options.clone().options(plan_settings());
    // A pooler may reject session settings, and shares its sessions with others. In poll mode each
    // transaction therefore sets its own. The settings that other nodes rely on are always set by
    // the transaction.
    let write_settings = set_local(WRITE_TRANSACTION_SETTINGS.into_iter());
    let (reading, reserved, writing, transaction_settings, notify_options) = match settings.wake_up {
        WakeUp::Notify => (reading, reserved.clone(), writing, write_settings, Some(reserved)),
        WakeUp::Poll => {
            (options.clone(), options.clone(), options.clone(), write_settings + &set_local(plan_settings()), None)
        }
    };
    preflight::check_server(&reserved, settings, now).await?;
    let queries = match settings.wake_up {
        WakeUp::Notify => query_pool(&reading, settings.readers.max(1)),
        WakeUp::Poll => pool(&reading, settings.readers.max(1)),
    };
    let connections = Connections {
        writer: orm_connection(pool(&writing, WRITER_CONNECTIONS_MAX)),
        readers: Reader::new(orm_connection(queries)),
        reserved: Reader::new(orm_connection(pool(&reserved, RESERVED_READER_CONNECTIONS))),
        keys: Reader::new(orm_connection(pool(&reading, 1))),
    };
    let job_pool =
        pool_options(JOB_CONNECTIONS_MAX).idle_timeout(JOB_CONNECTION_IDLE_TIMEOUT).connect_lazy_with(options);
    let poll_interval = Duration::from_millis(settings.poll_milliseconds);
    Ok((
        connections,
        PostgresEngine {
            job_pool,
            notify_options,
            poll_interval,
            transaction_settings,
            write_connection: WriteConnection::new(),
        },
    ))
}

/// The parameters of a URL that the driver knows; it ignores others.
const URL_PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Reads a URL. The driver's messages may repeat a part of it, so ours stand in their place.
fn parse_url(url: &SecretUrl) -> Result<PgConnectOptions, OpenError> {
    let unreadable = |problem: &str| OpenError::Unsupported(format!("its URL cannot be read: {problem}"));
    if url.has_raw_delimiter() {
        return Err(unreadable("in the user name and the password write / as %2F, ? as %3F and # as %23"));
    }
    let parsed = Url::parse(url.expose()).map_err(|error| unreadable(&error.to_string()))?;
    // A name may be a part of a password with an `&`.
    let has_password = parsed.query_pairs().any(|(name, _)| name == "password");
    for (name, _) in parsed.query_pairs() {
        if !URL_PARAMETERS.contains(&&*name) && !name.starts_with("options[") {
            let name = if has_password { "one" } else { &*name };
            tracing::warn!(parameter = name, "database.url has a parameter that is not known; it is ignored");
        }
    }
    PgConnectOptions::from_str(url.expose())
        .map_err(|_| unreadable("a parameter has a wrong value, such as an unknown sslmode, or a name is not UTF-8"))
}

/// The plan settings of statements under the write lock.
fn plan_settings() -> impl Iterator<Item = (&'static str, &'static str)> {
    PREFER_INDEX_PLANS.into_iter().chain(NESTED_LOOPS_ONLY)
}

/// Statements that set these settings for one transaction.
fn set_local<'a>(settings: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    settings.map(|(name, value)| format!("SET LOCAL {name} = '{value}'; ")).collect()
}

/// Begins a transaction that holds the write lock. Each of its statements sees all earlier commits.
///
/// The lock is requested after the transaction has begun and before its first read: at READ
/// COMMITTED that read is newer than the commits of all earlier holders.
pub(super) async fn begin(
    writer: &DatabaseConnection,
    engine: &PostgresEngine,
) -> Result<DatabaseTransaction, StoreError> {
    let (tx, begin) = match take_write_connection(engine).await {
        Some(tx) => (tx, "BEGIN"),
        None => (writer.begin().await?, "SET TRANSACTION"),
    };
    let settings = &engine.transaction_settings;
    tx.execute_unprepared(&format!(
        "{begin} ISOLATION LEVEL READ COMMITTED, READ WRITE; {settings} \
         SELECT set_config('synchronous_commit', CASE {SYNCHRONOUS_COMMIT} WHEN 'off' THEN 'on' ELSE {SYNCHRONOUS_COMMIT} END, true), \
         pg_advisory_xact_lock({WRITE_LOCK_ID})"
    ))
    .await?;
    Ok(tx)
}

/// The connection of the last transaction, if it is alive.
async fn take_write_connection(engine: &PostgresEngine) -> Option<DatabaseTransaction> {
    let (connection, idle_for) = engine.write_connection.take()?;
    if idle_for >= PING_AFTER_IDLE {
        // Any statement would do. The server does not even parse this one.
        timeout(WRITE_CONNECTION_PING_TIMEOUT, connection.execute_unprepared("")).await.ok()?.ok()?;
    }
    Some(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::ACQUIRE_TIMEOUT;

    #[test]
    fn lock_timeout_equals_acquire_timeout() {
        assert_eq!(
            WRITE_TRANSACTION_SETTINGS[0],
            ("lock_timeout", format!("{}ms", ACQUIRE_TIMEOUT.as_millis()).as_str())
        );
    }
}
