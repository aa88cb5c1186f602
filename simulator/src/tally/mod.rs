//! The tally of a run: the deliveries and their results for each vendor and event type, and the
//! bodies that were acknowledged.
//!
//! Tests compare those bodies with the service's log: it must hold every delivery that it
//! acknowledged.

mod table;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::hook::{Hook, Vendor};
use crate::sender::{Outcome, Reply};

/// How many deliveries had which result. A delivery is one hook with all its attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Deliveries started. A hook that is sent twice counts twice.
    pub sent: u64,
    /// Deliveries that the vendor counts as delivered.
    pub acknowledged: u64,
    /// Attempts after a delivery's first.
    pub retried: u64,
    /// Deliveries of ArcSite's that were given up.
    pub given_up: u64,
    /// Deliveries of Bidsketch's that were given up, with an e-mail to the admin.
    pub admin_emailed: u64,
    /// Deliveries of Bidsketch's whose webhook was deleted before or meanwhile, or by their own
    /// 410.
    pub forgotten: u64,
}

impl Counts {
    /// Deliveries that are in progress, or were dropped midway.
    pub fn unfinished(&self) -> u64 {
        self.sent.saturating_sub(self.acknowledged + self.given_up + self.admin_emailed + self.forgotten)
    }

    fn add(&mut self, other: &Counts) {
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.retried += other.retried;
        self.given_up += other.given_up;
        self.admin_emailed += other.admin_emailed;
        self.forgotten += other.forgotten;
    }
}

/// An acknowledged body, and how often: more than once if it was sent more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The hook with its body.
    pub hook: Hook,
    /// How many of its deliveries were acknowledged.
    pub times: u64,
}

/// The tally. Safe to use from any thread; each result is a snapshot.
#[derive(Debug, Default)]
pub struct Tally {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    counts: BTreeMap<(Vendor, String), Counts>,
    /// `None` if bodies are not kept. Each has its index in the order of first acknowledgement, and
    /// its count.
    bodies: Option<HashMap<Hook, (usize, u64)>>,
    last_failure: Option<Reply>,
}

impl Tally {
    /// Creates a tally without bodies, for runs without an end.
    pub fn new() -> Tally {
        Tally::default()
    }

    /// Creates a tally that also keeps every acknowledged body in memory, for tests.
    pub fn keeping_bodies() -> Tally {
        Tally { state: Mutex::new(State { bodies: Some(HashMap::new()), ..State::default() }) }
    }

    pub(crate) fn record_start(&self, hook: &Hook) {
        self.state().counts(hook).sent += 1;
    }

    pub(crate) fn record_retry(&self, hook: &Hook, reply: &Reply) {
        let mut state = self.state();
        state.counts(hook).retried += 1;
        state.last_failure = Some(reply.clone());
    }

    pub(crate) fn record_end(&self, hook: &Hook, outcome: &Outcome) {
        let mut state = self.state();
        let counts = state.counts(hook);
        match outcome {
            Outcome::Delivered { .. } => counts.acknowledged += 1,
            Outcome::GivenUp { .. } => counts.given_up += 1,
            Outcome::AdminEmailed { .. } => counts.admin_emailed += 1,
            Outcome::Forgotten { .. } | Outcome::Unregistered { .. } => counts.forgotten += 1,
        }
        match outcome {
            Outcome::Delivered { .. } => {
                if let Some(bodies) = &mut state.bodies {
                    let index = bodies.len();
                    bodies.entry(hook.clone()).or_insert((index, 0)).1 += 1;
                }
            }
            Outcome::GivenUp { last, .. } | Outcome::AdminEmailed { last, .. } => {
                state.last_failure = Some(last.clone())
            }
            Outcome::Forgotten { .. } => state.last_failure = Some(Reply::Status(410)),
            // The deletion was intended, so it is not a failure.
            Outcome::Unregistered { .. } => {}
        }
    }

    /// The sum of all counts.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in self.state().counts.values() {
            total.add(counts);
        }
        total
    }

    /// The counts for each vendor and event type, in that order.
    pub fn by_event(&self) -> BTreeMap<(Vendor, String), Counts> {
        self.state().counts.clone()
    }

    /// Every acknowledged body, in the order of first acknowledgement. Empty unless made by
    /// [`Tally::keeping_bodies`].
    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        let state = self.state();
        let mut indexed: Vec<(usize, Acknowledged)> = state
            .bodies
            .iter()
            .flatten()
            .map(|(hook, &(index, times))| (index, Acknowledged { hook: hook.clone(), times }))
            .collect();
        indexed.sort_by_key(|(index, _)| *index);
        indexed.into_iter().map(|(_, acknowledged)| acknowledged).collect()
    }

    /// Whether every started delivery was acknowledged.
    pub fn all_acknowledged(&self) -> bool {
        let total = self.total();
        total.acknowledged == total.sent
    }

    /// The last reply that was not an acknowledgement.
    pub fn last_failure(&self) -> Option<Reply> {
        self.state().last_failure.clone()
    }

    /// A panicking thread leaves the counts valid: each change is a single addition.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn counts(&mut self, hook: &Hook) -> &mut Counts {
        self.counts.entry((hook.vendor, hook.event.clone())).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(vendor: Vendor, body: &str) -> Hook {
        Hook { vendor, event: "e".to_owned(), body: body.to_owned() }
    }

    #[test]
    fn delivery_is_counted_by_its_outcome() {
        let tally = Tally::new();
        let (a, b) = (hook(Vendor::Arcsite, "1"), hook(Vendor::Bidsketch, "2"));
        for hook in [&a, &b, &b, &b] {
            tally.record_start(hook);
        }
        tally.record_end(&a, &Outcome::Delivered { status: 200, attempts: 1 });
        tally.record_end(&b, &Outcome::AdminEmailed { attempts: 20, last: Reply::TimedOut });
        tally.record_end(&b, &Outcome::Forgotten { attempts: 1 });
        let total = tally.total();
        assert_eq!((total.sent, total.acknowledged, total.admin_emailed, total.forgotten), (4, 1, 1, 1));
        assert_eq!(total.unfinished(), 1);
        assert_eq!(tally.by_event().len(), 2);
        assert!(!tally.all_acknowledged());
        assert!(tally.acknowledged().is_empty(), "bodies are kept only on request");
    }

    #[test]
    fn acknowledged_bodies_keep_order_and_count() {
        let tally = Tally::keeping_bodies();
        let (first, second) = (hook(Vendor::Arcsite, "z"), hook(Vendor::Arcsite, "a"));
        for hook in [&first, &second, &first] {
            tally.record_start(hook);
            tally.record_end(hook, &Outcome::Delivered { status: 200, attempts: 1 });
        }
        let acknowledged = tally.acknowledged();
        assert_eq!(acknowledged, [Acknowledged { hook: first, times: 2 }, Acknowledged { hook: second, times: 1 }]);
        assert!(tally.all_acknowledged());
    }
}
