//! The worker: fetches the files whose rows are pending, before their links die.
//!
//! Nothing is claimed in the database. One node at a time holds the job lock, and knows itself
//! which files it is fetching. If it dies, another one gets the lock and finds the same rows. The
//! worker wakes on commits that may have brought files, when an attempt is due or a link dies, and
//! every few seconds, because commands write beside it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::runtime::Handle;
use tokio::sync::RwLock;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::outbound::{AllowedUrl, Outbound};
use super::retention::Retention;
use super::storage::FileStore;
use crate::clock::{Clock, Time};
use crate::config;
use crate::domain::{Digest, FileId, FileState, Seq};
use crate::store::files::{
    FetchJob, count_pending_due, earliest_deadline, has_held_back, next_attempt_after, removed_contents,
};
use crate::store::{JobLocks, Store, StoreError};

mod backoff;
mod fetch;
mod gauges;
mod lock;
mod queue;
mod record;
mod removal;
mod room;
#[cfg(test)]
mod tests;

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

/// The pause between two transactions that mark old files.
const MARK_PAUSE: Duration = Duration::from_millis(50);

/// A clock that goes back by less is being adjusted, and one that differs by less is as right as
/// another.
const CLOCK_STEP_MIN: TimeDelta = TimeDelta::minutes(1);

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

/// What a running fetch is of.
struct Target {
    file: FileId,
    host: String,
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
    running: JoinSet<(Outcome, Duration)>,
    targets: HashMap<Id, Target>,
    /// Hosts that have let a fetch wait in vain, and until when the others come before them.
    slow_hosts: HashMap<String, Instant>,
    /// When the size of all files was read.
    room_read_at: Option<Instant>,
    /// Nothing is fetched before this time.
    pause_ends: Option<Instant>,
    /// Whether the store of files failed, and has taken no file since.
    is_storage_broken: bool,
    retention_ran_at: Option<Instant>,
    /// How many files retention has marked since then.
    retention_marked: u64,
    /// The last digest whose bytes were to be removed. Those after it are tried before any is
    /// tried again.
    removal_tried: Option<Digest>,
    /// No bytes of old files are removed before this time.
    removal_pause_ends: Option<Instant>,
    /// The clock when the worker last worked. None until files of earlier were looked at.
    clock_seen: Option<(Time, Instant)>,
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
            slow_hosts: HashMap::new(),
            room_read_at: None,
            pause_ends: None,
            is_storage_broken: false,
            retention_ran_at: None,
            retention_marked: 0,
            removal_tried: None,
            clock_seen: None,
            removal_pause_ends: None,
            is_database_broken: false,
            fetched: 0,
        }
    }

    /// Works until it is stopped. Files that are stored at that moment are recorded; downloads end,
    /// and begin again with the next worker.
    pub async fn run(mut self) {
        // A task of its own: its alarm must not stand still when the worker does, nor after a
        // panic.
        let gauges = gauges::run(self.context.store.clone(), self.context.clock.clone());
        let mut gauges = AbortOnDropHandle::new(tokio::spawn(gauges));
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
                Err(ended) = &mut gauges => std::panic::resume_unwind(ended.into_panic()),
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
        let may_be_held_back = self.clock_seen.is_none_or(|seen| has_gone_back(seen, now))
            && has_held_back(reader, now + CLOCK_STEP_MIN).await?;
        let has_dead_links = earliest_deadline(reader).await?.is_some_and(|deadline| deadline <= now);
        let retention_is_due = !self.retention.is_empty()
            && self.retention_ran_at.is_none_or(|ran_at| ran_at.elapsed() >= RETENTION_INTERVAL);
        let has_removed = self.removal_pause_ends.is_none_or(|ends| ends <= Instant::now())
            && !removed_contents(reader, None, 1).await?.is_empty();
        let has_work = !self.queue.is_empty() || may_be_held_back || has_dead_links || retention_is_due || has_removed;
        if !may_be_held_back {
            self.clock_seen = Some((now, Instant::now()));
        }
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
        if may_be_held_back {
            let files = self.context.recorder.record(Write::Revived { now }).await?;
            if files > 0 {
                tracing::warn!(files, "a clock that was ahead held files back; they are fetched now");
            }
            self.clock_seen = Some((now, Instant::now()));
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
            match self.lack_of_room().await? {
                Some(problem) => self.wait_for_room(now, problem).await?,
                None => self.start_fetches(),
            }
        }
        if retention_is_due {
            if !self.mark_old(now).await? {
                return Ok(MARK_PAUSE);
            }
        } else if has_removed {
            self.remove_some().await?;
        }
        self.time_to_next(now).await
    }

    fn settle(&mut self, ended: Result<(Id, (Outcome, Duration)), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let target = self.targets.remove(&id);
        match ended {
            Ok((_, (outcome, took))) => {
                if let Some(target) = target {
                    self.judge_host(target.host, &outcome, took);
                }
                self.settle_outcome(outcome);
            }
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

/// Whether the clock shows less than it did when it was seen, and the time since.
fn has_gone_back((seen, at): (Time, Instant), now: Time) -> bool {
    let since = TimeDelta::from_std(at.elapsed()).unwrap_or_default();
    now + CLOCK_STEP_MIN < seen + since
}

async fn wait_for_commit(store: &Store, known: Seq) -> Seq {
    tokio::time::sleep(COMMIT_PAUSE).await;
    store.wait_for_commit(known).await
}
