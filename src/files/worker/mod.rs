//! The worker: fetches the files whose rows are pending, before their links die.
//!
//! Nothing is claimed in the database. One node at a time holds the job lock, and knows itself
//! which files it is fetching. If it dies, another one gets the lock and finds the same rows. The
//! worker wakes on commits that may have brought files, when an attempt is due or a link dies, and
//! every few seconds, because commands write beside it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::RwLock;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::outbound::{AllowedUrl, Outbound};
use super::retention::{Retention, remove_page};
use super::storage::FileStore;
use crate::clock::{Clock, Time};
use crate::config;
use crate::domain::{FileId, FileState, Seq};
use crate::store::files::{FetchJob, count_pending_due, earliest_deadline, next_attempt_after, removed_contents};
use crate::store::{JobLocks, Store, StoreError};

mod backoff;
mod fetch;
mod gauges;
mod lock;
mod queue;
mod record;
mod room;

use fetch::{Context, Outcome, STORAGE_PAUSE};
use gauges::count_outcome;
use record::{Recorder, Write};
use room::Room;

/// How long the worker waits without a reason to wake.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The shortest pause between two readings of the jobs that commits cause.
const COMMIT_PAUSE: Duration = Duration::from_secs(1);

/// How often a node asks for the lock that another one holds, and checks that it still has its own.
const LOCK_INTERVAL: Duration = Duration::from_secs(2);
const LOCK_CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// How often the size of all files is read.
const ROOM_INTERVAL: Duration = Duration::from_secs(60);

/// How often files are removed that are older than they are kept.
const RETENTION_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// How long removals wait after one failed. The store may not permit them.
const REMOVAL_PAUSE: Duration = Duration::from_secs(10 * 60);

/// What a worker is made of.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The store of files.
    pub files: FileStore,
    /// What fetches them.
    pub outbound: Outbound,
    /// The time.
    pub clock: Clock,
    /// The runtime of the downloads.
    pub downloads: Handle,
    /// Ends the worker.
    pub stopping: CancellationToken,
}

/// Fetches files.
pub struct Worker {
    context: Arc<Context>,
    fetches: usize,
    max_total_bytes: Option<u64>,
    retention: Vec<Retention>,
    locks: Option<JobLocks>,
    lock_asked_at: Option<Instant>,
    /// Jobs that were due when they were read, nearest deadline first.
    queue: VecDeque<(FetchJob, AllowedUrl)>,
    /// The last job that the queue before looked at, if there may be others behind it that can be
    /// fetched at once.
    passed: Option<(Time, FileId)>,
    running: JoinSet<Outcome>,
    /// The file and the host of each running fetch.
    targets: HashMap<Id, (FileId, String)>,
    /// When the size of all files was read.
    room_read_at: Option<Instant>,
    /// Nothing is fetched before this time.
    pause_ends: Option<Instant>,
    /// Whether the store of files failed, and has taken no file since.
    is_storage_broken: bool,
    retention_ran_at: Option<Instant>,
    /// No bytes of old files are removed before this time.
    removal_pause_ends: Option<Instant>,
    /// Whether the database failed, and has answered nothing since.
    is_database_broken: bool,
    fetched: u64,
}

impl Worker {
    /// A worker with these settings. It does nothing before it runs.
    #[must_use]
    pub fn new(parts: Parts, settings: &config::Files) -> Self {
        let Parts { store, files, outbound, clock, downloads, stopping } = parts;
        Self {
            context: Arc::new(Context {
                recorder: Recorder::new(store.clone()),
                store,
                files,
                outbound,
                clock,
                downloads,
                max_bytes: settings.max_bytes,
                room: Room::unbounded(),
                storing: RwLock::new(()),
                stopping,
            }),
            fetches: settings.fetches,
            max_total_bytes: (settings.max_total_bytes > 0).then_some(settings.max_total_bytes),
            retention: Retention::of(settings),
            locks: None,
            lock_asked_at: None,
            queue: VecDeque::new(),
            passed: None,
            running: JoinSet::new(),
            targets: HashMap::new(),
            room_read_at: None,
            pause_ends: None,
            is_storage_broken: false,
            retention_ran_at: None,
            removal_pause_ends: None,
            is_database_broken: false,
            fetched: 0,
        }
    }

    /// Works until it is stopped. Files that are stored at that moment are recorded; downloads end,
    /// and begin again with the next worker.
    pub async fn run(mut self) {
        let gauges = gauges::run(self.context.store.clone(), self.context.clock.clone());
        let mut gauges = std::pin::pin!(gauges);
        let mut known = self.context.store.known_head();
        let stopping = self.context.stopping.clone();
        while !stopping.is_cancelled() {
            let wake = self.work_or_warn().await;
            let is_full = self.running.len() >= self.fetches;
            tokio::select! {
                () = stopping.cancelled() => {}
                Some(ended) = self.running.join_next_with_id() => self.settle(ended),
                head = wait_for_commit(&self.context.store, known), if !is_full => {
                    known = head;
                    self.queue.clear();
                }
                () = tokio::time::sleep(wake) => self.queue.clear(),
                () = &mut gauges => {}
            }
            while let Some(ended) = self.running.try_join_next_with_id() {
                self.settle(ended);
            }
        }
        while let Some(ended) = self.running.join_next_with_id().await {
            self.settle(ended);
        }
    }

    /// Works until each job that is due now was tried once. Calls `report` with how many of them
    /// were, of how many. Returns how many files were stored; none if another process fetches
    /// files.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn run_once(mut self, mut report: impl FnMut(u64, u64)) -> Result<Option<u64>, StoreError> {
        let now = self.context.clock.now();
        let reader = self.context.store.clone();
        let total = count_pending_due(reader.reserved_reader(), now).await?;
        if !self.hold_lock().await? {
            return Ok(None);
        }
        loop {
            let left = count_pending_due(reader.reserved_reader(), now).await?;
            report(total.saturating_sub(left), total);
            if left == 0 && self.running.is_empty() || self.context.stopping.is_cancelled() {
                break;
            }
            let wake = self.work().await?;
            tokio::select! {
                Some(ended) = self.running.join_next_with_id() => self.settle(ended),
                () = tokio::time::sleep(wake) => self.queue.clear(),
            }
            if self.pause_ends.is_some() {
                break;
            }
        }
        while let Some(ended) = self.running.join_next_with_id().await {
            self.settle(ended);
        }
        Ok(Some(self.fetched))
    }

    async fn work_or_warn(&mut self) -> Duration {
        match self.work().await {
            Ok(wake) => {
                self.is_database_broken = false;
                wake
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_database_broken, true) {
                    tracing::warn!(%error, "no file is fetched until the database answers");
                }
                self.queue.clear();
                POLL_INTERVAL
            }
        }
    }

    /// Starts what can be started. Returns when to look again at the latest.
    async fn work(&mut self) -> Result<Duration, StoreError> {
        let now = self.context.clock.now();
        if self.pause_ends.is_some_and(|ends| ends > Instant::now()) {
            return Ok(POLL_INTERVAL);
        }
        let store = self.context.store.clone();
        let reader = store.reserved_reader();
        if self.queue.is_empty() && self.running.len() < self.fetches {
            self.fill_queue(now).await?;
        }
        let has_dead_links = earliest_deadline(reader).await?.is_some_and(|deadline| deadline <= now);
        let retention_is_due = !self.retention.is_empty()
            && self.retention_ran_at.is_none_or(|ran_at| ran_at.elapsed() >= RETENTION_INTERVAL);
        let has_removed = self.removal_pause_ends.is_none_or(|ends| ends <= Instant::now())
            && !removed_contents(reader, 1).await?.is_empty();
        let has_work = !self.queue.is_empty() || has_dead_links || retention_is_due || has_removed;
        if !has_work && self.running.is_empty() {
            // On PostgreSQL the lock is a transaction, which should not stay open without need.
            self.locks = None;
            self.lock_asked_at = None;
            return self.time_to_next(now).await;
        }
        if !self.hold_lock().await? {
            self.queue.clear();
            return Ok(LOCK_INTERVAL);
        }
        if has_dead_links {
            let expired = self.context.recorder.record(Write::Expired { now }).await?;
            if expired > 0 {
                tracing::warn!(files = expired, "links died before their files were fetched");
                count_outcome("expired", expired);
            }
        }
        // Fetches come before removals: only they have a deadline.
        if !self.queue.is_empty() {
            if self.room().await? == 0 {
                self.wait_for_room(now).await?;
            } else {
                self.start_fetches();
            }
        }
        if retention_is_due {
            self.mark_old(now).await?;
        } else if has_removed {
            self.remove_some().await?;
        }
        self.time_to_next(now).await
    }

    fn settle(&mut self, ended: Result<(Id, Outcome), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        self.targets.remove(&id);
        match ended {
            Ok((_, outcome)) => self.settle_outcome(outcome),
            Err(error) => {
                tracing::error!(%error, "a fetch ended unexpectedly");
                self.pause();
            }
        }
    }

    fn settle_outcome(&mut self, outcome: Outcome) {
        let label = match outcome {
            Outcome::Stored => {
                self.fetched += 1;
                if std::mem::take(&mut self.is_storage_broken) {
                    tracing::info!("the store of files works again");
                }
                "stored"
            }
            Outcome::Retry => "retry",
            Outcome::Superseded => "superseded",
            Outcome::Unfit(FileState::Refused) => "refused",
            Outcome::Unfit(_) => "failed",
            Outcome::StorageFailed(error) => {
                if !std::mem::replace(&mut self.is_storage_broken, true) {
                    tracing::warn!(%error, "the store of files failed; files wait until it works again");
                }
                self.pause();
                "store"
            }
            Outcome::NoRoom => {
                self.room_read_at = None;
                "no_room"
            }
            Outcome::Unrecorded(error) => {
                tracing::warn!(%error, "the result of a fetch could not be recorded; the file will be fetched again");
                self.pause();
                "database"
            }
            Outcome::Stopped => return,
        };
        count_outcome(label, 1);
    }

    /// Starts nothing for a while.
    fn pause(&mut self) {
        self.pause_ends = Some(Instant::now() + STORAGE_PAUSE.to_std().unwrap_or_default());
        self.queue.clear();
    }

    /// Marks the files that are older than they are kept.
    async fn mark_old(&mut self, now: Time) -> Result<(), StoreError> {
        let mut marked = 0;
        for retention in &self.retention {
            marked += retention.mark(&self.context.store, now).await?;
        }
        self.retention_ran_at = Some(Instant::now());
        if marked > 0 {
            tracing::info!(files = marked, "files are older than they are kept; their bytes will be removed");
        }
        Ok(())
    }

    /// Removes the bytes of some files that are marked. If the lock went to another node, that node
    /// does so.
    async fn remove_some(&mut self) -> Result<(), StoreError> {
        self.lock_asked_at = self.lock_asked_at.and_then(|asked_at| asked_at.checked_sub(LOCK_CHECK_INTERVAL));
        if !self.hold_lock().await? {
            return Ok(());
        }
        let page = remove_page(&self.context.store, &self.context.files, &self.context.storing).await?;
        self.room_read_at = None;
        if let Some(error) = page.failure {
            tracing::warn!(%error, "bytes of old files could not be removed; they will be later");
            self.removal_pause_ends = Some(Instant::now() + REMOVAL_PAUSE);
        }
        Ok(())
    }

    /// How long until an attempt is due or a link dies.
    async fn time_to_next(&self, now: Time) -> Result<Duration, StoreError> {
        let reader = self.context.store.reserved_reader();
        let times = [next_attempt_after(reader, now).await?, earliest_deadline(reader).await?];
        let next = times.into_iter().flatten().filter(|time| *time > now).min();
        let wait = next.and_then(|next| (next - now).to_std().ok()).unwrap_or(POLL_INTERVAL);
        Ok(wait.clamp(Duration::from_millis(1), POLL_INTERVAL))
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

async fn wait_for_commit(store: &Store, known: Seq) -> Seq {
    tokio::time::sleep(COMMIT_PAUSE).await;
    store.wait_for_commit(known).await
}
