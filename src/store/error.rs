//! The errors of the database, distinguished by what the caller must do.

use sea_orm::sqlx::postgres::{PgDatabaseError, PgSeverity};
use sea_orm::{DbErr, RuntimeErr, SqlxError};

use super::engine::deadline::timed_out;

/// Why a database cannot be opened or used at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL, the server or the database is not suitable. The text says why and what to set.
    #[error("the database cannot be used: {0}")]
    Unsupported(String),
    /// Another service has the SQLite file. The text says which.
    #[error("the database cannot be used: {0}")]
    Served(String),
    /// There is no database of bidarc. The text says where.
    #[error("{0}")]
    NotThere(String),
    /// A later version of the service has migrated the database.
    #[error(
        "a later version of bidarc has migrated this database: this version, {version}, does not know the migration {step}; start that \
         version or a later one, or restore a backup from before the migration",
        version = env!("CARGO_PKG_VERSION")
    )]
    SchemaTooNew {
        /// The newest migration that this version does not know.
        step: String,
    },
    /// Reading works, and a delivery could not be written.
    #[error("{error}")]
    Unwritable {
        /// What is wrong, in words for anyone.
        problem: WriteProblem,
        /// The details, for the log.
        error: StoreError,
    },
    /// A read or write failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a database that answers takes no deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteProblem {
    /// The paths of the database name other files than the service holds open.
    FileMoved,
    /// The files may only be read.
    ReadOnly,
    /// The disk has no room.
    DiskFull,
    /// Anything else.
    Other,
}

impl WriteProblem {
    /// The problem without paths or texts of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FileMoved => {
                "a file of the database was deleted, renamed or replaced; the service's log says what to do"
            }
            Self::ReadOnly => {
                "the files of the database or their file system are read-only; the service's log names them"
            }
            Self::DiskFull => "the disk of the database is full; deliveries are accepted again once there is room",
            Self::Other => "the database cannot be written; the service's log says why",
        }
    }

    /// The problem behind the error of a write.
    pub(super) fn of(error: &StoreError) -> Self {
        match error.sqlite_code() {
            Some(SQLITE_FULL) => Self::DiskFull,
            Some(SQLITE_READONLY) => Self::ReadOnly,
            _ => Self::Other,
        }
    }
}

impl OpenError {
    /// The URL names neither kind of database.
    pub(super) fn unknown_kind() -> Self {
        let kinds = "its URL must be sqlite://<path of a file> or postgres://<user>@<host>/<database>";
        Self::Unsupported(kinds.to_owned())
    }
}

impl From<DbErr> for OpenError {
    fn from(error: DbErr) -> Self {
        StoreError::from(error).into()
    }
}

/// Why a read or a write failed. Functions of the store return one of these, unless their
/// `# Errors` section says more.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused a value, for instance because of a constraint. Another try gives the
    /// same error.
    #[error("the database refused a value: {0}")]
    Refused(DbErr),
    /// The database is not available, or did not answer in time. Try again.
    #[error("{reason}{cause}", reason = unavailable_reason(.0), cause = cause(.0))]
    Unavailable(DbErr),
    /// A stored value is not of its column's type, or is unknown to this version. Another try gives
    /// the same error.
    #[error("a stored value is unreadable: {0}")]
    Unreadable(String),
    /// The request has used up its [`Budget`](super::budget::Budget).
    #[error("the request has used up its budget")]
    OverBudget,
}

/// SQLite's primary result codes for a value that it never accepts: SQLITE_TOOBIG,
/// SQLITE_CONSTRAINT, SQLITE_MISMATCH.
const SQLITE_REFUSAL_CODES: [u32; 3] = [18, 19, 20];

/// PostgreSQL's error classes for such values: data exception, integrity constraint violation,
/// program limit exceeded (a text too long for an index).
const POSTGRES_REFUSAL_CLASSES: [&str; 3] = ["22", "23", "54"];

/// PostgreSQL's `lock_not_available`.
const POSTGRES_LOCK_TIMEOUT: &str = "55P03";

/// SQLite's SQLITE_BUSY: another process holds the write lock.
const SQLITE_BUSY: u32 = 5;

/// SQLite's SQLITE_READONLY.
const SQLITE_READONLY: u32 = 8;

/// SQLite's SQLITE_FULL: the disk has no room.
const SQLITE_FULL: u32 = 13;

/// SQLite's SQLITE_CORRUPT and SQLITE_NOTADB.
pub(super) const SQLITE_DAMAGED: [u32; 2] = [11, 26];

/// SQLite's codes for a file that takes no write at all, whatever is written: those above,
/// SQLITE_IOERR, SQLITE_CANTOPEN.
const SQLITE_UNUSABLE_CODES: [u32; 6] = [SQLITE_READONLY, 10, SQLITE_DAMAGED[0], SQLITE_FULL, 14, SQLITE_DAMAGED[1]];

/// PostgreSQL's error classes after which a connection is unusable: connection exception, operator
/// intervention (the server is stopping or has stopped).
const POSTGRES_CONNECTION_LOST_CLASSES: [&str; 2] = ["08", "57"];

/// PostgreSQL's `query_canceled`, of the latter class: a time limit or an operator ended the
/// statement. Its connection stays usable.
const POSTGRES_QUERY_CANCELED: &str = "57014";

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if is_refusal(&error) { Self::Refused(error) } else { Self::Unavailable(error) }
    }
}

impl StoreError {
    /// The database did not answer in time.
    #[must_use]
    pub fn timed_out() -> Self {
        Self::Unavailable(timed_out())
    }

    /// Whether the time to wait for a lock ran out.
    #[must_use]
    pub fn is_lock_timeout(&self) -> bool {
        match self {
            Self::Unavailable(error) => is_lock_timeout(error),
            Self::Refused(_) | Self::Unreadable(_) | Self::OverBudget => false,
        }
    }

    /// PostgreSQL's code and message.
    pub(super) fn server_answer(&self) -> Option<(&str, &str)> {
        let (Self::Unavailable(error) | Self::Refused(error)) = self else { return None };
        let Some(SqlxError::Database(error)) = driver_error(error) else { return None };
        let error = error.try_downcast_ref::<PgDatabaseError>()?;
        Some((error.code(), error.message()))
    }

    /// SQLite's primary result code.
    pub(super) fn sqlite_code(&self) -> Option<u32> {
        match self {
            Self::Unavailable(error) | Self::Refused(error) => sqlite_code(error),
            Self::Unreadable(_) | Self::OverBudget => None,
        }
    }

    /// Whether the connection is lost or the database is down. Other attempts at once would fail as
    /// well.
    #[must_use]
    pub fn is_connection_lost(&self) -> bool {
        let Self::Unavailable(error) = self else { return false };
        if sqlite_code(error).is_some_and(|code| SQLITE_UNUSABLE_CODES.contains(&code)) {
            return true;
        }
        match driver_error(error) {
            Some(SqlxError::Database(error)) => error.try_downcast_ref::<PgDatabaseError>().is_some_and(|error| {
                // After an error this severe the server closes the connection.
                matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic)
                    || error.code() != POSTGRES_QUERY_CANCELED
                        && POSTGRES_CONNECTION_LOST_CLASSES.iter().any(|class| error.code().starts_with(class))
            }),
            _ => true,
        }
    }
}

/// The beginning of the message.
fn unavailable_reason(error: &DbErr) -> &'static str {
    if is_lock_timeout(error) {
        "another process has held the database's write lock for longer than 1.5 seconds: `bidarc rebuild`, `bidarc copy`, a migration, or a \
         node that hangs (docs/OPERATIONS.md says how to find it); try again once it has ended: "
    } else {
        "the database is not available: "
    }
}

/// The rest of the message. An error of our own is shown as it is.
fn cause(error: &DbErr) -> String {
    if let DbErr::Custom(message) = error { message.clone() } else { error.to_string() }
}

fn is_lock_timeout(error: &DbErr) -> bool {
    postgres_code(error) == Some(POSTGRES_LOCK_TIMEOUT) || sqlite_code(error) == Some(SQLITE_BUSY)
}

/// SQLite's primary result code: the low byte of an extended one.
fn sqlite_code(error: &DbErr) -> Option<u32> {
    let SqlxError::Database(error) = driver_error(error)? else { return None };
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return None;
    }
    Some(error.code()?.parse::<u32>().ok()? & 0xff)
}

fn driver_error(error: &DbErr) -> Option<&SqlxError> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    Some(error)
}

fn postgres_code(error: &DbErr) -> Option<&str> {
    let SqlxError::Database(error) = driver_error(error)? else { return None };
    error.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code)
}

fn is_refusal(error: &DbErr) -> bool {
    if let Some(code) = postgres_code(error) {
        return POSTGRES_REFUSAL_CLASSES.iter().any(|class| code.starts_with(class));
    }
    match driver_error(error) {
        Some(SqlxError::Database(_)) => sqlite_code(error).is_some_and(|code| SQLITE_REFUSAL_CODES.contains(&code)),
        Some(SqlxError::Encode(_)) => true,
        Some(_) => false,
        None => matches!(error, DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. }),
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;

    use super::*;
    use crate::store::test_support::PostgresCluster;

    #[tokio::test]
    async fn lock_time_out_names_the_lock() {
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        let holder = store.begin().await.unwrap();
        let error = store.begin().await.unwrap_err();
        assert!(error.is_lock_timeout() && !error.is_connection_lost());
        let message = error.to_string();
        assert!(message.starts_with("another process has held the database's write lock"), "{message}");
        holder.rollback().await.unwrap();
        store.close().await;
    }

    #[tokio::test]
    async fn canceled_statement_keeps_its_connection() {
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        let run_failing = async |sql: &str| {
            let tx = store.begin().await.unwrap();
            StoreError::from(tx.execute_unprepared(sql).await.unwrap_err())
        };
        let canceled = run_failing("SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(5)").await;
        assert!(!canceled.is_connection_lost() && !canceled.is_lock_timeout(), "{canceled}");
        let terminated = run_failing("SELECT pg_terminate_backend(pg_backend_pid())").await;
        assert!(terminated.is_connection_lost(), "{terminated}");
        assert!(terminated.to_string().starts_with("the database is not available: "), "{terminated}");
        store.close().await;
    }
}
