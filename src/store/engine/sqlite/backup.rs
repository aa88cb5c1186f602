//! The backup of a SQLite file: SQLite's `VACUUM INTO`, which reads one state of the database while
//! a service goes on writing.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use tempfile::{NamedTempFile, TempDir};
use tokio::time::interval;

use super::database_file::DatabaseFile;
use crate::config;
use crate::store::StoreError;
use crate::store::engine::ACQUIRE_TIMEOUT;
use crate::store::engine::backup::{Backup, BackupError, BackupProgress};

/// How often the progress is reported.
const REPORT_INTERVAL: Duration = Duration::from_millis(200);

pub(in crate::store::engine) async fn back_up(
    settings: &config::Database,
    path: &Path,
    overwrite: bool,
    mut report: impl FnMut(BackupProgress),
) -> Result<Backup, BackupError> {
    let source = DatabaseFile::find(settings)?;
    let target = Target::find(path, &source, overwrite)?;
    let (_directory, temporary) = target.make_temporary().map_err(|error| target.failure(error))?;

    let connection = open(source.resolved(), false).await?;
    let copied = copy(&connection, temporary.path(), &mut report).await;
    close(connection).await?;
    copied?;

    report(BackupProgress::Verifying);
    let connection = open(temporary.path(), true).await?;
    let verified = verify(&connection).await;
    close(connection).await?;
    let events = verified?;

    temporary.as_file().sync_all().map_err(|error| target.failure(error))?;
    let file = target.put(temporary)?;
    let bytes = file.metadata().map_err(|error| target.failure(error))?.len();
    Ok(Backup { path: target.path, bytes, events })
}

/// Where the backup goes.
struct Target {
    /// The absolute path.
    path: PathBuf,
    directory: PathBuf,
    overwrite: bool,
}

impl Target {
    fn find(path: &Path, source: &DatabaseFile, overwrite: bool) -> Result<Self, BackupError> {
        let refuse = |problem: String| Err(BackupError::Path(problem));
        let Some(name) = path.file_name() else {
            return refuse(format!("{} does not name a file", path.display()));
        };
        let failure = |error| BackupError::File { path: path.to_owned(), error };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = match fs::canonicalize(parent) {
            Ok(directory) if directory.is_dir() => directory,
            Ok(_) => return refuse(format!("{} is not a directory", parent.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return refuse(format!(
                    "there is no directory {parent}: make it (mkdir -p {parent})",
                    parent = parent.display()
                ));
            }
            Err(error) => return Err(failure(error)),
        };
        let path = directory.join(name);
        if source.owns(&path) {
            return refuse(format!("{} belongs to the database itself: name another file", path.display()));
        }
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failure(error)),
            Ok(meta) if meta.is_dir() => {
                return refuse(format!(
                    "{path} is a directory: name a file in it, such as {path}/bidarc.db",
                    path = path.display()
                ));
            }
            Ok(meta) if !meta.is_file() => return refuse(format!("{} is not a file: name another", path.display())),
            Ok(_) if !overwrite => return refuse(already_there(&path)),
            Ok(_) => {}
        }
        Ok(Self { path, directory, overwrite })
    }

    /// Makes the file under another name, readable by its owner alone. It has a directory of its
    /// own, because SQLite makes a journal beside it. Both are deleted when dropped.
    fn make_temporary(&self) -> io::Result<(TempDir, NamedTempFile)> {
        let mut prefix = self.path.file_name().map_or_else(OsString::new, ToOwned::to_owned);
        prefix.push(".");
        let directory = tempfile::Builder::new().prefix(&prefix).suffix(".partial").tempdir_in(&self.directory)?;
        let file = NamedTempFile::new_in(directory.path())?;
        Ok((directory, file))
    }

    /// Gives the finished file its name, for good.
    fn put(&self, temporary: NamedTempFile) -> Result<File, BackupError> {
        let put = if self.overwrite { temporary.persist(&self.path) } else { temporary.persist_noclobber(&self.path) };
        let file = put.map_err(|tempfile::PersistError { error, .. }| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                BackupError::Path(already_there(&self.path))
            } else {
                self.failure(error)
            }
        })?;
        // The name is on disk only with its directory.
        File::open(&self.directory).and_then(|directory| directory.sync_all()).map_err(|error| self.failure(error))?;
        Ok(file)
    }

    fn failure(&self, error: io::Error) -> BackupError {
        BackupError::File { path: self.path.clone(), error }
    }
}

fn already_there(path: &Path) -> String {
    format!("{} exists already: name another file, or replace it with --overwrite", path.display())
}

/// Opens a file to read it. A verified copy has no other user, so SQLite makes no files beside it.
async fn open(path: &Path, is_copy: bool) -> Result<DatabaseConnection, StoreError> {
    let mut options = ConnectOptions::new("sqlite:");
    let path = path.to_owned();
    options.max_connections(1).min_connections(1).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
    options.map_sqlx_sqlite_opts(move |options| {
        options.filename(&path).read_only(true).immutable(is_copy).busy_timeout(ACQUIRE_TIMEOUT)
    });
    Ok(Database::connect(options).await?)
}

async fn close(connection: DatabaseConnection) -> Result<(), StoreError> {
    Ok(connection.close().await?)
}

async fn copy(
    connection: &DatabaseConnection,
    to: &Path,
    report: &mut impl FnMut(BackupProgress),
) -> Result<(), BackupError> {
    let used = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    let total = number(connection, used).await?;
    if number(connection, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'event'").await? == 0 {
        let problem = "the database is not one of bidarc, or no service has used it yet: name another";
        return Err(BackupError::Path(problem.to_owned()));
    }
    let vacuum =
        Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [to.to_string_lossy().as_ref().into()]);
    let mut vacuum = std::pin::pin!(connection.execute_raw(vacuum));
    let mut ticks = interval(REPORT_INTERVAL);
    loop {
        tokio::select! {
            done = &mut vacuum => {
                done.map_err(StoreError::from)?;
                report(BackupProgress::Writing { done: total, total });
                return Ok(());
            }
            _ = ticks.tick() => {
                let done = fs::metadata(to).map_or(0, |meta| meta.len()).min(total);
                report(BackupProgress::Writing { done, total });
            }
        }
    }
}

/// Lets SQLite check the copy. Returns how many events it has.
async fn verify(connection: &DatabaseConnection) -> Result<u64, BackupError> {
    let check = Statement::from_string(DbBackend::Sqlite, "PRAGMA integrity_check(1)");
    let row = connection.query_one_raw(check).await.map_err(StoreError::from)?;
    let found: String =
        row.map(|row| row.try_get_by_index(0)).transpose().map_err(StoreError::from)?.unwrap_or_default();
    if found != "ok" {
        return Err(BackupError::Damaged(found));
    }
    Ok(number(connection, "SELECT COUNT(*) FROM event").await?)
}

async fn number(connection: &DatabaseConnection, sql: &str) -> Result<u64, StoreError> {
    let row = connection.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    let number: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    Ok(u64::try_from(number).unwrap_or_default())
}
