//! What the API takes: filters and orders. This file has the filters of events, and reads the node ids in filters.

use async_graphql::{ID, InputObject};

mod lists;
mod orders;

pub(crate) use lists::{ClientFilter, DrawingFilter, ProjectFilter, ProposalFilter};
pub(crate) use orders::{ClientOrder, DrawingOrder, ProjectOrder, ProposalOrder};

use super::model::enums::{EventKind, ProposalStatus, Provider};
use super::model::scalar::DateTime;
use crate::domain::{self, NodeId, VendorId};
use crate::graphql::error::ApiError;
use crate::store::read;

/// Which events are asked for. All conditions must hold; a list is met by any of its values, an empty list by none.
#[derive(Debug, Default, InputObject)]
pub(crate) struct EventFilter {
    /// From one of these vendors.
    provider: Option<Vec<Provider>>,
    /// Of one of these kinds.
    kind: Option<Vec<EventKind>>,
    /// Of this proposal, by its node id.
    proposal_id: Option<ID>,
    /// Of this client and its proposals, by its node id.
    client_id: Option<ID>,
    /// Of this project, its drawings and its proposals, by its node id.
    project_id: Option<ID>,
    /// Of this drawing, by its node id.
    drawing_id: Option<ID>,
    /// Received at this time or later.
    received_from: Option<DateTime>,
    /// Received before this time.
    received_before: Option<DateTime>,
}

/// Which events of proposals are asked for. All conditions must hold; a list is met by any of its values, an empty list by
/// none.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ProposalEventFilter {
    /// From one of these vendors.
    provider: Option<Vec<Provider>>,
    /// Of one of these kinds; kinds that are not of proposals never come.
    kind: Option<Vec<EventKind>>,
    /// With one of these statuses, as the event gave it.
    status: Option<Vec<ProposalStatus>>,
    /// Of this proposal, by its node id.
    proposal_id: Option<ID>,
    /// Of this client's proposals, by the client's node id.
    client_id: Option<ID>,
    /// Of this project's proposals, by the project's node id.
    project_id: Option<ID>,
}

impl TryFrom<EventFilter> for read::EventFilter {
    type Error = ApiError;

    fn try_from(filter: EventFilter) -> Result<Self, ApiError> {
        Ok(Self {
            providers: to_domain_list(filter.provider),
            kinds: to_domain_list(filter.kind),
            statuses: None,
            proposal: parse_proposal_id("proposalId", filter.proposal_id)?,
            client: parse_client_id("clientId", filter.client_id)?,
            project: parse_project_id("projectId", filter.project_id)?,
            drawing: parse_drawing_id("drawingId", filter.drawing_id)?,
            received_from: filter.received_from.map(|time| time.0),
            received_before: filter.received_before.map(|time| time.0),
        })
    }
}

impl TryFrom<ProposalEventFilter> for read::EventFilter {
    type Error = ApiError;

    fn try_from(filter: ProposalEventFilter) -> Result<Self, ApiError> {
        let mut kinds = domain::EventKind::proposal_kinds();
        if let Some(asked) = to_domain_list::<_, domain::EventKind>(filter.kind) {
            kinds.retain(|kind| asked.contains(kind));
        }
        Ok(Self {
            providers: to_domain_list(filter.provider),
            kinds: Some(kinds),
            statuses: to_domain_list(filter.status),
            proposal: parse_proposal_id("proposalId", filter.proposal_id)?,
            client: parse_client_id("clientId", filter.client_id)?,
            project: parse_project_id("projectId", filter.project_id)?,
            ..Self::default()
        })
    }
}

fn to_domain_list<T, U: From<T>>(values: Option<Vec<T>>) -> Option<Vec<U>> {
    values.map(|values| values.into_iter().map(U::from).collect())
}

/// Reads the node id in an argument, which must be of the kind that `select` takes.
fn parse_node_id<T>(
    argument: &str,
    id: Option<ID>,
    example: &str,
    select: impl Fn(NodeId) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let Some(id) = id else { return Ok(None) };
    let wrong =
        || ApiError::BadUserInput(format!("`{argument}` must be a node id like {example}, it is {:?}", id.as_str()));
    id.parse().ok().and_then(select).map(Some).ok_or_else(wrong)
}

fn parse_proposal_id(argument: &str, id: Option<ID>) -> Result<Option<(domain::Provider, VendorId)>, ApiError> {
    parse_node_id(argument, id, "proposal:bidsketch:11051955", |id| {
        if let NodeId::Proposal(provider, id) = id { Some((provider, id)) } else { None }
    })
}

fn parse_client_id(argument: &str, id: Option<ID>) -> Result<Option<VendorId>, ApiError> {
    parse_node_id(argument, id, "client:4815162342", |id| if let NodeId::Client(id) = id { Some(id) } else { None })
}

fn parse_project_id(argument: &str, id: Option<ID>) -> Result<Option<VendorId>, ApiError> {
    parse_node_id(
        argument,
        id,
        "project:36029621652695040",
        |id| if let NodeId::Project(id) = id { Some(id) } else { None },
    )
}

fn parse_drawing_id(argument: &str, id: Option<ID>) -> Result<Option<VendorId>, ApiError> {
    parse_node_id(
        argument,
        id,
        "drawing:36029621652695041",
        |id| if let NodeId::Drawing(id) = id { Some(id) } else { None },
    )
}
