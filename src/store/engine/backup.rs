//! Backups. A SQLite database is backed up by the service's own command; PostgreSQL has its own.

use std::path::{Path, PathBuf};

use super::{postgres, sqlite};
use crate::config;
use crate::store::{OpenError, StoreError};

/// How far a backup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupProgress {
    /// Bytes written, and about how many there will be.
    Writing {
        /// Bytes written.
        done: u64,
        /// The bytes of the database.
        total: u64,
    },
    /// The backup is written, and SQLite checks it.
    Verifying,
}

/// A backup that was written and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// How many events it has.
    pub events: u64,
}

/// Why there is no backup. A file that was at the path is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// PostgreSQL is backed up by its own program.
    #[error(
        "this database is on PostgreSQL, which has its own program for backups. Run it; it asks for the password:\n  {command}\n\
         pg_restore restores such a backup into an empty database (docs/OPERATIONS.md)"
    )]
    Postgres {
        /// The command for this database.
        command: String,
    },
    /// The path of the backup cannot be used. The text says why and what to do.
    #[error("{0}")]
    Path(String),
    /// The backup was written and is not whole.
    #[error("the backup was not whole, and was removed: {0}; check the database and its disk")]
    Damaged(String),
    /// The backup could not be written.
    #[error("{path} cannot be written: {error}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database cannot be read, or the backup cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes a consistent copy of the database into a new file, beside a running service or without
/// one. It changes nothing in the database, and runs no migration. The copy appears at `path` once
/// it is complete, verified and on disk; `overwrite` lets it replace a file there.
///
/// # Errors
///
/// Nothing is at the path that was not there before.
pub async fn back_up(
    settings: &config::Database,
    path: &Path,
    overwrite: bool,
    report: impl FnMut(BackupProgress),
) -> Result<Backup, BackupError> {
    if settings.url.is_postgres() {
        return Err(BackupError::Postgres { command: postgres::dump_command(settings, path) });
    }
    if !settings.url.expose().starts_with("sqlite:") {
        return Err(OpenError::unknown_kind().into());
    }
    sqlite::backup::back_up(settings, path, overwrite, report).await
}
