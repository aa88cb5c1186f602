//! Which events are asked for. Every condition is on the event's own row, so that a replay gives what the live stream
//! gave.

use entity::event::Column;
use sea_orm::{ColumnTrait, Condition};

use crate::clock::Time;
use crate::domain::{EventKind, ProposalStatus, Provider, VendorId};
use crate::store::convert::micros;

/// Conditions that must all hold; `None` asks for nothing, an empty list is met by no event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of one of these vendors.
    pub providers: Option<Vec<Provider>>,
    /// Of one of these kinds.
    pub kinds: Option<Vec<EventKind>>,
    /// With one of these statuses, as the event gave it.
    pub statuses: Option<Vec<ProposalStatus>>,
    /// Of this proposal.
    pub proposal: Option<(Provider, VendorId)>,
    /// Of this Bidsketch client, its proposals included.
    pub client: Option<VendorId>,
    /// Of this ArcSite project, its drawings and proposals included.
    pub project: Option<VendorId>,
    /// Of this ArcSite drawing.
    pub drawing: Option<VendorId>,
    /// Received at this time or later.
    pub received_from: Option<Time>,
    /// Received before this time.
    pub received_before: Option<Time>,
}

impl EventFilter {
    pub(super) fn condition(&self) -> Condition {
        let among = |column: Column, names: Option<Vec<&'static str>>| names.map(|names| column.is_in(names));
        let id = |column: Column, id: &Option<VendorId>| id.as_ref().map(|id| column.eq(id.as_str()));
        let proposal = self.proposal.as_ref();
        Condition::all()
            .add_option(among(Column::Provider, names(&self.providers, Provider::as_str)))
            .add_option(among(Column::Kind, names(&self.kinds, EventKind::as_str)))
            .add_option(among(Column::Status, names(&self.statuses, ProposalStatus::as_str)))
            .add_option(proposal.map(|(provider, _)| Column::Provider.eq(provider.as_str())))
            .add_option(proposal.map(|(_, id)| Column::ProposalVendorId.eq(id.as_str())))
            .add_option(id(Column::ClientVendorId, &self.client))
            .add_option(id(Column::ProjectVendorId, &self.project))
            .add_option(id(Column::DrawingVendorId, &self.drawing))
            .add_option(self.received_from.map(|from| Column::ReceivedAt.gte(micros(from))))
            .add_option(self.received_before.map(|before| Column::ReceivedAt.lt(micros(before))))
    }
}

fn names<T: Copy>(values: &Option<Vec<T>>, name: impl Fn(T) -> &'static str) -> Option<Vec<&'static str>> {
    values.as_ref().map(|values| values.iter().map(|value| name(*value)).collect())
}
