//! A job: the history of one ArcSite project, from the first visit to the last payment.

use super::Scene;
use super::estimate::Estimate;
use crate::arcsite::{Address, Customer, Drawing, Project, SalesRep};
use crate::hook::Hook;
use crate::sample::works::{drawing_name, tags};
use crate::sample::{Ids, Person, Place, Work};

/// How many drawings a job has at most.
const DRAWINGS_MAX: usize = 4;

#[derive(Debug)]
pub(super) struct Job {
    project: Project,
    drawings: Vec<Drawing>,
    /// The current estimate. None during the survey.
    estimate: Option<Estimate>,
    changes_left: u32,
    over: bool,
}

impl Job {
    /// Opens a job with a new project.
    pub(super) fn open(scene: &mut Scene, ids: &mut Ids) -> (Job, Vec<Hook>) {
        let project = project(scene, ids);
        let hooks = vec![project.created()];
        let changes_left = u32::from(scene.sampler.chance(0.25));
        (Job { project, drawings: Vec::new(), estimate: None, changes_left, over: false }, hooks)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Advances the job: survey and drawings, then the estimate; after the last payment sometimes a
    /// change order, then the end.
    pub(super) fn advance(&mut self, scene: &mut Scene, ids: &mut Ids) -> Vec<Hook> {
        let Some(estimate) = &mut self.estimate else {
            return self.survey(scene, ids);
        };
        let hooks = estimate.advance(scene, ids);
        if hooks.is_empty() {
            if estimate.was_approved() && self.changes_left > 0 {
                self.changes_left -= 1;
                let change = Estimate::open(&self.project, &self.drawings, Some(estimate.id()), scene, ids);
                let hooks = vec![change.announced()];
                self.estimate = Some(change);
                return hooks;
            }
            self.over = true;
        }
        hooks
    }

    fn survey(&mut self, scene: &mut Scene, ids: &mut Ids) -> Vec<Hook> {
        let has_room = self.drawings.len() < DRAWINGS_MAX;
        if self.drawings.is_empty() || (has_room && scene.sampler.chance(0.35)) {
            let drawing = drawing(&self.project, scene, ids);
            let hooks = vec![drawing.created()];
            self.drawings.push(drawing);
            return hooks;
        }
        if scene.sampler.chance(0.4) {
            let index = scene.sampler.index(self.drawings.len());
            let drawing = &mut self.drawings[index];
            // Uploaded again. About half of the uploads change only the links.
            if scene.sampler.chance(0.5) {
                drawing.tags = tags(&mut scene.sampler);
                drawing.name = drawing_name(&mut scene.sampler);
                drawing.version += 1;
            }
            sign_links(drawing, scene);
            return vec![drawing.updated()];
        }
        if scene.sampler.chance(0.35) {
            self.project.updated_at = scene.after(self.project.updated_at);
            self.project.tags = tags(&mut scene.sampler);
            self.project.job_number.get_or_insert_with(|| "144112".to_owned());
            return vec![self.project.updated()];
        }
        let estimate = Estimate::open(&self.project, &self.drawings, None, scene, ids);
        let hooks = vec![estimate.announced()];
        self.estimate = Some(estimate);
        hooks
    }
}

/// Draws a project with most optional fields, sometimes in the vendor's other spellings.
pub(super) fn project(scene: &mut Scene, ids: &mut Ids) -> Project {
    let sampler = &mut scene.sampler;
    let (person, work) = (Person::sample(sampler), Work::sample(sampler));
    let mut project = Project::new(ids.next(sampler), &format!("{} ({})", work.name, person.last_name), scene.now);
    project.job_number = sampler.maybe(0.7, |sampler| sampler.between(100_000, 199_999).to_string());
    project.customer = sampler.maybe(0.9, |sampler| Customer {
        name: Some(person.name()),
        phone: Some(person.phone.clone()),
        second_phone: sampler.maybe(0.3, |_| "1122".to_owned()),
        email: sampler.maybe(0.8, |_| person.email.clone()),
        second_email: None,
        address: sampler.maybe(0.5, |sampler| address(Place::sample(sampler))),
    });
    project.work_site_address = sampler.maybe(0.8, |sampler| address(Place::sample(sampler)));
    project.sales_rep = sampler.maybe(0.8, |sampler| {
        let seller = Person::sample(sampler);
        SalesRep { name: Some(seller.name()), email: Some(seller.email), phone: sampler.maybe(0.6, |_| seller.phone) }
    });
    project.tags = work.tags;
    project.id = sampler.spelled(&project.id);
    if sampler.chance(0.25) { project.respelled() } else { project }
}

fn address(place: Place) -> Address {
    Address {
        street: Some(place.street),
        city: Some(place.city),
        county: Some(place.county),
        countity: None,
        state: Some(place.state),
        capital_state: None,
        zip_code: Some(place.zip_code),
    }
}

/// Draws a drawing with its links, or without some of them.
pub(super) fn drawing(project: &Project, scene: &mut Scene, ids: &mut Ids) -> Drawing {
    let sampler = &mut scene.sampler;
    let name = drawing_name(sampler);
    let mut drawing = Drawing::new(ids.next(sampler), sampler.spelled(&project.id), &name);
    drawing.file_name = Some(format!("{name}.arcsite"));
    drawing.tags = tags(sampler);
    sign_links(&mut drawing, scene);
    drawing
}

/// Signs the links now. One in eight is missing.
fn sign_links(drawing: &mut Drawing, scene: &mut Scene) {
    let (Scene { sampler, now, links }, id) = (scene, &drawing.id);
    let mut link = |kind: &str| {
        let path = format!("drawings/{id}/drawing.{kind}");
        sampler.maybe(0.875, |sampler| links.signed(&path, drawing.version, *now, sampler))
    };
    (drawing.pdf_url, drawing.png_url) = (link("pdf"), link("png"));
}
