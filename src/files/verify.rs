//! Compares the store of files with the database. It works beside a running service.

use std::collections::HashMap;

use chrono::TimeDelta;
use futures_util::TryStreamExt;
use sha2::{Digest as _, Sha256};

use super::storage::{FileStore, ObjectName, StorageError, StoredObject};
use crate::clock::Time;
use crate::domain::Digest;
use crate::store::files::{digests_after, is_kept, is_named};
use crate::store::{Store, StoreError};

/// How many rows are read at once.
const PAGE_SIZE: u64 = 1000;

/// An object without a row that is younger may be about to get one.
const ORPHAN_AGE_MIN: TimeDelta = TimeDelta::days(1);

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many different files are stored, by the database.
    pub files: u64,
    /// How many bytes were read.
    pub bytes: u64,
    /// Files that are not in the store.
    pub missing: Vec<Digest>,
    /// Files whose bytes are not those of their digests.
    pub wrong: Vec<Digest>,
    /// Files that the store could not read this time.
    pub unreadable: Vec<(Digest, StorageError)>,
    /// Objects of a day and more that no row names, and leftovers of uploads.
    pub orphans: Vec<StoredObject>,
    /// How many younger ones no row names. They may be about to get one.
    pub young: u64,
    /// How many others there are that bidarc did not make.
    pub foreign: u64,
}

/// The comparison was not completed.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] StoreError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Reads every stored file and compares its digest. `progress` gets how many of how many files are
/// read.
///
/// # Errors
///
/// If the database or the list of the store cannot be read. A file that is damaged, missing or
/// cannot be read is a finding.
pub async fn verify(
    database: &Store,
    store: &FileStore,
    now: Time,
    mut progress: impl FnMut(u64, u64),
) -> Result<Findings, VerifyError> {
    let mut unseen = HashMap::new();
    let mut last = 0;
    loop {
        let page = digests_after(database.reader(), last, PAGE_SIZE).await?;
        let Some(&(id, _)) = page.last() else { break };
        last = id;
        unseen.extend(page.into_iter().map(|(_, digest)| (digest, false)));
    }
    let total = u64::try_from(unseen.len()).unwrap_or(u64::MAX);
    let mut findings = Findings { files: total, ..Findings::default() };
    let (mut done, mut unnamed) = (0, Vec::new());
    let mut objects = std::pin::pin!(store.list());
    while let Some(object) = objects.try_next().await? {
        match object.name {
            Some(ObjectName::File(digest)) if unseen.contains_key(&digest) => {
                match hash(store, &digest).await {
                    Ok((found, bytes)) => {
                        findings.bytes += bytes;
                        if found != digest {
                            findings.wrong.push(digest);
                        }
                        unseen.insert(digest, true);
                    }
                    // It was removed meanwhile; whether its row was too is looked up below.
                    Err(StorageError::NotFound) => {}
                    Err(error) => {
                        findings.unreadable.push((digest, error));
                        unseen.insert(digest, true);
                    }
                }
                done += 1;
                progress(done, total);
            }
            Some(ObjectName::Thumbnail(digest)) if unseen.contains_key(&digest) => {}
            None if !object.is_upload() => findings.foreign += 1,
            Some(_) | None => unnamed.push(object),
        }
    }
    // The database and the store have changed meanwhile.
    for (digest, _) in unseen.into_iter().filter(|(_, is_seen)| !is_seen) {
        let is_stored = is_kept(database.reader(), &digest).await?;
        if is_stored && !store.has(ObjectName::File(digest)).await? {
            findings.missing.push(digest);
        }
    }
    for object in unnamed {
        let is_orphan = is_orphan(database, &object).await?;
        if is_orphan && now - object.written_at >= ORPHAN_AGE_MIN {
            findings.orphans.push(object);
        } else if is_orphan {
            findings.young += 1;
        }
    }
    Ok(findings)
}

/// Whether no row names an object.
///
/// # Errors
///
/// The database does not answer.
pub async fn is_orphan(database: &Store, object: &StoredObject) -> Result<bool, StoreError> {
    Ok(match object.name {
        Some(ObjectName::File(digest) | ObjectName::Thumbnail(digest)) => !is_named(database.reader(), &digest).await?,
        None => true,
    })
}

async fn hash(store: &FileStore, digest: &Digest) -> Result<(Digest, u64), StorageError> {
    let mut pieces = std::pin::pin!(store.read(digest, None).await?);
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    while let Some(piece) = pieces.try_next().await? {
        hasher.update(&piece);
        bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
    }
    Ok((Digest::new(hasher.finalize().into()), bytes))
}
