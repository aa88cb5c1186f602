//! A world in which webhooks happen: a contractor who draws and sells with ArcSite, and an agency that sends its
//! proposals with Bidsketch.
//!
//! Things live coherent lives. A client is made before its proposals; a proposal is sent before it is viewed and viewed
//! before it is decided; a project gets drawings, then an estimate, then payments that add up to what was agreed. Every
//! step is one moment: its hooks carry that moment, and no `updated_at` ever goes back.
//!
//! - `agency`, `deal`: Bidsketch's side; a deal is one proposal's life.
//! - `contractor`, `job`, `estimate`: ArcSite's side; a job is one project's life, an estimate its proposal's hooks.
//! - `every`: one hook of each type, outside of any life.

mod agency;
mod contractor;
mod deal;
mod estimate;
mod every;
mod job;

use chrono::{DateTime, TimeDelta, Utc};

use self::agency::Agency;
use self::contractor::Contractor;
pub use self::every::{every_event, every_event_at};
use crate::hook::{Hook, Vendor};
use crate::sample::Sampler;

/// How many lives of one kind go on at once. It bounds memory: a simulator can run for weeks.
const AT_ONCE: usize = 40;

/// What every part of the world shares: chance, and what time it is there.
#[derive(Debug)]
struct Scene {
    sampler: Sampler,
    now: DateTime<Utc>,
}

impl Scene {
    /// Now, or a second after `last` when that is later: what changes twice in a second still has two times.
    fn after(&self, last: DateTime<Utc>) -> DateTime<Utc> {
        self.now.max(last + TimeDelta::seconds(1))
    }
}

/// The world. One seed and start give the same hooks in the same order, byte for byte.
#[derive(Debug)]
pub struct Office {
    scene: Scene,
    contractor: Contractor,
    agency: Agency,
    only: Option<Vendor>,
}

impl Office {
    /// A world where nothing has happened yet.
    pub fn new(seed: u64, start: DateTime<Utc>) -> Office {
        let mut sampler = Sampler::new(seed);
        let contractor = Contractor::new(&mut sampler);
        let agency = Agency::new(&mut sampler);
        Office { scene: Scene { sampler, now: start }, contractor, agency, only: None }
    }

    /// The same world with one vendor only.
    #[must_use]
    pub fn only(mut self, vendor: Vendor) -> Office {
        self.only = Some(vendor);
        self
    }

    /// The next thing that happens, some seconds to two minutes after the last: at least one hook. Several are one
    /// moment, in the order in which the vendor would send them.
    pub fn next_hooks(&mut self) -> Vec<Hook> {
        let seconds = i64::try_from(self.scene.sampler.between(1, 120)).unwrap_or(1);
        let now = self.scene.now + TimeDelta::seconds(seconds);
        self.next_hooks_at(now)
    }

    /// The next thing that happens, at `now`; at the world's own time if that is later, for time never goes back.
    pub fn next_hooks_at(&mut self, now: DateTime<Utc>) -> Vec<Hook> {
        self.scene.now = self.scene.now.max(now);
        loop {
            let vendor = match self.only {
                Some(vendor) => vendor,
                None if self.scene.sampler.chance(0.5) => Vendor::Arcsite,
                None => Vendor::Bidsketch,
            };
            let hooks = match vendor {
                Vendor::Arcsite => self.contractor.step(&mut self.scene),
                Vendor::Bidsketch => self.agency.step(&mut self.scene),
            };
            // A life can end without a hook; then something else happens.
            if !hooks.is_empty() {
                return hooks;
            }
        }
    }

    /// The world as an endless run of hooks, one by one, each at the time that `clock` tells.
    pub fn into_hooks(mut self, mut clock: impl FnMut() -> DateTime<Utc>) -> impl Iterator<Item = Hook> {
        std::iter::repeat_with(move || self.next_hooks_at(clock())).flatten()
    }
}

#[cfg(test)]
mod tests;
