//! The store of files: a folder, or a bucket of S3, Google Cloud Storage or Azure.
//!
//! An object's name is the SHA-256 of its bytes, so equal bytes are stored once. Bytes are written
//! under another name, and get their own once they are complete and their digest is known. At no
//! moment does a name hold a part of its bytes, whatever kills the process.

use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use object_store::ClientConfigKey::{ReadTimeout, Timeout};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt, ObjectStoreScheme};
use tokio::time::timeout;
use url::Url;

use crate::domain::Digest;

mod disk;
mod object;
#[cfg(test)]
mod tests;
mod upload;

use disk::Disk;
pub use object::{ObjectName, StoredObject};
use object::{Place, UPLOADS};
pub use upload::Upload;

/// How many bytes of an upload are held before they are written. S3 takes no smaller parts than
/// 5 MiB, except the last one.
const FOLDER_PART_BYTES: usize = 256 * 1024;
const CLOUD_PART_BYTES: usize = 5 * 1024 * 1024;

/// How much of a disk the files leave free. The database may be on the same one, and deliveries go
/// first.
pub const FREE_BYTES_MIN: u64 = 1024 * 1024 * 1024;

/// How long the store may take for the next piece of an object, and a bucket to remove one.
const PIECE_TIMEOUT: Duration = Duration::from_secs(30);

/// An open store of files. Clones share it.
#[derive(Clone, Debug)]
pub struct FileStore {
    objects: Arc<dyn ObjectStore>,
    /// The folder, if it is one of this machine.
    folder: Option<Arc<Folder>>,
    part_bytes: usize,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    files: Arc<LocalFileSystem>,
    disk: Disk,
}

/// A store that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// The setting names no store that is known.
    #[error(
        "a store of files is a folder, or a URL such as s3://bucket/folder, gs://bucket/folder or az://container/folder"
    )]
    Unknown,
    /// The folder cannot be made.
    #[error("the folder {} cannot be used: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The fault.
        source: std::io::Error,
    },
    /// The settings of the bucket are not complete.
    #[error("the store of files cannot be used: {0}")]
    Bucket(#[from] object_store::Error),
}

/// An operation of the store that failed.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no such object.
    #[error("the file is not in the store")]
    NotFound,
    /// The store failed. It may work later.
    #[error("the store of files failed: {0}")]
    Failed(#[source] object_store::Error),
    /// The folder failed. It may work later.
    #[error("the folder of files failed: {0}")]
    Folder(#[from] std::io::Error),
    /// The store gave fewer bytes than it said.
    #[error("the store of files gave too few bytes")]
    Incomplete,
    /// The store gave no answer in time.
    #[error("the store of files does not answer")]
    TimedOut,
    /// The disk of a folder is nearly full.
    #[error("the disk of the files is nearly full")]
    NoRoom,
}

impl From<object_store::Error> for StorageError {
    fn from(error: object_store::Error) -> Self {
        if matches!(error, object_store::Error::NotFound { .. }) { Self::NotFound } else { Self::Failed(error) }
    }
}

/// The builder of a bucket's client from its vendor's variables. The library ends each request
/// after 30 seconds, with its body: too soon for a large file over a slow line. Unless the
/// variables set other times, a request ends only once nothing has come for 5 minutes. While a part
/// is sent nothing comes, so a line must carry its 5 MiB in that time.
macro_rules! patient {
    ($builder:ident, $key:ident) => {{
        let mut builder = $builder::from_env();
        for (key, value) in [(Timeout, "1 day"), (ReadTimeout, "5 minutes")] {
            if builder.get_config_value(&$key::Client(key)) == ClientOptions::default().get_config_value(&key) {
                builder = builder.with_config($key::Client(key), value);
            }
        }
        builder
    }};
}

impl FileStore {
    /// Opens the store that a setting names: the path of a folder, which is created, or the URL of
    /// a bucket, whose credentials come from the usual variables of its vendor. It does not call
    /// the bucket yet.
    ///
    /// # Errors
    ///
    /// [`OpenStoreError`] says what is wrong with the setting.
    pub fn open(setting: &str) -> Result<Self, OpenStoreError> {
        if !setting.contains("://") {
            return Self::open_folder(FilePath::new(setting));
        }
        let url: Url = setting.parse().map_err(|_| OpenStoreError::Unknown)?;
        let (scheme, prefix) = ObjectStoreScheme::parse(&url).map_err(|_| OpenStoreError::Unknown)?;
        let bucket: Arc<dyn ObjectStore> = match scheme {
            ObjectStoreScheme::Local => {
                let path = url.to_file_path().map_err(|()| OpenStoreError::Unknown)?;
                return Self::open_folder(&path);
            }
            ObjectStoreScheme::AmazonS3 => {
                Arc::new(patient!(AmazonS3Builder, AmazonS3ConfigKey).with_url(setting).build()?)
            }
            ObjectStoreScheme::GoogleCloudStorage => {
                Arc::new(patient!(GoogleCloudStorageBuilder, GoogleConfigKey).with_url(setting).build()?)
            }
            ObjectStoreScheme::MicrosoftAzure => {
                Arc::new(patient!(MicrosoftAzureBuilder, AzureConfigKey).with_url(setting).build()?)
            }
            ObjectStoreScheme::Memory | ObjectStoreScheme::Http | _ => return Err(OpenStoreError::Unknown),
        };
        Ok(Self { objects: Arc::new(PrefixStore::new(bucket, prefix)), folder: None, part_bytes: CLOUD_PART_BYTES })
    }

    /// How many bytes the disk of a folder has free; none for a bucket, or if that cannot be told.
    ///
    /// # Errors
    ///
    /// [`StorageError::TimedOut`] if the disk does not answer.
    pub async fn free_bytes(&self) -> Result<Option<u64>, StorageError> {
        match &self.folder {
            Some(folder) => folder.disk.free_bytes(&folder.path).await,
            None => Ok(None),
        }
    }

    /// Makes the disk of a folder one that never answers.
    #[cfg(test)]
    pub(super) async fn silence_disk(&self) {
        self.folder.as_ref().unwrap().disk.silence().await;
    }

    /// Opens a folder. It is readable by its owner alone if it is created here, and so are the
    /// files in it always.
    fn open_folder(path: &FilePath) -> Result<Self, OpenStoreError> {
        use std::os::unix::fs::DirBuilderExt;

        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        let path = made
            .and_then(|()| path.canonicalize())
            .map_err(|source| OpenStoreError::Folder { path: path.to_owned(), source })?;
        let files = Arc::new(LocalFileSystem::new_with_prefix(&path)?.with_fsync(true));
        Ok(Self {
            objects: Arc::clone(&files) as Arc<dyn ObjectStore>,
            folder: Some(Arc::new(Folder { path, files, disk: Disk::default() })),
            part_bytes: FOLDER_PART_BYTES,
        })
    }

    /// Begins to write a file. Nothing is written before the first part is full.
    #[must_use]
    pub fn begin(&self) -> Upload {
        let name: [u8; 16] = rand::random();
        let path = Path::from_iter([UPLOADS, &hex::encode(name)]);
        Upload::new(self.clone(), path)
    }

    /// The bytes of a file, or a part of them, in pieces as they are read.
    ///
    /// # Errors
    ///
    /// [`StorageError::NotFound`] if the file is not in the store.
    pub async fn read(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<impl Stream<Item = Result<Bytes, StorageError>> + Send + use<>, StorageError> {
        self.read_object(ObjectName::File(*digest), range).await
    }

    /// The bytes of an object, as [`Self::read`].
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub async fn read_object(
        &self,
        name: ObjectName,
        range: Option<Range<u64>>,
    ) -> Result<impl Stream<Item = Result<Bytes, StorageError>> + Send + use<>, StorageError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = timeout(PIECE_TIMEOUT, self.objects.get_opts(&name.path(), options)).await;
        Ok(pieces(found.map_err(|_| StorageError::TimedOut)??.into_stream()))
    }

    /// How many bytes a file has.
    ///
    /// # Errors
    ///
    /// [`StorageError::NotFound`] if the file is not in the store.
    pub async fn size(&self, digest: &Digest) -> Result<u64, StorageError> {
        self.object_size(ObjectName::File(*digest)).await
    }

    /// How many bytes an object has.
    ///
    /// # Errors
    ///
    /// As [`Self::size`].
    pub async fn object_size(&self, name: ObjectName) -> Result<u64, StorageError> {
        let found = timeout(PIECE_TIMEOUT, self.objects.head(&name.path())).await;
        Ok(found.map_err(|_| StorageError::TimedOut)??.size)
    }

    /// Whether an object is in the store.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn has(&self, name: ObjectName) -> Result<bool, StorageError> {
        match self.object_size(name).await {
            Ok(_) => Ok(true),
            Err(StorageError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// All that the store holds, in no order: files, thumbnails, and leftovers of uploads. An
    /// upload into a bucket that was cut off leaves parts that no list shows. A rule of the bucket
    /// removes these.
    pub fn list(&self) -> impl Stream<Item = Result<StoredObject, StorageError>> + Send + use<> {
        let objects = self.objects.list(None).map_err(StorageError::from).map_ok(|object| StoredObject {
            name: ObjectName::of(&object.location),
            size_bytes: object.size,
            written_at: object.last_modified,
            place: Place::Object(object.location),
        });
        let folder = self.folder.clone();
        // Files that the library writes have names that its lists leave out.
        let leftovers = stream::once(async move {
            let found = match folder {
                Some(folder) => folder.leftovers().await?,
                None => Vec::new(),
            };
            Ok::<_, StorageError>(stream::iter(found.into_iter().map(Ok)))
        });
        objects.chain(leftovers.try_flatten())
    }

    /// Removes a file. It is no error if there is none.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn delete(&self, digest: &Digest) -> Result<(), StorageError> {
        for name in [ObjectName::Thumbnail(*digest), ObjectName::File(*digest)] {
            Self::ignore_not_found(self.delete_object(&name.path()).await)?;
        }
        Ok(())
    }

    /// Removes an object. Fetches wait for it.
    async fn delete_object(&self, path: &Path) -> Result<(), StorageError> {
        let deleted = self.objects.delete(path);
        if self.folder.is_some() {
            // The library's thread would go on, and remove bytes that were stored since.
            return Ok(deleted.await?);
        }
        Ok(timeout(PIECE_TIMEOUT, deleted).await.map_err(|_| StorageError::TimedOut)??)
    }

    /// Removes an object that was listed. It stays if it was written since; it is no error if it is
    /// gone.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn remove(&self, object: &StoredObject) -> Result<(), StorageError> {
        Self::ignore_not_found(match &object.place {
            // The same bytes may have been stored once more, for a file that has no row yet.
            Place::Object(path) => match self.objects.head(path).await {
                Ok(found) if found.last_modified == object.written_at => self.delete_object(path).await,
                Ok(_) => Ok(()),
                Err(error) => Err(error.into()),
            },
            Place::Leftover(path) => match tokio::fs::remove_file(path).await {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(StorageError::NotFound),
                done => Ok(done?),
            },
        })
    }

    fn ignore_not_found(done: Result<(), StorageError>) -> Result<(), StorageError> {
        match done {
            Err(StorageError::NotFound) => Ok(()),
            done => done,
        }
    }

    /// Makes a written file its owner's alone. A bucket has rules of its own.
    async fn protect(&self, path: &Path) -> Result<(), StorageError> {
        use std::os::unix::fs::PermissionsExt;

        if let Some(folder) = &self.folder {
            let path = folder.files.path_to_filesystem(path)?;
            tokio::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).await?;
        }
        Ok(())
    }
}

/// The pieces of an object. The time between two requests of its reader is not the store's.
fn pieces(
    object: impl Stream<Item = object_store::Result<Bytes>> + Send + Unpin,
) -> impl Stream<Item = Result<Bytes, StorageError>> + Send {
    stream::unfold(object, async |mut object| {
        let piece = match timeout(PIECE_TIMEOUT, object.next()).await {
            // A folder's reader gives empty pieces without an end if a file becomes shorter.
            Ok(Some(Ok(piece))) if piece.is_empty() => Err(StorageError::Incomplete),
            Ok(piece) => piece?.map_err(StorageError::from),
            Err(_) => Err(StorageError::TimedOut),
        };
        Some((piece, object))
    })
}

impl Folder {
    /// The files of uploads that were cut off, or still run.
    async fn leftovers(self: Arc<Self>) -> Result<Vec<StoredObject>, StorageError> {
        let mut entries = match tokio::fs::read_dir(self.path.join(UPLOADS)).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry().await? {
            // It may be gone already: its upload was finished.
            let Ok(metadata) = entry.metadata().await else { continue };
            if metadata.is_file() && entry.file_name().as_encoded_bytes().contains(&b'#') {
                found.push(StoredObject {
                    name: None,
                    size_bytes: metadata.len(),
                    written_at: metadata.modified()?.into(),
                    place: Place::Leftover(entry.path()),
                });
            }
        }
        Ok(found)
    }
}
