//! The queue of the worker: jobs that were due when they were read, nearest deadline first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures_util::future::join_all;

use super::Worker;
use super::gauges::count_outcome;
use super::record::Write;
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

impl Worker {
    /// Takes jobs into the empty queue that are due and not running: those with the nearest
    /// deadlines, and others behind them if their hosts leave slots free. Links that may not be
    /// fetched are refused at once and for good.
    pub(super) async fn fill_queue(&mut self, now: Time) -> Result<(), StoreError> {
        let running: Vec<FileId> = self.targets.values().map(|(file, _)| *file).collect();
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

    /// Whether the queue has a job for each slot that is free.
    fn fills_slots(&self, queued: &BTreeMap<String, usize>) -> bool {
        let startable: usize = queued.iter().map(|(host, jobs)| (*jobs).min(self.free_slots_of(host))).sum();
        startable >= self.fetches.saturating_sub(self.running.len())
    }

    fn free_slots_of(&self, host: &str) -> usize {
        let busy = self.targets.values().filter(|(_, other)| other == host).count();
        FETCHES_PER_HOST.saturating_sub(busy)
    }

    /// Starts the jobs of the queue for which there is a slot, nearest deadline first.
    pub(super) fn start_fetches(&mut self) {
        let mut waiting = VecDeque::new();
        while self.running.len() < self.fetches {
            let Some((job, url)) = self.queue.pop_front() else { break };
            if self.free_slots_of(url.host()) == 0 {
                waiting.push_back((job, url));
            } else {
                self.start_fetch(job, url);
            }
        }
        waiting.append(&mut self.queue);
        self.queue = waiting;
    }

    fn start_fetch(&mut self, job: FetchJob, url: AllowedUrl) {
        let target = (job.id, url.host().to_owned());
        let task = self.running.spawn(Arc::clone(&self.context).fetch(job, url));
        self.targets.insert(task.id(), target);
    }
}
