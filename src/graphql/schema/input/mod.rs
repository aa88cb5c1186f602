//! The inputs of the API: filters and orders. This file has the filters of events, and parses the
//! node ids in filters.

use async_graphql::{ID, InputObject};

mod audit;
mod lists;
mod orders;

pub(crate) use audit::AuditFilter;
pub(crate) use lists::{ClientFilter, DeliveryFilter, DrawingFilter, PaymentFilter, ProjectFilter, ProposalFilter};
pub(crate) use orders::{ClientOrder, DrawingOrder, ProjectOrder, ProposalOrder};

use super::model::enums::{EventKind, ProposalStatus, Provider};
use super::model::scalar::DateTime;
use crate::domain::{self, NodeId, VendorId};
use crate::graphql::error::{ApiError, excerpt};
use crate::store::read;

/// Which events: those that meet every condition that is given. A condition that is left out or
/// null is not one; without any, all events match. A list means any of its values; an empty list
/// matches nothing. Every condition but `redelivered` judges the event as it was recorded.
#[derive(Debug, Default, InputObject)]
pub(crate) struct EventFilter {
    /// The vendor is one of these.
    provider: Option<Vec<Provider>>,
    /// The kind is one of these.
    kind: Option<Vec<EventKind>>,
    /// It is about the proposal with this node id, or a payment on it:
    /// `proposal:bidsketch:11051955`.
    proposal_id: Option<ID>,
    /// It is about the client with this node id, or one of its proposals: `client:4815162342`.
    client_id: Option<ID>,
    /// It is about the project with this node id, or one of its drawings or proposals:
    /// `project:36029621652695040`.
    project_id: Option<ID>,
    /// It is about the drawing with this node id, or a proposal made from it:
    /// `drawing:36029621652695041`.
    drawing_id: Option<ID>,
    /// `receivedAt` is this time or later.
    received_from: Option<DateTime>,
    /// `receivedAt` is before this time.
    received_before: Option<DateTime>,
    /// The status that the event gave its proposal is one of these.
    status: Option<Vec<ProposalStatus>>,
    /// The kind is none of these. An empty list excludes nothing.
    kind_not: Option<Vec<EventKind>>,
    /// The vendor's own type of its first delivery is one of these: `proposal_accepted`. Case
    /// counts.
    vendor_type: Option<Vec<String>>,
    /// The body contains this text exactly as the vendor sent it, in `payload` or in what stands
    /// around it, except for the name of the event. Case counts, and a letter that the vendor wrote
    /// as an escape does not match. It has 3 to 200 characters, not counting white space at its
    /// ends. No index answers it: `events` searches from its cursor on, the newest first, and is
    /// refused with LIMIT_EXCEEDED if it has to read more events than a request may read rows.
    /// Search fewer of them, with a range of time or a kind. A page of `eventFeed` may end early
    /// instead, with `caughtUp` false.
    payload_contains: Option<String>,
    /// Whether a redelivery of it has arrived by the time at which it is read. A live event has
    /// none yet.
    redelivered: Option<bool>,
}

/// Which events of proposals: those that meet every condition that is given. A condition that is
/// left out or null is not one; without any, all of them match. A list means any of its values; an
/// empty list matches nothing. Every condition judges the event as it was recorded.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ProposalEventFilter {
    /// The vendor is one of these.
    provider: Option<Vec<Provider>>,
    /// The kind is one of these. A kind that is not about proposals matches nothing.
    kind: Option<Vec<EventKind>>,
    /// The status that the event gave the proposal is one of these.
    status: Option<Vec<ProposalStatus>>,
    /// It is about the proposal with this node id, or a payment on it:
    /// `proposal:bidsketch:11051955`.
    proposal_id: Option<ID>,
    /// It is about a proposal for the client with this node id: `client:4815162342`.
    client_id: Option<ID>,
    /// It is about a proposal of the project with this node id: `project:36029621652695040`.
    project_id: Option<ID>,
}

impl TryFrom<EventFilter> for read::EventFilter {
    type Error = ApiError;

    fn try_from(filter: EventFilter) -> Result<Self, ApiError> {
        let mut kinds = to_domain_list::<_, domain::EventKind>(filter.kind);
        if let Some(excluded) = to_domain_list::<_, domain::EventKind>(filter.kind_not) {
            let kinds = kinds.get_or_insert_with(|| domain::EventKind::ALL.to_vec());
            kinds.retain(|kind| !excluded.contains(kind));
        }
        Ok(Self {
            providers: to_domain_list(filter.provider),
            kinds,
            statuses: to_domain_list(filter.status),
            proposal: parse_proposal_id("proposalId", filter.proposal_id)?,
            client: parse_client_id("clientId", filter.client_id)?,
            project: parse_project_id("projectId", filter.project_id)?,
            drawing: parse_drawing_id("drawingId", filter.drawing_id)?,
            received_from: filter.received_from.map(|time| time.0),
            received_before: filter.received_before.map(|time| time.0),
            vendor_types: filter.vendor_type,
            payload_contains: filter.payload_contains.map(check_payload_part).transpose()?,
            redelivered: filter.redelivered,
        })
    }
}

impl TryFrom<ProposalEventFilter> for read::EventFilter {
    type Error = ApiError;

    fn try_from(filter: ProposalEventFilter) -> Result<Self, ApiError> {
        let mut kinds = domain::EventKind::proposal_kinds();
        if let Some(requested) = to_domain_list::<_, domain::EventKind>(filter.kind) {
            kinds.retain(|kind| requested.contains(kind));
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

/// How many characters `payloadContains` may have. Fewer would find nearly every event.
const PAYLOAD_PART_CHARS: std::ops::RangeInclusive<usize> = 3..=200;

fn check_payload_part(part: String) -> Result<String, ApiError> {
    if PAYLOAD_PART_CHARS.contains(&part.trim().chars().count()) {
        return Ok(part);
    }
    let (min, max) = (PAYLOAD_PART_CHARS.start(), PAYLOAD_PART_CHARS.end());
    let problem =
        format!("`payloadContains` must have {min} to {max} characters, not counting white space at its ends");
    Err(ApiError::BadUserInput(problem))
}

pub(super) fn to_domain_list<T, U: From<T>>(values: Option<Vec<T>>) -> Option<Vec<U>> {
    values.map(|values| values.into_iter().map(U::from).collect())
}

/// Parses the node id in an argument. `select` takes the one type that fits.
fn parse_node_id<T>(
    argument: &str,
    id: Option<ID>,
    example: &str,
    select: impl Fn(NodeId) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let Some(id) = id else { return Ok(None) };
    let invalid = || {
        ApiError::BadUserInput(format!("`{argument}` must be a node id such as {example}, it is {:?}", excerpt(&id)))
    };
    id.parse().ok().and_then(select).map(Some).ok_or_else(invalid)
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
