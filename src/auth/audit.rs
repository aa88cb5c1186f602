//! What a running service writes into the audit. An entry about a change is written in the
//! transaction of that change. All others wait in memory and are written together, within seconds,
//! so that no request waits for them.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::domain::AuditKind;
use crate::metrics::AUDIT_ENTRIES_DROPPED;
use crate::store::audit::{self, NewEntry};
use crate::store::{StoreError, Transaction};

/// How many entries may wait while the database cannot be written. Later ones are dropped, which a
/// metric and the log say.
const WAITING_ENTRIES_MAX: usize = 1000;

/// How many of them are written at once, which happens once a second. A delivery may wait for their
/// transaction.
const WRITTEN_ENTRIES_MAX: usize = 50;

/// The shortest time between two writes of refusals. A flood of them writes no more than this.
const REFUSALS_INTERVAL: Duration = Duration::from_secs(10);

/// The audit of a running service.
#[derive(Clone, Debug)]
pub struct Audit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    waiting: Mutex<Waiting>,
}

/// What is not written yet.
#[derive(Debug, Default)]
struct Waiting {
    entries: Vec<NewEntry>,
    /// How many requests were refused, by the place and the reason.
    refusals: BTreeMap<(&'static str, &'static str), u64>,
    refusals_written_at: Option<Instant>,
}

impl Waiting {
    fn push(&mut self, entry: NewEntry) {
        if self.entries.len() < WAITING_ENTRIES_MAX {
            self.entries.push(entry);
            return;
        }
        metrics::counter!(AUDIT_ENTRIES_DROPPED).increment(1);
        tracing::error!(action = entry.action, "an entry of the audit was dropped: the database cannot be written");
    }
}

/// Entries that are about to be written.
#[derive(Debug, Default)]
pub(super) struct DueEntries(pub(super) Vec<NewEntry>);

impl Audit {
    /// An audit with nothing to write.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, waiting: Mutex::default() }))
    }

    /// Counts a request that was refused at this place for this reason. The refusals of an hour are
    /// one entry for each place and reason.
    pub fn count_refusal(&self, place: &'static str, reason: &'static str) {
        *self.waiting().refusals.entry((place, reason)).or_default() += 1;
    }

    /// Writes an entry soon, about something that has no transaction.
    pub fn append_soon(&self, kind: AuditKind, actor: Option<String>, action: &str, detail: Option<String>) {
        let entry = self.entry(kind, actor, action, detail);
        self.waiting().push(entry);
    }

    /// The audit of one mutation by the key of this name, or in open mode. `subject` names what the
    /// mutation is about, by node ids.
    #[must_use]
    pub fn mutation(&self, actor: Option<String>, field: &'static str, subject: String) -> MutationAudit {
        let is_recorded = AtomicBool::new(false);
        MutationAudit(Arc::new(Mutation { audit: self.clone(), actor, field, subject, is_recorded }))
    }

    pub(super) fn entry(
        &self,
        kind: AuditKind,
        actor: Option<String>,
        action: &str,
        detail: Option<String>,
    ) -> NewEntry {
        NewEntry { at: self.0.clock.now(), kind, actor, action: action.to_owned(), detail, count: 1, sum_key: None }
    }

    /// Takes the entries that are due, at most [`WRITTEN_ENTRIES_MAX`] unless `all` are wanted.
    /// Refusals are due every ten seconds, or if `all` are wanted.
    pub(super) fn take_due(&self, all: bool) -> DueEntries {
        let mut waiting = self.waiting();
        let count = if all { waiting.entries.len() } else { waiting.entries.len().min(WRITTEN_ENTRIES_MAX) };
        let mut due: Vec<NewEntry> = waiting.entries.drain(..count).collect();
        let is_pause = waiting.refusals_written_at.is_some_and(|written_at| written_at.elapsed() < REFUSALS_INTERVAL);
        if (all || !is_pause) && !waiting.refusals.is_empty() {
            waiting.refusals_written_at = Some(Instant::now());
            for ((place, reason), count) in take(&mut waiting.refusals) {
                let detail = format!("{place} {reason}");
                let entry = self.entry(AuditKind::Refusals, None, AuditKind::Refusals.action(), Some(detail));
                let sum_key = format!("{} {place} {reason}", entry.at.format("%Y-%m-%dT%H"));
                due.push(NewEntry { count, sum_key: Some(sum_key), ..entry });
            }
        }
        DueEntries(due)
    }

    /// Puts entries back that could not be written.
    pub(super) fn put_back(&self, DueEntries(mut entries): DueEntries) {
        let mut waiting = self.waiting();
        entries.append(&mut waiting.entries);
        // Refusals are summed, so that they take no more room than one hour of them.
        let mut sums: BTreeMap<String, usize> = BTreeMap::new();
        for entry in entries {
            match entry.sum_key.as_ref().and_then(|sum_key| sums.get(sum_key)) {
                Some(&index) => {
                    if let Some(sum) = waiting.entries.get_mut(index) {
                        sum.count += entry.count;
                    }
                }
                None => {
                    if let Some(sum_key) = &entry.sum_key {
                        sums.insert(sum_key.clone(), waiting.entries.len());
                    }
                    waiting.push(entry);
                }
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The audit of one mutation. If the mutation ends without a change, an entry that says so is
/// written soon.
#[derive(Clone, Debug)]
pub struct MutationAudit(Arc<Mutation>);

#[derive(Debug)]
struct Mutation {
    audit: Audit,
    actor: Option<String>,
    field: &'static str,
    subject: String,
    is_recorded: AtomicBool,
}

impl MutationAudit {
    /// Writes an entry in the transaction of a change.
    ///
    /// # Errors
    ///
    /// The entry cannot be written, so the change must not be either.
    pub async fn record(&self, tx: &Transaction, detail: &str) -> Result<(), StoreError> {
        audit::append(tx, &self.0.entry(detail)).await?;
        self.0.is_recorded.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Writes an entry soon about a change that has no transaction here.
    pub fn record_soon(&self, detail: &str) {
        self.0.is_recorded.store(true, Ordering::Relaxed);
        let Mutation { audit, actor, field, .. } = &*self.0;
        audit.append_soon(AuditKind::Mutation, actor.clone(), field, Some(detail.to_owned()));
    }
}

impl Mutation {
    fn entry(&self, detail: &str) -> NewEntry {
        self.audit.entry(AuditKind::Mutation, self.actor.clone(), self.field, Some(detail.to_owned()))
    }
}

impl Drop for Mutation {
    fn drop(&mut self) {
        if !*self.is_recorded.get_mut() {
            let detail = format!("{}: no change", self.subject);
            self.audit.append_soon(AuditKind::Mutation, self.actor.take(), self.field, Some(detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_summed_and_due_after_a_pause() {
        let audit = Audit::new(Clock::system());
        for reason in ["a", "b", "a"] {
            audit.count_refusal("API", reason);
        }
        let sums = |due: &DueEntries| due.0.iter().map(|entry| entry.count).collect::<Vec<_>>();
        let due = audit.take_due(false);
        assert_eq!(sums(&due), [2, 1]);
        audit.count_refusal("API", "a");
        assert_eq!(sums(&audit.take_due(false)), [0; 0], "the pause is not over");
        audit.put_back(due);
        audit.put_back(audit.take_due(true));
        assert_eq!(sums(&audit.take_due(true)), [3, 1]);
    }

    #[test]
    fn entries_that_wait_are_bounded() {
        let audit = Audit::new(Clock::system());
        let append = || (0..WAITING_ENTRIES_MAX).for_each(|_| audit.append_soon(AuditKind::Start, None, "start", None));
        append();
        let due = audit.take_due(false);
        append();
        audit.put_back(due);
        append();
        assert_eq!(audit.take_due(true).0.len(), WAITING_ENTRIES_MAX);
    }
}
