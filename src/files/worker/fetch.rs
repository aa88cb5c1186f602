//! One fetch: download, store, record.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use tokio::runtime::Handle;
use tokio::sync::RwLock;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backoff::next_attempt;
use super::record::{Recorder, Write};
use super::room::Room;
use crate::clock::{Clock, Time};
use crate::domain::{Digest, FileState};
use crate::files::outbound::{AllowedUrl, DownloadError, Downloaded, FileSink, Outbound};
use crate::files::storage::{FileStore, StorageError, Upload};
use crate::store::files::{Attempt, FetchJob, is_kept};
use crate::store::{Store, StoreError};

/// When a file is tried again that the store could not take.
pub(super) const STORAGE_PAUSE: TimeDelta = TimeDelta::seconds(30);

/// When a file is tried again for which there was no room, and its problems.
pub(super) const ROOM_PAUSE: TimeDelta = TimeDelta::minutes(10);
pub(super) const NO_ROOM: &str =
    "there is no room: the stored files have as many bytes as files.max_total_bytes allows, or the disk is nearly full";
pub(super) const DISK_SILENT: &str = "the disk of the files does not answer";

/// What all fetches share.
pub(super) struct Context {
    pub(super) store: Store,
    pub(super) files: FileStore,
    pub(super) outbound: Outbound,
    pub(super) clock: Clock,
    /// The runtime of the downloads, so that they delay no delivery.
    pub(super) downloads: Handle,
    /// `files.max_bytes`.
    pub(super) max_bytes: u64,
    /// How many bytes the store may grow.
    pub(super) room: Room,
    pub(super) recorder: Recorder,
    /// Fetches hold it from before they store bytes until their row says so; the removal of bytes
    /// holds it alone.
    pub(super) storing: RwLock<()>,
    pub(super) stopping: CancellationToken,
}

/// How a fetch ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The file is stored.
    Stored,
    /// The row changed meanwhile: a fresh link came, by which the file will be fetched, or the row
    /// is no job any more.
    Superseded,
    /// It will be tried again.
    Retry,
    /// It is given up, in this state.
    Unfit(FileState),
    /// The store could not take the bytes.
    StorageFailed(StorageError),
    /// The files together would be larger than allowed.
    NoRoom,
    /// The result could not be recorded. The file will be fetched again.
    Unrecorded(StoreError),
    /// The service stops.
    Stopped,
}

type DownloadResult = Result<(Downloaded, Upload), DownloadError<StorageError>>;

impl FileSink for Upload {
    type Error = StorageError;

    async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        Self::write(self, bytes).await
    }
}

impl Context {
    /// Fetches a file and records the result. Returns how the fetch ended, and how long its
    /// download took.
    pub(super) async fn fetch(self: Arc<Self>, job: FetchJob, url: AllowedUrl) -> (Outcome, Duration) {
        let began_at = Instant::now();
        let context = Arc::clone(&self);
        let kind = job.kind;
        let download = async move {
            let mut upload = context.files.begin();
            match context.outbound.download(&url, kind, context.max_bytes, &mut upload).await {
                Ok(downloaded) => Ok((downloaded, upload)),
                Err(error) => {
                    upload.abort().await;
                    Err(error)
                }
            }
        };
        // Dropped, it ends the download.
        let download = tokio_util::task::AbortOnDropHandle::new(self.downloads.spawn(download));
        let downloaded = tokio::select! {
            downloaded = download => downloaded,
            () = self.stopping.cancelled() => return (Outcome::Stopped, began_at.elapsed()),
        };
        let took = began_at.elapsed();
        (self.record(&job, downloaded).await.unwrap_or_else(Outcome::Unrecorded), took)
    }

    async fn record(
        self: &Arc<Self>,
        job: &FetchJob,
        downloaded: Result<DownloadResult, JoinError>,
    ) -> Result<Outcome, StoreError> {
        match downloaded {
            Ok(Ok((downloaded, upload))) => self.keep(job, downloaded, upload).await,
            Ok(Err(DownloadError::Refused(text))) => self.give_up(job, FileState::Refused, &text).await,
            Ok(Err(DownloadError::Failed(text))) => self.give_up(job, FileState::Failed, &text).await,
            Ok(Err(DownloadError::Retry { text, retry_after })) => self.try_again(job, text, retry_after).await,
            Ok(Err(DownloadError::Sink(StorageError::NoRoom))) => self.no_room(job).await,
            Ok(Err(DownloadError::Sink(error))) => self.storage_failed(job, error).await,
            Err(error) => {
                tracing::error!(file = job.id.0, %error, "a download ended unexpectedly");
                self.try_again(job, "the download ended unexpectedly; see the service's log".to_owned(), None).await
            }
        }
    }

    /// Stores the bytes, then records that they are stored.
    async fn keep(
        self: &Arc<Self>,
        job: &FetchJob,
        Downloaded { digest, size_bytes }: Downloaded,
        upload: Upload,
    ) -> Result<Outcome, StoreError> {
        let not_removed = self.storing.read().await;
        let is_new = !is_kept(self.store.reserved_reader(), &digest).await?;
        let room = if is_new { self.room.reserve(size_bytes) } else { None };
        if is_new && room.is_none() {
            upload.abort().await;
            return self.no_room(job).await;
        }
        let finished = self.downloads.spawn(async move { upload.finish(&digest).await }).await;
        match finished {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return self.storage_failed(job, error).await,
            Err(error) => return self.storage_failed(job, StorageError::Folder(std::io::Error::other(error))).await,
        }
        crate::failpoint::abort_if_set("stored-before-record");
        let now = self.clock.now();
        if self.recorder.record(Write::Stored { job: job.clone(), content: (digest, size_bytes), now }).await? == 0 {
            drop(not_removed);
            return self.discard(&digest).await;
        }
        if let Some(room) = room {
            room.fill();
        }
        tracing::info!(file = job.id.0, bytes = size_bytes, sha256 = %digest, "file stored");
        Ok(Outcome::Stored)
    }

    /// Removes bytes that no row names, after a fresh link came while they were fetched.
    async fn discard(&self, digest: &Digest) -> Result<Outcome, StoreError> {
        let _no_fetch_stores = self.storing.write().await;
        if !is_kept(self.store.reserved_reader(), digest).await?
            && let Err(error) = self.files.delete(digest).await
        {
            tracing::debug!(%error, "bytes of an earlier version stay until `bidarc files verify` finds them");
        }
        Ok(Outcome::Superseded)
    }

    /// Records that a file is refused or cannot be stored.
    async fn give_up(&self, job: &FetchJob, state: FileState, problem: &str) -> Result<Outcome, StoreError> {
        if self.recorder.record(Write::Unfit { job: job.clone(), state, problem: problem.to_owned() }).await? == 0 {
            return Ok(Outcome::Superseded);
        }
        tracing::warn!(file = job.id.0, %state, problem, "file given up");
        Ok(Outcome::Unfit(state))
    }

    async fn try_again(
        &self,
        job: &FetchJob,
        problem: String,
        retry_after: Option<Duration>,
    ) -> Result<Outcome, StoreError> {
        let now = self.clock.now();
        // What the host answers to a dead link is not why the file is not here. The last problem
        // before stays.
        if job.deadline <= now {
            return Ok(Outcome::Retry);
        }
        let next_attempt_at = next_attempt(now, job.attempts, retry_after, job.deadline);
        let attempt = Attempt { problem: problem.clone(), next_attempt_at, counts: true };
        if !self.postpone(job, attempt).await? {
            return Ok(Outcome::Superseded);
        }
        tracing::debug!(file = job.id.0, problem, %next_attempt_at, "file not fetched yet");
        Ok(Outcome::Retry)
    }

    async fn no_room(&self, job: &FetchJob) -> Result<Outcome, StoreError> {
        let next_attempt_at = self.clock.now() + ROOM_PAUSE;
        let attempt = Attempt { problem: NO_ROOM.to_owned(), next_attempt_at, counts: false };
        Ok(if self.postpone(job, attempt).await? { Outcome::NoRoom } else { Outcome::Superseded })
    }

    async fn storage_failed(&self, job: &FetchJob, error: StorageError) -> Result<Outcome, StoreError> {
        let next_attempt_at: Time = self.clock.now() + STORAGE_PAUSE;
        let problem = "the store of files failed; see the service's log".to_owned();
        self.postpone(job, Attempt { problem, next_attempt_at, counts: false }).await?;
        Ok(Outcome::StorageFailed(error))
    }

    /// Records that the file is tried again. Returns whether it was still the job that was read.
    async fn postpone(&self, job: &FetchJob, attempt: Attempt) -> Result<bool, StoreError> {
        Ok(self.recorder.record(Write::Unfetched { job: job.clone(), attempt }).await? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, FileId, FileKind};
    use crate::files::outbound::OutboundSettings;

    /// A worker whose job was taken by another one, or got a fresh link, says nothing of it.
    #[tokio::test]
    async fn result_for_a_row_that_changed_is_superseded() {
        let (directory, store) = Store::for_test().await;
        let settings = OutboundSettings { allowed_hosts: Vec::new(), allow_loopback: false, proxy: None };
        let clock = Clock::system();
        let context = Arc::new(Context {
            recorder: Recorder::new(store.clone()),
            store,
            files: FileStore::open(directory.path().join("files").to_str().unwrap()).unwrap(),
            outbound: Outbound::new(settings, clock.clone()).unwrap(),
            downloads: Handle::current(),
            max_bytes: 1,
            room: Room::unbounded(),
            storing: RwLock::new(()),
            stopping: CancellationToken::new(),
            clock,
        });
        let job = FetchJob {
            id: FileId(1),
            kind: FileKind::Pdf,
            link: "https://files.arcsite.com/a.pdf".to_owned(),
            deadline: context.clock.now() + TimeDelta::hours(1),
            attempts: 0,
            is_signed_hook: false,
        };
        let given_up = context.give_up(&job, FileState::Failed, "too large").await.unwrap();
        assert!(matches!(given_up, Outcome::Superseded), "{given_up:?}");
        let failed = context.try_again(&job, "busy".to_owned(), None).await.unwrap();
        assert!(matches!(failed, Outcome::Superseded), "{failed:?}");
        let dead = FetchJob { deadline: context.clock.now(), ..job.clone() };
        let failed = context.try_again(&dead, "403 Forbidden".to_owned(), None).await.unwrap();
        assert!(matches!(failed, Outcome::Retry), "the answer to a dead link is not recorded: {failed:?}");
        let mut upload = context.files.begin();
        upload.write(Bytes::from_static(b"x")).await.unwrap();
        let downloaded = Downloaded { digest: Digest::new([1; 32]), size_bytes: 1 };
        let stored = context.keep(&job, downloaded, upload).await.unwrap();
        assert!(matches!(stored, Outcome::Superseded), "{stored:?}");
        assert_eq!(context.room.free(), u64::MAX, "its room is free again");
    }
}
