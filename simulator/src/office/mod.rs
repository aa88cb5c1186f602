//! A world that produces hooks: a contractor who draws and sells with ArcSite, and an agency that
//! sends its proposals with Bidsketch.
//!
//! Histories are coherent. A client is created before its proposals; a proposal is sent before it
//! is viewed, and viewed before it is decided; a project gets drawings, then an estimate, then
//! payments that add up to the agreed total. Each step happens at one time, which its hooks carry,
//! and no `updated_at` ever decreases.
//!
//! - `agency`, `deal`: Bidsketch's side. A deal is the history of one proposal.
//! - `contractor`, `job`, `estimate`: ArcSite's side. A job is the history of one project, an
//!   estimate that of its proposal.
//! - `every`: one hook of each type, outside any history.

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
use crate::arcsite::Links;
use crate::hook::{Hook, Vendor};
use crate::sample::Sampler;

/// How many histories of one kind are open at once. It bounds memory, since a simulator can run for
/// weeks.
const OPEN_HISTORIES_MAX: usize = 40;

/// The state that all parts of the world share: randomness, time, and where links lead.
#[derive(Debug)]
struct Scene {
    sampler: Sampler,
    now: DateTime<Utc>,
    links: Links,
}

impl Scene {
    /// Now, or a second after `last` if that is later, so two changes within a second have
    /// different times.
    fn after(&self, last: DateTime<Utc>) -> DateTime<Utc> {
        self.now.max(last + TimeDelta::seconds(1))
    }
}

/// The world. An equal seed and start give the same hooks in the same order, byte for byte.
#[derive(Debug)]
pub struct Office {
    scene: Scene,
    contractor: Contractor,
    agency: Agency,
    only: Option<Vendor>,
}

impl Office {
    /// Creates a world without any history.
    pub fn new(seed: u64, start: DateTime<Utc>) -> Office {
        let mut sampler = Sampler::new(seed);
        let contractor = Contractor::new(&mut sampler);
        let agency = Agency::new(&mut sampler);
        let scene = Scene { sampler, now: start, links: Links::nowhere() };
        Office { scene, contractor, agency, only: None }
    }

    /// Lets the links of drawings and proposals lead to a server. The histories stay the same.
    #[must_use]
    pub fn with_links(mut self, links: Links) -> Office {
        self.scene.links = links;
        self
    }

    /// Limits the world to one vendor.
    #[must_use]
    pub fn only(mut self, vendor: Vendor) -> Office {
        self.only = Some(vendor);
        self
    }

    /// Makes the next step, some seconds to two minutes after the last: at least one hook. Several
    /// hooks are of one time, in the order in which the vendor would send them.
    pub fn next_hooks(&mut self) -> Vec<Hook> {
        let seconds = i64::try_from(self.scene.sampler.between(1, 120)).unwrap_or(1);
        let now = self.scene.now + TimeDelta::seconds(seconds);
        self.next_hooks_at(now)
    }

    /// Makes the next step at `now`, or at the world's time if that is later. Time never goes back.
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
            // A history can end without a hook. Then another step is made.
            if !hooks.is_empty() {
                return hooks;
            }
        }
    }

    /// Returns an endless iterator of hooks, each at the time of `clock`.
    pub fn into_hooks(mut self, mut clock: impl FnMut() -> DateTime<Utc>) -> impl Iterator<Item = Hook> {
        std::iter::repeat_with(move || self.next_hooks_at(clock())).flatten()
    }
}

#[cfg(test)]
mod tests;
