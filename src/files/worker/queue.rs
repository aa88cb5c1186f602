//! The queue of the worker: jobs that were due when they were read, nearest deadline first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::fetch::Outcome;
use super::gauges::count_outcome;
use super::record::Write;
use super::{Target, Worker};
use crate::clock::Time;
use crate::domain::FileId;
use crate::files::outbound::AllowedUrl;
use crate::store::StoreError;
use crate::store::files::{FetchJob, due};

/// How many files are fetched from one host at once.
const FETCHES_PER_HOST: usize = 2;

/// How many jobs are read at once.
const PAGE_JOBS: u32 = 200;

/// How many pages are read for one queue. The next queue goes on behind them.
const PAGES_MAX: u32 = 5;

/// How many jobs of one host the queue holds, so that it has room for those of others.
const HOST_JOBS_MAX: usize = 50;

/// How long a fetch waits in vain that makes its host a slow one, and for how long. Two slots of a
/// host that lets everything wait for half a minute would keep others from theirs until their links
/// die.
const SLOW_FAILURE: Duration = Duration::from_secs(5);
const SLOW_PERIOD: Duration = Duration::from_secs(5 * 60);

impl Worker {
    /// Takes jobs into the empty queue that are due and not running: those with the nearest
    /// deadlines, and others behind them if their hosts leave slots free. Links that may not be
    /// fetched are refused at once and for good.
    pub(super) async fn fill_queue(&mut self, now: Time) -> Result<(), StoreError> {
        let running: Vec<FileId> = self.targets.values().map(|target| target.file).collect();
        let (mut after, mut passed) = (None, self.passed.take());
        let mut queued: BTreeMap<String, usize> = BTreeMap::new();
        let mut pages = 0;
        loop {
            let jobs = due(self.context.store.reserved_reader(), now, after, PAGE_JOBS).await?;
            let is_last = jobs.len() < PAGE_JOBS as usize;
            let last = jobs.last().map(|job| (job.deadline, job.id));
            let mut refused: BTreeMap<String, Vec<FileId>> = BTreeMap::new();
            for job in jobs {
                match self.context.outbound.judge(&job.link, job.is_signed_hook) {
                    Ok(url) if !running.contains(&job.id) => self.enqueue(job, url, &mut queued),
                    Ok(_) => {}
                    Err(refusal) => refused.entry(refusal.to_string()).or_default().push(job.id),
                }
            }
            // Jobs that can be fetched may be behind any number that are refused.
            pages += u32::from(refused.is_empty());
            if !refused.is_empty() && !self.hold_lock().await? {
                return Ok(());
            }
            let recorder = &self.context.recorder;
            let writes = refused.into_iter().map(async |(problem, jobs)| {
                let files = recorder.record(Write::Refused { jobs, problem: problem.clone() }).await?;
                if files > 0 {
                    tracing::warn!(files, problem, "links refused");
                    count_outcome("refused", files);
                }
                Ok::<_, StoreError>(())
            });
            // They share transactions. Each one that is written is told of, also if another fails.
            join_all(writes).await.into_iter().collect::<Result<(), _>>()?;
            if is_last || self.fills_slots(&queued) {
                return Ok(());
            }
            if pages >= PAGES_MAX {
                self.passed = last;
                return Ok(());
            }
            after = last.max(passed.take());
        }
    }

    /// Takes a job into the queue, of which `queued` counts the jobs of each host.
    fn enqueue(&mut self, job: FetchJob, url: AllowedUrl, queued: &mut BTreeMap<String, usize>) {
        match queued.get_mut(url.host()) {
            Some(jobs) if *jobs >= HOST_JOBS_MAX => return,
            Some(jobs) => *jobs += 1,
            None => drop(queued.insert(url.host().to_owned(), 1)),
        }
        self.queue.push_back((job, url));
    }

    /// Whether the queue has a job for each slot that is free, of hosts that answer soon.
    fn fills_slots(&self, queued: &BTreeMap<String, usize>) -> bool {
        let queued = queued.iter().filter(|(host, _)| !self.is_slow(host));
        let startable: usize = queued.map(|(host, jobs)| (*jobs).min(self.free_slots_of(host))).sum();
        startable >= self.fetches.saturating_sub(self.running.len())
    }

    fn free_slots_of(&self, host: &str) -> usize {
        let busy = self.targets.values().filter(|target| target.host == host).count();
        FETCHES_PER_HOST.saturating_sub(busy)
    }

    fn is_slow(&self, host: &str) -> bool {
        self.slow_hosts.get(host).is_some_and(|until| *until > Instant::now())
    }

    /// Takes note of whether a host let a download wait in vain, or answered it.
    pub(super) fn judge_host(&mut self, host: String, outcome: &Outcome, took: Duration) {
        let now = Instant::now();
        match outcome {
            Outcome::Retry if took >= SLOW_FAILURE => drop(self.slow_hosts.insert(host, now + SLOW_PERIOD)),
            Outcome::Stored | Outcome::Unfit(_) => drop(self.slow_hosts.remove(&host)),
            Outcome::Retry
            | Outcome::Superseded
            | Outcome::StorageFailed(_)
            | Outcome::NoRoom
            | Outcome::Unrecorded(_)
            | Outcome::Stopped => {}
        }
        self.slow_hosts.retain(|_, until| *until > now);
    }

    /// Starts the jobs of the queue for which there is a slot, nearest deadline first. Hosts that
    /// let fetches wait in vain get the slots that others leave.
    pub(super) fn start_fetches(&mut self) {
        for takes_slow in [false, true] {
            let mut waiting = VecDeque::new();
            while self.running.len() < self.fetches {
                let Some((job, url)) = self.queue.pop_front() else { break };
                if self.free_slots_of(url.host()) == 0 || self.is_slow(url.host()) && !takes_slow {
                    waiting.push_back((job, url));
                } else {
                    self.start_fetch(job, url);
                }
            }
            waiting.append(&mut self.queue);
            self.queue = waiting;
        }
    }

    fn start_fetch(&mut self, job: FetchJob, url: AllowedUrl) {
        let target = Target { file: job.id, host: url.host().to_owned() };
        let task = self.running.spawn(Arc::clone(&self.context).fetch(job, url));
        self.targets.insert(task.id(), target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::domain::FileKind;

    #[tokio::test]
    async fn slow_host_gets_the_slots_that_others_leave() {
        let clock = Clock::system();
        let (_directory, mut worker) = Worker::for_test(clock.clone()).await;
        for (id, link) in [(1, "http://127.0.0.1:1/a.pdf"), (2, "http://localhost:1/a.pdf")] {
            let job = FetchJob {
                id: FileId(id),
                kind: FileKind::Pdf,
                link: link.to_owned(),
                deadline: clock.now(),
                attempts: 0,
                is_signed_hook: false,
            };
            let url = worker.context.outbound.judge(link, false).unwrap();
            worker.queue.push_back((job, url));
        }
        let mut judge = |outcome, took| {
            worker.judge_host("127.0.0.1".to_owned(), &outcome, took);
            worker.is_slow("127.0.0.1")
        };
        assert!(!judge(Outcome::Retry, Duration::ZERO), "it failed at once");
        assert!(judge(Outcome::Retry, SLOW_FAILURE));
        assert!(judge(Outcome::Superseded, SLOW_FAILURE), "it may have answered nothing");
        worker.fetches = 1;
        worker.start_fetches();
        assert_eq!(worker.targets.values().map(|target| &*target.host).collect::<Vec<_>>(), ["localhost"]);
        let queued = BTreeMap::from([("127.0.0.1".to_owned(), 1)]);
        worker.fetches = 2;
        assert!(!worker.fills_slots(&queued), "the jobs behind those of a slow host are read too");
        worker.start_fetches();
        assert_eq!(worker.targets.len(), 2);
        worker.fetches = 3;
        assert!(!worker.fills_slots(&queued));
        worker.judge_host("127.0.0.1".to_owned(), &Outcome::Stored, SLOW_FAILURE);
        assert!(worker.fills_slots(&queued));
    }
}
