//! What can go wrong at the database, told apart by what its caller must do.

use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// What went wrong at the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `database.url` names a database that this version does not speak.
    #[error("database.url must be sqlite://<path of a file>; other databases are not supported by this version")]
    Unsupported,
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

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if is_refusal(&error) { Self::Refused(error) } else { Self::Unavailable(error) }
    }
}

fn is_refusal(error: &DbErr) -> bool {
    if let DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) = error {
        if let SqlxError::Database(error) = &**error {
            let code = error.code().and_then(|code| code.parse::<u32>().ok());
            // The low byte of an extended code is the primary one.
            return code.is_some_and(|code| SQLITE_REFUSALS.contains(&(code & 0xff)));
        }
        return matches!(&**error, SqlxError::Encode(_));
    }
    matches!(error, DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. })
}
