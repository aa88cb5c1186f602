//! The lock that keeps a second service off one SQLite file. The kernel releases it when its holder
//! ends, however that ends. Commands work beside it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::database_file::{DatabaseFile, OWNER_ONLY, unsupported};
use super::open_files::FileId;
use crate::store::OpenError;

/// The ending of the lock's file, beside the database.
pub(super) const ENDING: &str = "-lock";

/// How long a start waits for a service that is just ending.
const WAIT: Duration = Duration::from_secs(1);
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// The lock, held until [`Self::release`] or the end of the process.
#[derive(Debug)]
pub(super) struct ServiceLock {
    path: PathBuf,
    file: Mutex<File>,
}

impl ServiceLock {
    /// Takes the lock. Waits a second for its holder to end.
    pub(super) async fn acquire(database: &DatabaseFile) -> Result<Self, OpenError> {
        let path = database.companion(ENDING);
        let begun = Instant::now();
        loop {
            match try_acquire(&path, database) {
                Ok(Some(file)) => return Ok(Self { path, file: Mutex::new(file) }),
                Ok(None) if begun.elapsed() < WAIT => tokio::time::sleep(RETRY_DELAY).await,
                Ok(None) => {
                    return Err(OpenError::Served(format!(
                        "{holder} serves {database} already and holds its lock, {lock}: one SQLite file has one service, so stop that one first, \
                         or name another file; several nodes need PostgreSQL (docs/OPERATIONS.md)",
                        holder = describe_holder(&path),
                        database = database.named().display(),
                        lock = path.display()
                    )));
                }
                Err(error) => {
                    return Err(unsupported(format!(
                        "the lock {} cannot be taken: {error}; the database must be on a local disk whose file system has locks, and this \
                         user must own that file",
                        path.display()
                    )));
                }
            }
        }
    }

    /// Checks that the lock's file is still at its path, and makes it again if it was deleted.
    pub(super) fn keep(&self, database: &DatabaseFile) -> Result<(), String> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if is_at(&file, &self.path) {
            return Ok(());
        }
        match try_acquire(&self.path, database) {
            Ok(Some(new)) => {
                tracing::warn!(path = %self.path.display(), "the file of the service's lock was deleted or replaced; made it again");
                *file = new;
                Ok(())
            }
            Ok(None) => Err(format!(
                "the file of the service's lock, {}, was deleted, and {} serves this database now: stop one of the two",
                self.path.display(),
                describe_holder(&self.path)
            )),
            Err(error) => Err(format!("the service's lock {} was lost: {error}", self.path.display())),
        }
    }

    /// Releases the lock, once the database is closed.
    pub(super) fn release(&self) {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.unlock() {
            tracing::warn!(path = %self.path.display(), %error, "the service's lock was not released; it ends with the process");
        }
    }
}

/// None if another process holds the lock.
fn try_acquire(path: &Path, database: &DatabaseFile) -> io::Result<Option<File>> {
    loop {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).mode(OWNER_ONLY).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Another process may have deleted the file in between.
        if !is_at(&file, path) {
            continue;
        }
        // A lock of root must not keep the database's owner away later.
        if let Ok(owner) = fs::metadata(database.resolved()) {
            let _ = fchown(&file, Some(owner.uid()), Some(owner.gid()));
        }
        // The text is for people. The lock holds without it, even if the disk is full.
        let _ = write_holder(&mut file);
        return Ok(Some(file));
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    matches!((file.metadata(), fs::metadata(path)), (Ok(held), Ok(named)) if FileId::of(&held) == FileId::of(&named))
}

/// Writes the process and the machine into the lock's file.
fn write_holder(file: &mut File) -> io::Result<()> {
    let machine = rustix::system::uname();
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{} {}", std::process::id(), machine.nodename().to_string_lossy())
}

/// The holder of the lock, for a message.
fn describe_holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(300).read_to_string(&mut text));
    match text.trim().split_once(' ') {
        Some((process, machine)) if read.is_ok() => format!("process {process} on the machine {machine}"),
        _ => "another process".to_owned(),
    }
}
