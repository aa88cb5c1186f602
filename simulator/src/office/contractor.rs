//! The contractor: its open jobs.

use super::job::Job;
use super::{OPEN_HISTORIES_MAX, Scene};
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

    /// Opens a job, or advances one by a step.
    pub(super) fn step(&mut self, scene: &mut Scene) -> Vec<Hook> {
        if self.jobs.is_empty() || (self.jobs.len() < OPEN_HISTORIES_MAX && scene.sampler.chance(0.12)) {
            let (job, hooks) = Job::open(scene, &mut self.ids);
            self.jobs.push(job);
            return hooks;
        }
        let index = scene.sampler.index(self.jobs.len());
        let hooks = self.jobs[index].advance(scene, &mut self.ids);
        if self.jobs[index].is_over() {
            self.jobs.swap_remove(index);
        }
        hooks
    }
}
