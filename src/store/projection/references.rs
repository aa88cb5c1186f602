//! Completing what an event belongs to from what is known when it is recorded: a payment names no project, its proposal
//! does. The result is written on the event's row and never changes, so that a replay gives what the live stream gave.

use entity::{drawing, proposal};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::domain::{Provider, References, VendorId};
use crate::store::StoreError;

type Links = (Option<String>, Option<String>, Option<String>);

/// Fills in the ids that the payload does not name but the projections know.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn complete<C: ConnectionTrait>(
    db: &C,
    provider: Provider,
    references: &mut References,
) -> Result<(), StoreError> {
    let wanted = match provider {
        Provider::Arcsite => references.project.is_none() || references.drawing.is_none(),
        Provider::Bidsketch => references.client.is_none(),
    };
    if let Some(id) = references.proposal.as_ref().filter(|_| wanted) {
        let links: Option<Links> = proposal::Entity::find()
            .select_only()
            .columns([
                proposal::Column::ClientVendorId,
                proposal::Column::ProjectVendorId,
                proposal::Column::DrawingVendorId,
            ])
            .filter(proposal::Column::Provider.eq(provider.as_str()))
            .filter(proposal::Column::VendorId.eq(id.as_str()))
            .into_tuple()
            .one(db)
            .await?;
        if let Some((client, project, drawing)) = links {
            fill(&mut references.client, client);
            fill(&mut references.project, project);
            fill(&mut references.drawing, drawing);
        }
    }
    if let Some(id) = references.drawing.as_ref().filter(|_| references.project.is_none()) {
        let project: Option<Option<String>> = drawing::Entity::find_by_id(id.as_str())
            .select_only()
            .column(drawing::Column::ProjectVendorId)
            .into_tuple()
            .one(db)
            .await?;
        fill(&mut references.project, project.flatten());
    }
    Ok(())
}

fn fill(reference: &mut Option<VendorId>, known: Option<String>) {
    if reference.is_none() {
        *reference = known.map(VendorId::from_stored);
    }
}
