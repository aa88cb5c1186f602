//! What a store holds, by its names.

use std::fmt;
use std::path::PathBuf;

use object_store::path::Path;

use crate::clock::Time;
use crate::domain::Digest;

/// The folder of files by their digests.
pub(super) const FILES: &str = "sha256";

/// The folder of the thumbnails of files, by the files' digests.
pub(super) const THUMBNAILS: &str = "thumbnails";

/// The folder of uploads that are not finished.
pub(super) const UPLOADS: &str = "uploads";

/// The name of an object in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectName {
    /// A file by its digest.
    File(Digest),
    /// The thumbnail of the file with this digest.
    Thumbnail(Digest),
}

impl ObjectName {
    pub(super) fn path(self) -> Path {
        let (folder, digest) = match self {
            Self::File(digest) => (FILES, digest),
            Self::Thumbnail(digest) => (THUMBNAILS, digest),
        };
        let digest = digest.to_string();
        let (first, rest) = digest.split_at(2);
        Path::from_iter([folder, first, rest])
    }

    pub(super) fn of(path: &Path) -> Option<Self> {
        let parts: Vec<_> = path.parts().collect();
        let [folder, first, rest] = parts.as_slice() else { return None };
        let digest = format!("{}{}", first.as_ref(), rest.as_ref()).parse().ok()?;
        match folder.as_ref() {
            FILES if first.as_ref().len() == 2 => Some(Self::File(digest)),
            THUMBNAILS if first.as_ref().len() == 2 => Some(Self::Thumbnail(digest)),
            _ => None,
        }
    }
}

/// What the store holds under one name.
#[derive(Clone, Debug)]
pub struct StoredObject {
    /// Its name; none if it is a leftover of an upload, or not ours.
    pub name: Option<ObjectName>,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// When it was written.
    pub written_at: Time,
    pub(super) place: Place,
}

/// How an object is removed.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Object(Path),
    /// A file that is not an object: the leftover of an upload into a folder.
    Leftover(PathBuf),
}

impl StoredObject {
    /// Whether it is the leftover of an upload, or of one that still runs.
    #[must_use]
    pub fn is_upload(&self) -> bool {
        match &self.place {
            Place::Object(path) => path.parts().next().is_some_and(|first| first.as_ref() == UPLOADS),
            Place::Leftover(_) => true,
        }
    }
}

impl fmt::Display for StoredObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Object(path) => fmt::Display::fmt(path, f),
            Place::Leftover(path) => write!(f, "{UPLOADS}/{}", path.file_name().unwrap_or_default().display()),
        }
    }
}
