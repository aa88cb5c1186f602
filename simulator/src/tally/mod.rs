//! The account of a run: what was sent and what came of it, per vendor and event type, and which bodies were acknowledged.
//!
//! The last is what tests are after: whatever the service has acknowledged it must have kept.

mod table;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::hook::{Hook, Vendor};
use crate::sender::{Outcome, Reply};

/// How many deliveries came to what. A delivery is one hook with all its attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Deliveries begun, a hook that is sent twice counted twice.
    pub sent: u64,
    /// Those that the vendor takes for delivered.
    pub acknowledged: u64,
    /// Attempts beyond a delivery's first.
    pub retried: u64,
    /// ArcSite's that were given up.
    pub given_up: u64,
    /// Bidsketch's that were given up, with an e-mail to the admin.
    pub admin_emailed: u64,
    /// Bidsketch's that met a deleted webhook, or whose answer deleted it, or whose webhook was deleted meanwhile.
    pub forgotten: u64,
}

impl Counts {
    /// Deliveries that are still going on, or were dropped midway.
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

/// A body that was acknowledged, and how often: more than once when it was sent more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The hook with its body.
    pub hook: Hook,
    /// How many of its deliveries were acknowledged.
    pub times: u64,
}

/// The account itself. All of it can be called from any thread; what it tells is a moment's state.
#[derive(Debug, Default)]
pub struct Tally {
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    counts: BTreeMap<(Vendor, String), Counts>,
    /// `None` where bodies are not kept. Each with its place in the order of first acknowledgement.
    bodies: Option<HashMap<Hook, (usize, u64)>>,
    last_failure: Option<Reply>,
}

impl Tally {
    /// An account that counts and keeps no bodies: for runs without an end.
    pub fn new() -> Tally {
        Tally::default()
    }

    /// An account that keeps every acknowledged body in memory as well: for tests.
    pub fn keeping_bodies() -> Tally {
        Tally { book: Mutex::new(Book { bodies: Some(HashMap::new()), ..Book::default() }) }
    }

    pub(crate) fn begun(&self, hook: &Hook) {
        self.book().counts(hook).sent += 1;
    }

    pub(crate) fn retried(&self, hook: &Hook, why: &Reply) {
        let mut book = self.book();
        book.counts(hook).retried += 1;
        book.last_failure = Some(why.clone());
    }

    pub(crate) fn ended(&self, hook: &Hook, outcome: &Outcome) {
        let mut book = self.book();
        let counts = book.counts(hook);
        match outcome {
            Outcome::Delivered { .. } => counts.acknowledged += 1,
            Outcome::GivenUp { .. } => counts.given_up += 1,
            Outcome::AdminEmailed { .. } => counts.admin_emailed += 1,
            Outcome::Forgotten { .. } | Outcome::Unregistered { .. } => counts.forgotten += 1,
        }
        match outcome {
            Outcome::Delivered { .. } => {
                if let Some(bodies) = &mut book.bodies {
                    let place = bodies.len();
                    bodies.entry(hook.clone()).or_insert((place, 0)).1 += 1;
                }
            }
            Outcome::GivenUp { last, .. } | Outcome::AdminEmailed { last, .. } => {
                book.last_failure = Some(last.clone())
            }
            Outcome::Forgotten { .. } => book.last_failure = Some(Reply::Status(410)),
            // Whoever deleted the webhook knows.
            Outcome::Unregistered { .. } => {}
        }
    }

    /// All of it in one.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in self.book().counts.values() {
            total.add(counts);
        }
        total
    }

    /// Per vendor and event type, in that order.
    pub fn by_event(&self) -> BTreeMap<(Vendor, String), Counts> {
        self.book().counts.clone()
    }

    /// Every acknowledged body, in the order of first acknowledgement. Empty unless made by [`Tally::keeping_bodies`].
    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        let book = self.book();
        let mut placed: Vec<(usize, Acknowledged)> = book
            .bodies
            .iter()
            .flatten()
            .map(|(hook, &(place, times))| (place, Acknowledged { hook: hook.clone(), times }))
            .collect();
        placed.sort_by_key(|(place, _)| *place);
        placed.into_iter().map(|(_, acknowledged)| acknowledged).collect()
    }

    /// Whether every delivery that was begun was acknowledged.
    pub fn all_acknowledged(&self) -> bool {
        let total = self.total();
        total.acknowledged == total.sent
    }

    /// The last reply that was no acknowledgement: what to look at first when something is wrong.
    pub fn last_failure(&self) -> Option<Reply> {
        self.book().last_failure.clone()
    }

    /// The counts stay right when a thread panics midway: each change is a single addition.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
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
    fn counts_deliveries_by_their_end() {
        let tally = Tally::new();
        let (a, b) = (hook(Vendor::Arcsite, "1"), hook(Vendor::Bidsketch, "2"));
        for hook in [&a, &b, &b, &b] {
            tally.begun(hook);
        }
        tally.ended(&a, &Outcome::Delivered { status: 200, attempts: 1 });
        tally.ended(&b, &Outcome::AdminEmailed { attempts: 20, last: Reply::TimedOut });
        tally.ended(&b, &Outcome::Forgotten { attempts: 1 });
        let total = tally.total();
        assert_eq!((total.sent, total.acknowledged, total.admin_emailed, total.forgotten), (4, 1, 1, 1));
        assert_eq!(total.unfinished(), 1);
        assert_eq!(tally.by_event().len(), 2);
        assert!(!tally.all_acknowledged());
        assert!(tally.acknowledged().is_empty(), "no bodies are kept unless asked");
    }

    #[test]
    fn bodies_are_kept_in_order_with_their_number() {
        let tally = Tally::keeping_bodies();
        let (first, second) = (hook(Vendor::Arcsite, "z"), hook(Vendor::Arcsite, "a"));
        for hook in [&first, &second, &first] {
            tally.begun(hook);
            tally.ended(hook, &Outcome::Delivered { status: 200, attempts: 1 });
        }
        let kept = tally.acknowledged();
        assert_eq!(kept, [Acknowledged { hook: first, times: 2 }, Acknowledged { hook: second, times: 1 }]);
        assert!(tally.all_acknowledged());
    }
}
