//! Disorder: hooks that arrive late, twice or out of order, as real webhooks do.

use std::time::Duration;

use crate::hook::Hook;
use crate::sample::Sampler;

/// The disorder of hooks in transit. None by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Disorder {
    /// The longest delay of a late hook. The delay is random.
    pub late_by: Duration,
    /// The share of hooks that are late (0 to 1).
    pub late: f64,
    /// The share of hooks that are sent a second time, as after a 200 that was lost (0 to 1).
    pub twice: f64,
    /// The window within which hooks are sent in random order. Below 2, they keep their order.
    pub shuffle: usize,
}

/// A hook with its delay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The hook to send.
    pub hook: Hook,
    /// How long to delay it.
    pub after: Duration,
}

impl Disorder {
    /// Applies this disorder to hooks: none is lost, some are repeated. The same seed gives the
    /// same disorder. Before it returns the first hook, it takes no more from `hooks` than the
    /// window holds.
    pub fn over<I: Iterator<Item = Hook>>(self, hooks: I, seed: u64) -> Disordered<I> {
        Disordered { disorder: self, hooks, window: Vec::new(), sampler: Sampler::new(seed) }
    }
}

/// See [`Disorder::over`].
#[derive(Debug)]
pub struct Disordered<I> {
    disorder: Disorder,
    hooks: I,
    window: Vec<Hook>,
    sampler: Sampler,
}

impl<I: Iterator<Item = Hook>> Iterator for Disordered<I> {
    type Item = Planned;

    fn next(&mut self) -> Option<Planned> {
        while self.window.len() < self.disorder.shuffle.max(1) {
            let Some(hook) = self.hooks.next() else { break };
            if self.sampler.chance(self.disorder.twice) {
                self.window.push(hook.clone());
            }
            self.window.push(hook);
        }
        if self.window.is_empty() {
            return None;
        }
        let at = if self.disorder.shuffle > 1 { self.sampler.index(self.window.len()) } else { 0 };
        let hook = self.window.remove(at);
        let late = self.sampler.chance(self.disorder.late);
        let late_by_ms = u64::try_from(self.disorder.late_by.as_millis()).unwrap_or(u64::MAX);
        let after = if late { Duration::from_millis(self.sampler.between(0, late_by_ms)) } else { Duration::ZERO };
        Some(Planned { hook, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office::every_event;

    fn planned(disorder: Disorder, seed: u64) -> Vec<Planned> {
        disorder.over(every_event(1).into_iter(), seed).collect()
    }

    fn sorted(hooks: impl IntoIterator<Item = Hook>) -> Vec<String> {
        let mut bodies: Vec<String> = hooks.into_iter().map(|hook| hook.body).collect();
        bodies.sort();
        bodies
    }

    #[test]
    fn default_disorder_changes_nothing() {
        let all: Vec<Hook> = planned(Disorder::default(), 1).into_iter().map(|planned| planned.hook).collect();
        assert_eq!(all, every_event(1));
    }

    #[test]
    fn shuffled_hooks_are_complete_and_follow_the_seed() {
        let disorder = Disorder { shuffle: 8, ..Disorder::default() };
        let all = planned(disorder, 1);
        assert_eq!(all, planned(disorder, 1));
        assert_ne!(all, planned(disorder, 2));
        let hooks: Vec<Hook> = all.into_iter().map(|planned| planned.hook).collect();
        assert_ne!(hooks, every_event(1));
        assert_eq!(sorted(hooks), sorted(every_event(1)));
    }

    #[test]
    fn repeat_share_of_one_doubles_the_hooks() {
        let all = planned(Disorder { twice: 1.0, ..Disorder::default() }, 1);
        assert_eq!(all.len(), 2 * every_event(1).len());
        assert_eq!(all[0], all[1]);
    }

    #[test]
    fn late_hook_delay_stays_within_its_limit() {
        let late_by = Duration::from_secs(30);
        let all = planned(Disorder { late: 0.5, late_by, ..Disorder::default() }, 1);
        assert!(all.iter().any(|planned| planned.after.is_zero()));
        assert!(all.iter().any(|planned| !planned.after.is_zero()));
        assert!(all.iter().all(|planned| planned.after <= late_by));
    }
}
