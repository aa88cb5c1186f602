//! What can go wrong at the database, told apart by what its caller must do.

use sea_orm::sqlx::postgres::{PgDatabaseError, PgSeverity};
use sea_orm::{DbErr, RuntimeErr, SqlxError};

use super::engine::deadline::timed_out;

/// Why a database cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is of another kind, or not fit.
    #[error("the database cannot be used: {0}")]
    Unsupported(String),
    /// A later version of the service has changed the tables.
    #[error(
        "a later version of bidarc has brought this database up to date (this one, {version}, does not know its step {step}): start that \
         version or a later one, or restore a backup from before",
        version = env!("CARGO_PKG_VERSION")
    )]
    SchemaTooNew {
        /// The step that is not known here.
        step: String,
    },
    /// It cannot be had.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbErr> for OpenError {
    fn from(error: DbErr) -> Self {
        StoreError::from(error).into()
    }
}

/// What went wrong at the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused this very row: another try gives the same.
    #[error("the database refused a value: {0}")]
    Refused(DbErr),
    /// The database cannot be used now: another try may do.
    #[error("{why}{0}", why = unavailable_reason(.0))]
    Unavailable(DbErr),
    /// A stored value cannot be read back.
    #[error("a stored value is unreadable: {0}")]
    Unreadable(String),
}

/// SQLite's primary result codes of a value that it will never take: SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH.
const SQLITE_REFUSAL_CODES: [u32; 3] = [18, 19, 20];

/// PostgreSQL's classes of such values: data exception, integrity constraint violation, program limit exceeded (a text that has no room
/// in an index).
const POSTGRES_REFUSAL_CLASSES: [&str; 3] = ["22", "23", "54"];

/// PostgreSQL's `lock_not_available`.
const POSTGRES_LOCK_TIMEOUT: &str = "55P03";

/// SQLite's SQLITE_BUSY: another process writes.
const SQLITE_BUSY: u32 = 5;

/// PostgreSQL's classes of a connection that is of no use any more: connection exception, operator intervention (the server stops or
/// has stopped).
const POSTGRES_CONNECTION_LOST_CLASSES: [&str; 2] = ["08", "57"];

/// Of the latter class, a statement that was broken off, by a time limit or by somebody: its connection lives.
const POSTGRES_QUERY_CANCELED: &str = "57014";

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if is_refusal(&error) { Self::Refused(error) } else { Self::Unavailable(error) }
    }
}

impl StoreError {
    /// The database has not answered in time.
    #[must_use]
    pub fn timed_out() -> Self {
        Self::Unavailable(timed_out())
    }

    /// Whether somebody else held a lock for longer than was waited for it.
    pub(super) fn is_lock_timeout(&self) -> bool {
        match self {
            Self::Unavailable(error) => is_lock_timeout(error),
            Self::Refused(_) | Self::Unreadable(_) => false,
        }
    }

    /// Whether the connection is lost or the database gone: nothing else that is tried at once will fare better.
    #[must_use]
    pub fn is_connection_lost(&self) -> bool {
        let Self::Unavailable(error) = self else { return false };
        match driver_error(error) {
            Some(SqlxError::Database(said)) => said.try_downcast_ref::<PgDatabaseError>().is_some_and(|said| {
                // After an error so severe the server closes the connection.
                matches!(said.severity(), PgSeverity::Fatal | PgSeverity::Panic)
                    || said.code() != POSTGRES_QUERY_CANCELED
                        && POSTGRES_CONNECTION_LOST_CLASSES.iter().any(|class| said.code().starts_with(class))
            }),
            _ => true,
        }
    }
}

/// What an operator is told first.
fn unavailable_reason(error: &DbErr) -> &'static str {
    if is_lock_timeout(error) {
        "another has held the database's write lock for longer than 1.5 seconds (`bidarc rebuild`, `bidarc copy`, the steps of an upgrade, or a \
         node that hangs: docs/OPERATIONS.md says how to see who); try again once it has ended: "
    } else {
        "the database is not available: "
    }
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
    async fn who_waits_for_the_lock_is_told_so() {
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        let holder = store.begin().await.unwrap();
        let waited = store.begin().await.unwrap_err();
        assert!(waited.is_lock_timeout() && !waited.is_connection_lost());
        let said = waited.to_string();
        assert!(said.starts_with("another has held the database's write lock"), "{said}");
        holder.rollback().await.unwrap();
        store.close().await;
    }

    #[tokio::test]
    async fn a_statement_that_was_broken_off_has_not_lost_its_connection() {
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        let slept = async |sql: &str| {
            let tx = store.begin().await.unwrap();
            StoreError::from(tx.execute_unprepared(sql).await.unwrap_err())
        };
        let broken_off = slept("SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(5)").await;
        assert!(!broken_off.is_connection_lost() && !broken_off.is_lock_timeout(), "{broken_off}");
        let ended = slept("SELECT pg_terminate_backend(pg_backend_pid())").await;
        assert!(ended.is_connection_lost(), "{ended}");
        assert!(ended.to_string().starts_with("the database is not available: "), "{ended}");
        store.close().await;
    }
}
