//! Whether the files that the service holds open are still those that their paths name. A commit
//! into a deleted file succeeds, and is lost with it.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::database_file::DatabaseFile;

/// A file, whatever its name: its device and its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self { device: meta.dev(), inode: meta.ino() }
    }
}

/// The files of an open database. SQLite keeps all three until its last connection closes: the
/// database, the newest commits, and the locks between processes.
#[derive(Debug)]
pub(super) struct OpenFiles([OpenFile; 3]);

#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    id: FileId,
    /// A database that is open in WAL mode is never empty.
    may_be_empty: bool,
}

impl OpenFiles {
    /// The files that the paths name now, right after the database was opened.
    pub(super) fn of(database: &DatabaseFile) -> io::Result<Self> {
        let open = |path: PathBuf, may_be_empty| -> io::Result<OpenFile> {
            Ok(OpenFile { id: FileId::of(&fs::metadata(&path)?), path, may_be_empty })
        };
        Ok(Self([
            open(database.named().to_owned(), false)?,
            open(database.companion("-wal"), true)?,
            open(database.companion("-shm"), true)?,
        ]))
    }

    /// Checks all three.
    ///
    /// # Errors
    ///
    /// What happened to a file, and what to do.
    pub(super) fn check(&self) -> Result<(), String> {
        self.0.iter().try_for_each(OpenFile::check)
    }
}

impl OpenFile {
    fn check(&self) -> Result<(), String> {
        let path = self.path.display();
        let what = match fs::metadata(&self.path) {
            Ok(meta) if FileId::of(&meta) != self.id => format!("another file is now at {path}"),
            Ok(meta) if meta.len() == 0 && !self.may_be_empty => format!("{path} was emptied"),
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => format!("{path} was deleted or renamed"),
            Err(error) => return Err(format!("{path} cannot be examined: {error}")),
        };
        Err(format!(
            "{what} while the service had it open, so deliveries would be lost: put the same file back if it was renamed; otherwise stop the \
             service, restore the database from a backup if its file is gone, and start the service again"
        ))
    }
}
