//! The file of a SQLite database: where it is, whether this process may use it, and who may read
//! it.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::{Access, access};
use sea_orm::sqlx::sqlite::SqliteConnectOptions;

use super::open_files::FileId;
use super::service_lock;
use crate::config;
use crate::store::OpenError;

/// The rights of every file that is made here: its owner may read and write it.
pub(super) const OWNER_ONLY: u32 = 0o600;

/// The endings of the files beside the database.
const COMPANIONS: [&str; 4] = ["-wal", "-shm", "-journal", service_lock::ENDING];

/// The file that the settings name.
#[derive(Clone, Debug)]
pub(in crate::store::engine) struct DatabaseFile {
    /// The path of the settings, made absolute. It may lead over symbolic links.
    named: PathBuf,
    /// The path without symbolic links. SQLite puts its own files beside it.
    resolved: PathBuf,
}

impl DatabaseFile {
    /// Finds the file, and makes an empty one if there is none.
    pub(super) fn find_or_create(settings: &config::Database) -> Result<Self, OpenError> {
        let named = named_path(settings)?;
        if !is_there(&named)? {
            create(&named)?;
        }
        let file = Self::resolve(named)?;
        file.check_names()?;
        file.check_access()?;
        Ok(file)
    }

    /// Finds the file of a database that must exist.
    pub(super) fn find(settings: &config::Database) -> Result<Self, OpenError> {
        let named = named_path(settings)?;
        if !is_there(&named)? {
            return Err(unsupported(format!("there is no database at {}", named.display())));
        }
        Self::resolve(named)
    }

    fn resolve(named: PathBuf) -> Result<Self, OpenError> {
        let resolved = fs::canonicalize(&named).map_err(|error| unreadable(&named, &error))?;
        Ok(Self { named, resolved })
    }

    /// The path of the settings, made absolute.
    pub(super) fn named(&self) -> &Path {
        &self.named
    }

    /// The path without symbolic links.
    pub(super) fn resolved(&self) -> &Path {
        &self.resolved
    }

    /// A file of the same name with an ending, such as `-wal`.
    pub(super) fn companion(&self, ending: &str) -> PathBuf {
        let mut path = self.resolved.clone().into_os_string();
        path.push(ending);
        path.into()
    }

    /// Whether a path names the database or a file that belongs to it, existing or not.
    pub(super) fn owns(&self, path: &Path) -> bool {
        let companions = COMPANIONS.map(|ending| self.companion(ending));
        let is_same = |other: &Path| matches!((fs::metadata(path), fs::metadata(other)), (Ok(a), Ok(b)) if FileId::of(&a) == FileId::of(&b));
        path == self.resolved || is_same(&self.resolved) || companions.iter().any(|own| path == own || is_same(own))
    }

    /// The database's file and those that SQLite and the service make beside it, as far as they
    /// exist.
    fn existing(&self) -> impl Iterator<Item = PathBuf> {
        let companions = COMPANIONS.map(|ending| self.companion(ending));
        std::iter::once(self.resolved.clone()).chain(companions.into_iter().filter(|path| path.exists()))
    }

    /// SQLite names the write-ahead log after the path. Under a second name the file would have a
    /// second one, and two processes would destroy it.
    fn check_names(&self) -> Result<(), OpenError> {
        let names = fs::metadata(&self.resolved).map_err(|error| unreadable(&self.resolved, &error))?.nlink();
        if names > 1 {
            return Err(unsupported(format!(
                "{path} has {names} names (hard links), and SQLite keeps a write-ahead log for each: remove the other names (find them \
                 with: find / -xdev -samefile {path}), or copy the file to a new one",
                path = self.resolved.display()
            )));
        }
        Ok(())
    }

    /// Checks that this process may read and write the files, and make files beside them.
    pub(super) fn check_access(&self) -> Result<(), OpenError> {
        let user = rustix::process::getuid().as_raw();
        let check = |path: &Path, rights, problem: &str, remedy: &str| {
            let path_shown = path.display();
            access(path, rights).map_err(|error| {
                let error = io::Error::from(error);
                unsupported(if error.kind() == ErrorKind::ReadOnlyFilesystem {
                    format!(
                        "{path_shown} is on a read-only file system: mount that file system for writing, or set database.url to a file on \
                         another"
                    )
                } else if error.kind() == ErrorKind::PermissionDenied {
                    format!(
                        "{path_shown} is not {problem} for the user with id {user}, who runs bidarc: {remedy}, or run bidarc as its owner"
                    )
                } else {
                    format!("{path_shown} is not {problem}: {error}")
                })
            })
        };
        for file in self.existing() {
            let own = format!("make that user its owner (chown {user} {path})", path = file.display());
            check(&file, Access::READ_OK, "readable", &own)?;
            check(&file, Access::WRITE_OK, "writable", &format!("{own} with chmod 600"))?;
        }
        let directory = parent(&self.resolved);
        let own = format!("SQLite makes files in it beside the database, so chown {user} {}", directory.display());
        check(directory, Access::WRITE_OK | Access::EXEC_OK, "writable", &own)
    }

    /// Makes the files readable by their owner alone. The data is the office's.
    pub(super) fn restrict(&self) {
        for path in self.existing() {
            let is_open_to_others = |meta: fs::Metadata| meta.mode() & 0o077 != 0;
            if !fs::metadata(&path).is_ok_and(is_open_to_others) {
                continue;
            }
            match fs::set_permissions(&path, Permissions::from_mode(OWNER_ONLY)) {
                Ok(()) => tracing::info!(path = %path.display(), "the file is now readable by its owner alone"),
                Err(error) => tracing::warn!(
                    path = %path.display(), %error,
                    "other users of this machine can read the file, and this process may not change that: chmod 600 it as its owner"
                ),
            }
        }
    }
}

/// The absolute path that the settings name.
fn named_path(settings: &config::Database) -> Result<PathBuf, OpenError> {
    let url = settings.url.expose();
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(not_a_file());
    }
    // `immutable` and `vfs` turn off SQLite's locks, and `file:` can do the same.
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let is_known = ["", "mode=rwc", "mode=rw"].contains(&parameters);
    let is_file_url = |options: &SqliteConnectOptions| options.get_filename().to_string_lossy().starts_with("file:");
    // The driver's message would repeat a part of the URL.
    let options = SqliteConnectOptions::from_str(url).ok().filter(|options| is_known && !is_file_url(options));
    let Some(options) = options else {
        return Err(unsupported(
            "a SQLite URL is sqlite://<path of a file>, without parameters and without \"file:\"".to_owned(),
        ));
    };
    let path = options.get_filename();
    if path.as_os_str().is_empty() {
        return Err(not_a_file());
    }
    std::path::absolute(path).map_err(|error| unreadable(path, &error))
}

fn not_a_file() -> OpenError {
    unsupported(
        "an in-memory or unnamed database is lost when the process ends: use sqlite://<path of a file>".to_owned(),
    )
}

/// Whether a file is at the path. Anything but a file is an error.
fn is_there(path: &Path) -> Result<bool, OpenError> {
    let directory = parent(path);
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() => Ok(true),
        Ok(meta) if meta.is_dir() => Err(unsupported(format!(
            "{path} is a directory: name a file in it, such as sqlite://{path}/bidarc.db",
            path = path.display()
        ))),
        Ok(_) => Err(unsupported(format!("{} is neither a file nor a directory: name a file", path.display()))),
        Err(error) => match (error.kind(), fs::metadata(directory)) {
            (ErrorKind::NotFound, Ok(_)) => Ok(false),
            (ErrorKind::NotFound, Err(_)) => Err(unsupported(format!(
                "there is no directory {directory}: make it (mkdir -p {directory}), or correct the path",
                directory = directory.display()
            ))),
            (ErrorKind::NotADirectory, _) => {
                Err(unsupported(format!("{} is not a directory: correct the path", directory.display())))
            }
            _ => Err(unreadable(path, &error)),
        },
    }
}

/// Makes an empty file, which SQLite takes for an empty database.
fn create(path: &Path) -> Result<(), OpenError> {
    // A link that leads to nothing names the file to make.
    let target = fs::read_link(path).map_or_else(|_| path.to_owned(), |target| parent(path).join(target));
    let mut log = target.clone().into_os_string();
    log.push("-wal");
    let log = PathBuf::from(log);
    if fs::metadata(&log).is_ok_and(|meta| meta.len() > 0) {
        return Err(unsupported(format!(
            "{file} is not there, but its write-ahead log {log} is, and would be lost: put the file back, or restore a backup and move the \
             log away, or move the log away to begin an empty database",
            file = target.display(),
            log = log.display()
        )));
    }
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(OWNER_ONLY).open(path);
    let directory = parent(&target).display();
    made.map_err(|error| {
        unsupported(if error.kind() == ErrorKind::PermissionDenied {
            format!(
                "there is no file {path}, and the directory {directory} is not writable for the user with id {user}, who runs bidarc: make \
                 that user its owner (chown {user} {directory})",
                path = path.display(),
                user = rustix::process::getuid().as_raw()
            )
        } else if error.kind() == ErrorKind::NotFound {
            format!(
                "there is no directory {directory}, to which the link {path} leads: make it (mkdir -p {directory})",
                path = path.display()
            )
        } else {
            format!("the file {} cannot be made: {error}", path.display())
        })
    })?;
    Ok(())
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn unreadable(path: &Path, error: &io::Error) -> OpenError {
    unsupported(if error.kind() == ErrorKind::PermissionDenied {
        format!(
            "a directory on the way to {} is closed to the user with id {}, who runs bidarc: chmod or chown that directory, or run bidarc \
             as another user",
            path.display(),
            rustix::process::getuid().as_raw()
        )
    } else {
        format!("{} cannot be used: {error}", path.display())
    })
}

pub(super) fn unsupported(reason: String) -> OpenError {
    OpenError::Unsupported(reason)
}
