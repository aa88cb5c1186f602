//! Late, twice and out of order: how webhooks come in the world.

use std::time::Duration;

use crate::hook::Hook;
use crate::sample::Sampler;

/// What goes wrong on the way, and how often. Nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Disorder {
    /// A late hook is held back by a random time up to this.
    pub late_by: Duration,
    /// The share of hooks that are late (0 to 1).
    pub late: f64,
    /// The share of hooks that are sent a second time, as after a 200 that got lost on its way back (0 to 1).
    pub twice: f64,
    /// Hooks leave in random order within a window of so many; below 2, in their own order.
    pub shuffle: usize,
}

/// A hook and how long it is to wait once its turn has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// What to send.
    pub hook: Hook,
    /// How long to hold it back.
    pub after: Duration,
}

impl Disorder {
    /// The same hooks with this disorder: none is lost, some come twice. The same seed gives the same disorder. It takes
    /// from `hooks` no more than the window holds before it gives the first.
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
        let most = u64::try_from(self.disorder.late_by.as_millis()).unwrap_or(u64::MAX);
        let after = if late { Duration::from_millis(self.sampler.between(0, most)) } else { Duration::ZERO };
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
    fn no_disorder_changes_nothing() {
        let all: Vec<Hook> = planned(Disorder::default(), 1).into_iter().map(|planned| planned.hook).collect();
        assert_eq!(all, every_event(1));
    }

    #[test]
    fn shuffling_loses_nothing_and_follows_its_seed() {
        let disorder = Disorder { shuffle: 8, ..Disorder::default() };
        let all = planned(disorder, 1);
        assert_eq!(all, planned(disorder, 1));
        assert_ne!(all, planned(disorder, 2));
        let hooks: Vec<Hook> = all.into_iter().map(|planned| planned.hook).collect();
        assert_ne!(hooks, every_event(1));
        assert_eq!(sorted(hooks), sorted(every_event(1)));
    }

    #[test]
    fn always_twice_is_twice_as_many() {
        let all = planned(Disorder { twice: 1.0, ..Disorder::default() }, 1);
        assert_eq!(all.len(), 2 * every_event(1).len());
        assert_eq!(all[0], all[1]);
    }

    #[test]
    fn late_hooks_wait_no_longer_than_said() {
        let late_by = Duration::from_secs(30);
        let all = planned(Disorder { late: 0.5, late_by, ..Disorder::default() }, 1);
        assert!(all.iter().any(|planned| planned.after.is_zero()));
        assert!(all.iter().any(|planned| !planned.after.is_zero()));
        assert!(all.iter().all(|planned| planned.after <= late_by));
    }
}
