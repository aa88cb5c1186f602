//! What a running service writes about its keys, apart from any request: their last use, their
//! expiry, the end of sessions, and the audit. One task writes all of it in one transaction, at
//! most once a second, and nothing if there is nothing to write.

use std::collections::{BTreeSet, HashMap};
use std::mem::take;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};

use super::Audit;
use super::Keys;
use super::audit::DueEntries;
use crate::clock::Time;
use crate::domain::AuditKind;
use crate::store::audit::{self, NewEntry};
use crate::store::keys::ActiveKey;
use crate::store::{StoreError, keys, sessions};

/// How often the task looks for something to write.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest time between two writes of one key's last use.
const USE_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    uses: HashMap<i64, KeyUse>,
    /// The sessions in the database that are over.
    sessions_over: Vec<i64>,
    /// The keys that have expired, by their numbers, with their names.
    expired: Vec<(i64, String, Option<Time>)>,
    /// The expired keys that are in the audit.
    audited: BTreeSet<i64>,
}

#[derive(Clone, Copy, Debug)]
struct KeyUse {
    last: Time,
    written: Option<Time>,
}

/// What one transaction writes.
#[derive(Debug)]
struct Due<'a> {
    uses: Vec<(i64, Time)>,
    sessions_over: Vec<i64>,
    expired: Vec<(i64, String, Option<Time>)>,
    entries: UnwrittenEntries<'a>,
}

/// Entries of the audit that go back to it, unless they are written: a stop may end the task in
/// the middle.
#[derive(Debug)]
struct UnwrittenEntries<'a>(&'a Audit, DueEntries);

impl Drop for UnwrittenEntries<'_> {
    fn drop(&mut self) {
        self.0.put_back(take(&mut self.1));
    }
}

impl Upkeep {
    pub(super) fn note_use(&mut self, key: i64, now: Time) {
        self.uses.entry(key).and_modify(|used| used.last = now).or_insert(KeyUse { last: now, written: None });
    }

    /// Notes what a read of the keys has shown.
    pub(super) fn note_read<'a>(&mut self, sessions_over: Vec<i64>, expired: impl Iterator<Item = &'a ActiveKey>) {
        self.sessions_over = sessions_over;
        let unaudited = expired.filter(|key| !self.audited.contains(&key.id));
        self.expired = unaudited.map(|key| (key.id, key.name.clone(), key.expires_at)).collect();
    }

    /// Takes the uses that are due, each key's at most once a minute.
    fn take_uses(&mut self) -> Vec<(i64, Time)> {
        let is_due = |used: &KeyUse| used.written.is_none_or(|written| used.last - written >= USE_INTERVAL);
        let due: Vec<(i64, Time)> =
            self.uses.iter().filter(|(_, used)| is_due(used)).map(|(key, used)| (*key, used.last)).collect();
        for (key, last) in &due {
            self.uses.insert(*key, KeyUse { last: *last, written: Some(*last) });
        }
        due
    }
}

impl Keys {
    /// Writes what is due once a second, as long as it is polled.
    pub async fn run_upkeep_loop(&self) {
        let mut ticks = interval(UPKEEP_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.write_due(false).await;
        }
    }

    /// Writes everything that waits, before the service ends.
    pub async fn finish_upkeep(&self) {
        self.write_due(true).await;
    }

    async fn write_due(&self, all: bool) {
        let mut due = {
            let mut upkeep = self.upkeep();
            let (sessions_over, expired) = (take(&mut upkeep.sessions_over), take(&mut upkeep.expired));
            let entries = UnwrittenEntries(&self.0.audit, self.0.audit.take_due(all));
            Due { uses: upkeep.take_uses(), sessions_over, expired, entries }
        };
        if due.is_empty() {
            return;
        }
        match self.write(&due).await {
            Ok(()) => {
                due.entries.1 = DueEntries::default();
                self.upkeep().audited.extend(due.expired.iter().map(|(id, ..)| *id));
            }
            // The next read shows sessions and expired keys again, and the next use the uses.
            Err(error) => tracing::debug!(%error, "failed to write the audit; trying again"),
        }
    }

    async fn write(&self, due: &Due<'_>) -> Result<(), StoreError> {
        let tx = self.0.store.begin().await?;
        for (key, at) in &due.uses {
            keys::note_use(&tx, *key, *at).await?;
        }
        sessions::delete(&tx, &due.sessions_over).await?;
        for (id, name, expires_at) in &due.expired {
            let sum_key = format!("{} {id}", AuditKind::KeyExpired);
            // Another node has written it.
            if audit::has_sum_key(&tx, &sum_key).await? {
                continue;
            }
            let kind = AuditKind::KeyExpired;
            let entry = self.0.audit.entry(kind, None, kind.action(), Some(format!("key {id} {name:?}")));
            let at = expires_at.unwrap_or(entry.at);
            audit::append(&tx, &NewEntry { at, sum_key: Some(sum_key), ..entry }).await?;
        }
        for entry in &due.entries.1.0 {
            audit::append(&tx, entry).await?;
        }
        self.0.store.commit(tx, None).await
    }

    pub(super) fn upkeep(&self) -> MutexGuard<'_, Upkeep> {
        self.0.upkeep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Due<'_> {
    fn is_empty(&self) -> bool {
        self.uses.is_empty() && self.sessions_over.is_empty() && self.expired.is_empty() && self.entries.1.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_use_is_due_once_a_minute() {
        let start: Time = "2026-11-26T15:00:00Z".parse().unwrap();
        let at = |seconds| start + TimeDelta::seconds(seconds);
        let mut upkeep = Upkeep::default();
        upkeep.note_use(1, at(0));
        assert_eq!(upkeep.take_uses(), [(1, at(0))]);
        for seconds in [0, 1, 59] {
            upkeep.note_use(1, at(seconds));
            assert_eq!(upkeep.take_uses(), []);
        }
        upkeep.note_use(1, at(60));
        upkeep.note_use(2, at(60));
        let mut due = upkeep.take_uses();
        due.sort_unstable();
        assert_eq!(due, [(1, at(60)), (2, at(60))]);
    }
}
