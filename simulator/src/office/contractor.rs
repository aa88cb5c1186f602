//! The contractor: the jobs that are going on.

use super::job::Job;
use super::{AT_ONCE, Scene};
use crate::hook::Hook;
use crate::sample::{Ids, Sampler};

#[derive(Debug)]
pub(super) struct Contractor {
    ids: Ids,
    jobs: Vec<Job>,
}

impl Contractor {
    pub(super) fn new(sampler: &mut Sampler) -> Contractor {
        Contractor { ids: Ids::arcsite(sampler), jobs: Vec::new() }
    }

    /// A job comes in, or one goes a step further.
    pub(super) fn step(&mut self, scene: &mut Scene) -> Vec<Hook> {
        if self.jobs.is_empty() || (self.jobs.len() < AT_ONCE && scene.sampler.chance(0.12)) {
            let (job, hooks) = Job::open(scene, &mut self.ids);
            self.jobs.push(job);
            return hooks;
        }
        let at = scene.sampler.index(self.jobs.len());
        let hooks = self.jobs[at].advance(scene, &mut self.ids);
        if self.jobs[at].is_over() {
            self.jobs.swap_remove(at);
        }
        hooks
    }
}
