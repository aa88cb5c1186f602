//! What can go wrong at the database, told apart by what its caller must do.

use sea_orm::sqlx::postgres::{PgDatabaseError, PgSeverity};
use sea_orm::{DbErr, RuntimeErr, SqlxError};

use super::bounded::too_late;

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
    Newer {
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
    #[error("the database is not available: {0}")]
    Unavailable(DbErr),
    /// A stored value cannot be read back.
    #[error("a stored value is unreadable: {0}")]
    Unreadable(String),
}

/// SQLite's primary result codes of a value that it will never take: SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH.
const SQLITE_REFUSALS: [u32; 3] = [18, 19, 20];

/// PostgreSQL's classes of such values: data exception, integrity constraint violation, program limit exceeded (a text that has no room
/// in an index).
const POSTGRES_REFUSALS: [&str; 3] = ["22", "23", "54"];

/// PostgreSQL's `lock_not_available`.
const POSTGRES_LOCK_TIMEOUT: &str = "55P03";

/// PostgreSQL's classes of a connection that is of no use any more: connection exception, operator intervention (the server stops or
/// has stopped).
const POSTGRES_GONE: [&str; 2] = ["08", "57"];

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if is_refusal(&error) { Self::Refused(error) } else { Self::Unavailable(error) }
    }
}

impl StoreError {
    /// The database has not answered in time.
    #[must_use]
    pub fn too_late() -> Self {
        Self::Unavailable(too_late())
    }

    /// Whether somebody else held a lock for longer than was waited for it.
    pub(super) fn is_lock_timeout(&self) -> bool {
        match self {
            Self::Unavailable(error) => postgres_code(error).is_some_and(|code| code == POSTGRES_LOCK_TIMEOUT),
            Self::Refused(_) | Self::Unreadable(_) => false,
        }
    }

    /// Whether the connection is lost or the database gone: nothing else that is tried at once will fare better.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let Self::Unavailable(error) = self else { return false };
        match driver_error(error) {
            Some(SqlxError::Database(said)) => said.try_downcast_ref::<PgDatabaseError>().is_some_and(|said| {
                // After an error so severe the server closes the connection.
                matches!(said.severity(), PgSeverity::Fatal | PgSeverity::Panic)
                    || POSTGRES_GONE.iter().any(|class| said.code().starts_with(class))
            }),
            _ => true,
        }
    }
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
        return POSTGRES_REFUSALS.iter().any(|class| code.starts_with(class));
    }
    match driver_error(error) {
        Some(SqlxError::Database(error)) => {
            let code = error.code().and_then(|code| code.parse::<u32>().ok());
            // The low byte of an extended code is the primary one.
            code.is_some_and(|code| SQLITE_REFUSALS.contains(&(code & 0xff)))
        }
        Some(SqlxError::Encode(_)) => true,
        Some(_) => false,
        None => matches!(error, DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. }),
    }
}
