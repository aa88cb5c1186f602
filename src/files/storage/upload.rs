//! Writing a file into the store.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStoreExt, WriteMultipart};

use super::{FREE_BYTES_MIN, FileStore, ObjectName, StorageError};
use crate::domain::Digest;

/// A file that is being written. Dropped without [`Self::finish`], it leaves nothing in a folder.
#[derive(Debug)]
pub struct Upload {
    store: FileStore,
    /// The name under which it is written.
    path: Path,
    /// The bytes of the first part, until it is full.
    waiting: Vec<Bytes>,
    /// How many bytes came since the part before was full.
    part_bytes: usize,
    parts: Option<WriteMultipart>,
}

impl Upload {
    /// An upload under this name.
    pub(super) const fn new(store: FileStore, path: Path) -> Self {
        Self { store, path, waiting: Vec::new(), part_bytes: 0, parts: None }
    }

    /// Writes the next bytes. It waits while a part is being written, so at most two parts are in
    /// memory.
    ///
    /// # Errors
    ///
    /// If the store fails, or a folder's disk is nearly full. The upload can then only be aborted.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        self.part_bytes += bytes.len();
        let is_full = self.part_bytes >= self.store.part_bytes;
        if is_full {
            self.part_bytes = 0;
            if self.store.free_bytes().await?.is_some_and(|free| free < FREE_BYTES_MIN) {
                return Err(StorageError::NoRoom);
            }
        }
        if let Some(parts) = &mut self.parts {
            parts.wait_for_capacity(1).await?;
            parts.put(bytes);
            return Ok(());
        }
        self.waiting.push(bytes);
        if is_full {
            self.begin_parts().await?;
        }
        Ok(())
    }

    async fn begin_parts(&mut self) -> Result<&mut WriteMultipart, StorageError> {
        let parts = self.store.objects.put_multipart(&self.path).await?;
        let parts = self.parts.insert(WriteMultipart::new_with_chunk_size(parts, self.store.part_bytes));
        for bytes in self.waiting.drain(..) {
            parts.put(bytes);
        }
        Ok(parts)
    }

    /// Puts the bytes under their digest. When it returns, they survive a crash of the machine.
    /// Equal bytes that are there already are replaced, which mends them if they are damaged.
    ///
    /// # Errors
    ///
    /// If the store fails. Nothing is then under the digest that was not there before.
    pub async fn finish(self, digest: &Digest) -> Result<(), StorageError> {
        self.finish_as(ObjectName::File(*digest)).await
    }

    /// Puts the bytes under a name, as [`Self::finish`].
    ///
    /// # Errors
    ///
    /// As [`Self::finish`].
    pub async fn finish_as(mut self, name: ObjectName) -> Result<(), StorageError> {
        if self.parts.is_none() && self.store.folder.is_none() {
            // A bucket makes an object at once, and at no moment a part of it.
            let bytes = std::mem::take(&mut self.waiting);
            self.store.objects.put(&name.path(), bytes.into_iter().collect()).await?;
            return Ok(());
        }
        if self.parts.is_none() {
            self.begin_parts().await?;
        }
        if let Some(parts) = self.parts.take() {
            parts.finish().await?;
        }
        self.store.protect(&self.path).await?;
        crate::failpoint::abort_if_set("upload-before-rename");
        if self.store.folder.is_some() {
            self.store.objects.rename(&self.path, &name.path()).await?;
            return Ok(());
        }
        self.store.objects.copy(&self.path, &name.path()).await?;
        // The bytes are under their name. A bucket may not permit removals.
        if let Err(error) = self.store.delete_object(&self.path).await {
            tracing::debug!(%error, path = %self.path, "an upload could not be removed after it was copied");
        }
        Ok(())
    }

    /// Gives the upload up and removes what it has written, as far as the store lets it.
    pub async fn abort(self) {
        if let Some(parts) = self.parts
            && let Err(error) = parts.abort().await
        {
            tracing::debug!(%error, "the parts of an upload could not be removed");
        }
    }
}
