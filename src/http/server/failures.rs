//! Failures to prove an identity: wrong keys, wrong signatures, unknown hooks. They are limited a
//! peer, and summed up in the log and the audit.
//!
//! A proof is judged before its peer is, so that a right one is never refused: many senders may
//! share an address.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use super::peer::Peer;
use crate::auth::Audit;

/// How many peers the limit knows. Beyond it, those that failed longest ago are forgotten.
const PEERS_MAX: usize = 10_000;

/// How many peers are forgotten at once, as a part of them. Looking for them costs time in
/// proportion to their number.
const FORGOTTEN_PART: usize = 10;

/// The shortest time between two lines of the log that sum up failures.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(10);

/// What failed, and why: the labels of its metric.
pub(in crate::http) type Failure = (&'static str, &'static str);

/// The failures of all peers.
#[derive(Debug)]
pub(super) struct Failures {
    limiter: RateLimiter<Sender, PeerTable, DefaultClock>,
    audit: Audit,
    summary: Mutex<Summary>,
}

/// Who failed. `None` is this machine, or a proxy that does not name its client.
type Sender = Option<Peer>;

/// When the failures of each peer are forgiven.
#[derive(Debug, Default)]
struct PeerTable(Mutex<HashMap<Sender, Nanos>>);

/// The refusals since the last line of the log.
#[derive(Debug, Default)]
struct Summary {
    counts: BTreeMap<Failure, u64>,
    senders: HashSet<Sender>,
    logged_at: Option<Instant>,
}

impl Failures {
    /// Allows a peer as many failures in a minute before it is limited.
    pub(super) fn new(per_minute: NonZeroU32, audit: Audit) -> Self {
        let limiter = RateLimiter::new(Quota::per_minute(per_minute), PeerTable::default(), DefaultClock::default());
        Self { limiter, audit, summary: Mutex::default() }
    }

    /// Counts a failure. An error says how long this peer should wait before it tries again.
    pub(super) fn record(&self, sender: Sender, failure: Failure) -> Result<(), Duration> {
        self.note(sender, failure);
        self.limiter.check_key(&sender).map_err(|too_early| too_early.wait_time_from(self.limiter.clock().now()))
    }

    /// Counts a refusal for the audit alone.
    pub(super) fn count(&self, (subject, reason): Failure) {
        self.audit.count_refusal(subject, reason);
    }

    /// Counts a refusal for the log and the audit alone.
    pub(super) fn note(&self, sender: Sender, failure: Failure) {
        self.count(failure);
        let mut summary = self.lock();
        *summary.counts.entry(failure).or_default() += 1;
        if summary.senders.len() < PEERS_MAX {
            summary.senders.insert(sender);
        }
    }

    /// Logs the failures since the last line, at most once in [`SUMMARY_INTERVAL`].
    pub(super) fn log_summary(&self, now: Instant) {
        let Some((counts, peers)) = self.take_summary(now) else { return };
        let kinds: Vec<String> =
            counts.iter().map(|((subject, reason), count)| format!("{count} {subject} {reason}")).collect();
        tracing::warn!(refused = counts.values().sum::<u64>(), peers, "requests were refused: {}", kinds.join(", "));
    }

    /// Logs the failures since the last line, before the service ends.
    pub(super) fn log_rest(&self) {
        self.log_summary(Instant::now() + SUMMARY_INTERVAL);
    }

    /// The refusals of each kind, and how many peers they came from.
    fn take_summary(&self, now: Instant) -> Option<(BTreeMap<Failure, u64>, usize)> {
        let mut summary = self.lock();
        let is_due = summary.logged_at.is_none_or(|logged_at| logged_at + SUMMARY_INTERVAL <= now);
        if summary.counts.is_empty() || !is_due {
            return None;
        }
        let Summary { counts, senders, .. } =
            std::mem::replace(&mut *summary, Summary { logged_at: Some(now), ..Summary::default() });
        Some((counts, senders.len()))
    }

    fn lock(&self) -> MutexGuard<'_, Summary> {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for PeerTable {
    type Key = Sender;

    fn measure_and_replace<T, F, E>(&self, sender: &Sender, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (outcome, forgiven_at) = measure(peers.get(sender).copied())?;
        if peers.len() >= PEERS_MAX && !peers.contains_key(sender) {
            let mut times: Vec<Nanos> = peers.values().copied().collect();
            let (_, limit, _) = times.select_nth_unstable(PEERS_MAX / FORGOTTEN_PART);
            let limit = *limit;
            peers.retain(|_, forgiven_at| *forgiven_at > limit);
        }
        peers.insert(*sender, forgiven_at);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const PER_MINUTE: NonZeroU32 = NonZeroU32::new(3).unwrap();
    const KIND: Failure = ("API", "wrong_token");

    fn peer(number: u32) -> Sender {
        Some(Peer::new(std::net::Ipv4Addr::from_bits(number).into()))
    }

    #[test]
    fn peer_is_limited_after_its_failures_and_others_are_not() {
        let failures = Failures::new(PER_MINUTE, Audit::new(clock::Clock::system()));
        for _ in 0..3 {
            assert_eq!(failures.record(peer(1), KIND), Ok(()));
        }
        let wait = failures.record(peer(1), KIND).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(20), "{wait:?}");
        assert_eq!(failures.record(peer(2), KIND), Ok(()));
        assert_eq!(failures.record(None, KIND), Ok(()));
    }

    #[test]
    fn table_of_peers_is_bounded_and_forgets_the_oldest() {
        let failures = Failures::new(PER_MINUTE, Audit::new(clock::Clock::system()));
        let most = u32::try_from(PEERS_MAX).unwrap();
        // The last ones fail twice, so that they are forgiven later.
        for number in (0..most * 2).chain(most * 2 - 100..most * 2) {
            let _ = failures.record(peer(number), KIND);
        }
        let limiter = failures.limiter.into_state_store();
        let peers = limiter.0.lock().unwrap();
        assert!(peers.len() <= PEERS_MAX && peers.len() >= PEERS_MAX - PEERS_MAX / FORGOTTEN_PART, "{}", peers.len());
        assert!(peers.contains_key(&peer(most * 2 - 1)) && !peers.contains_key(&peer(0)));
    }

    #[test]
    fn summary_has_each_kind_and_the_peers_once_in_its_interval() {
        let (failures, start) = (Failures::new(PER_MINUTE, Audit::new(clock::Clock::system())), Instant::now());
        assert_eq!(failures.take_summary(start), None);
        for sender in [peer(1), peer(2), peer(1), None] {
            let _ = failures.record(sender, KIND);
        }
        failures.note(peer(3), ("ARCSITE", "unsigned"));
        let counts = BTreeMap::from([(KIND, 4), (("ARCSITE", "unsigned"), 1)]);
        assert_eq!(failures.take_summary(start), Some((counts, 4)));
        let _ = failures.record(peer(1), KIND);
        assert_eq!(failures.take_summary(start + SUMMARY_INTERVAL / 2), None);
        assert_eq!(failures.take_summary(start + SUMMARY_INTERVAL), Some((BTreeMap::from([(KIND, 1)]), 1)));
        assert_eq!(failures.take_summary(start + 3 * SUMMARY_INTERVAL), None);
    }
}
