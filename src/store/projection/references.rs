//! Completes the references of an event from the projections at the time of its recording: a
//! payment does not name its project, but its proposal does. The result is stored on the event's
//! row and never changes, so that a replay gives the same as the live stream.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait;

use super::Projections;
use crate::domain::{Provider, References, VendorId};
use crate::store::StoreError;

impl Projections {
    /// Adds the ids that the payload does not name but the projections know.
    pub async fn complete_references<C: ConnectionTrait>(
        &mut self,
        db: &C,
        provider: Provider,
        references: &mut References,
    ) -> Result<(), StoreError> {
        if let Some(id) = proposal_to_consult(provider, references) {
            self.proposals_mut(provider).fetch(db, BTreeSet::from([id]), BTreeSet::new()).await?;
        }
        self.complete_from_proposal(provider, references);
        if let Some(id) = drawing_to_consult(references) {
            self.drawings.fetch(db, BTreeSet::from([id]), BTreeSet::new()).await?;
        }
        self.complete_from_drawing(references);
        Ok(())
    }

    /// The same, from a loaded proposal.
    pub(super) fn complete_from_proposal(&self, provider: Provider, references: &mut References) {
        if let Some(proposal) =
            proposal_to_consult(provider, references).and_then(|id| self.proposals(provider).loaded(id))
        {
            fill_missing(&mut references.client, proposal.client_vendor_id.as_ref());
            fill_missing(&mut references.project, proposal.project_vendor_id.as_ref());
            fill_missing(&mut references.drawing, proposal.drawing_vendor_id.as_ref());
        }
    }

    /// The same, from a loaded drawing.
    pub(super) fn complete_from_drawing(&self, references: &mut References) {
        if let Some(drawing) = drawing_to_consult(references).and_then(|id| self.drawings.loaded(id)) {
            fill_missing(&mut references.project, drawing.project_vendor_id.as_ref());
        }
    }
}

/// The proposal that may know the missing ids.
fn proposal_to_consult(provider: Provider, references: &References) -> Option<&VendorId> {
    let is_incomplete = match provider {
        Provider::Arcsite => references.project.is_none() || references.drawing.is_none(),
        Provider::Bidsketch => references.client.is_none(),
    };
    references.proposal.as_ref().filter(|_| is_incomplete)
}

/// The drawing that may know the missing project.
fn drawing_to_consult(references: &References) -> Option<&VendorId> {
    references.drawing.as_ref().filter(|_| references.project.is_none())
}

fn fill_missing(reference: &mut Option<VendorId>, known: Option<&String>) {
    if reference.is_none() {
        *reference = known.cloned().map(VendorId::from_stored);
    }
}
