//! Made-up data: people, places, works and amounts, drawn from a seed.
//!
//! None of these people exist: e-mail addresses are at `example.com` and `.example`, telephone
//! numbers are from the range reserved for fiction (555-01xx). Some names and notes hold characters
//! that careless code gets wrong.

pub(crate) mod people;
pub(crate) mod works;

pub use people::{Person, Place};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
pub use works::Work;

use crate::id::Id;

/// The source of all randomness. One seed gives one sequence, on every machine and with every
/// version of `rand`, because the generator is a named, portable one.
#[derive(Clone, Debug)]
pub struct Sampler {
    random: Xoshiro256PlusPlus,
}

impl Sampler {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Sampler {
        Sampler { random: Xoshiro256PlusPlus::seed_from_u64(seed) }
    }

    /// True in this share of cases (0 never, 1 always; clamped to that range).
    pub fn chance(&mut self, share: f64) -> bool {
        self.random.random_bool(share.clamp(0.0, 1.0))
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.random.random_range(low..=high.max(low))
    }

    /// An index into a list of `len` things; 0 for an empty one.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        if len == 0 { 0 } else { self.random.random_range(0..len) }
    }

    /// One of a list of texts.
    pub(crate) fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from.get(self.index(from.len())).copied().unwrap_or("")
    }

    /// `Some` in this share of cases: most of the vendors' fields are optional.
    pub(crate) fn maybe<T>(&mut self, share: f64, make: impl FnOnce(&mut Sampler) -> T) -> Option<T> {
        self.chance(share).then(|| make(self))
    }

    /// A text of this length in the URL-safe alphabet, for signatures in links.
    pub(crate) fn letters(&mut self, len: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~";
        (0..len).map(|_| char::from(ALPHABET[self.index(ALPHABET.len())])).collect()
    }

    /// Sometimes the id as a string, mostly as a number: see [`Id`].
    pub(crate) fn spelled(&mut self, id: &Id) -> Id {
        if self.chance(0.12) { id.as_text() } else { id.clone() }
    }
}

/// Ids that increase, as a vendor's do, so they are unique in a world.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    last: u64,
    step_max: u64,
}

impl Ids {
    /// Starts ArcSite's ids, above 2^53: too large for a float.
    pub(crate) fn arcsite(sampler: &mut Sampler) -> Ids {
        Ids { last: sampler.between(1 << 55, (1 << 56) - 1), step_max: 1 << 16 }
    }

    /// Starts Bidsketch's ids, above 2^32: too large for 32 bits.
    pub(crate) fn bidsketch(sampler: &mut Sampler) -> Ids {
        Ids { last: sampler.between(1 << 32, 1 << 40), step_max: 40 }
    }

    pub(crate) fn next(&mut self, sampler: &mut Sampler) -> u64 {
        self.last += sampler.between(1, self.step_max);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampler_with_equal_seed_repeats_its_sequence() {
        let draw = |seed| {
            let mut sampler = Sampler::new(seed);
            (Person::sample(&mut sampler), Place::sample(&mut sampler), Work::sample(&mut sampler))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn ids_increase_beyond_narrow_types() {
        let mut sampler = Sampler::new(1);
        let mut ids = Ids::arcsite(&mut sampler);
        let (a, b) = (ids.next(&mut sampler), ids.next(&mut sampler));
        assert!(a > 1 << 53 && b > a);
        assert!(Ids::bidsketch(&mut sampler).next(&mut sampler) > u64::from(u32::MAX));
    }
}
