//! The filters of the lists of deliveries, payments, projects, drawings, clients and proposals.

use async_graphql::{ID, InputObject};

use super::{parse_client_id, parse_project_id, parse_proposal_id, to_domain_list};
use crate::domain::fold;
use crate::graphql::error::ApiError;
use crate::graphql::schema::model::enums::{DeliveryOutcome, ProposalStatus, Provider, QuarantineReason};
use crate::graphql::schema::model::scalar::{DateTime, Decimal};
use crate::store::read;

/// The largest length of a folded `nameContains`, in characters.
const NAME_PART_CHARS_MAX: usize = 200;

/// Which deliveries: those that meet every condition that is given. A condition that is left out or
/// null is not one. A list means any of its values; an empty list matches nothing.
#[derive(Debug, Default, InputObject)]
pub(crate) struct DeliveryFilter {
    /// The outcome is one of these.
    outcome: Option<Vec<DeliveryOutcome>>,
    /// It was quarantined for one of these reasons.
    reason: Option<Vec<QuarantineReason>>,
    /// The vendor is one of these.
    provider: Option<Vec<Provider>>,
    /// `receivedAt` is this time or later.
    received_from: Option<DateTime>,
    /// `receivedAt` is before this time.
    received_before: Option<DateTime>,
}

/// Which payments: those that meet every condition that is given. A condition that is left out or
/// null is not one; without any, all payments match.
#[derive(Debug, Default, InputObject)]
pub(crate) struct PaymentFilter {
    /// It is on the proposal with this node id: `proposal:arcsite:36029621652695042`.
    proposal_id: Option<ID>,
    /// It is on a proposal that belongs to the project with this node id now:
    /// `project:36029621652695040`.
    project_id: Option<ID>,
    /// `paidAt` is this time or later, or the day `paidOn` begins then, in UTC. A payment with
    /// neither does not match.
    paid_from: Option<DateTime>,
    /// `paidAt` is before this time, or the day `paidOn` begins before it, in UTC. A payment with
    /// neither does not match.
    paid_before: Option<DateTime>,
    /// The amount is this or more.
    amount_at_least: Option<Decimal>,
}

/// Which projects: those whose current state meets every condition that is given. A condition that
/// is left out or null is not one; without any, all projects match.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ProjectFilter {
    /// The name of the project contains this text, ignoring case and how it was typed: `ü` as one
    /// letter or as two, `ﬁ` or `fi`, `ß` or `ss`, full-width or not, with or without invisible
    /// characters. At most 200 characters.
    name_contains: Option<String>,
    /// The job number is exactly this.
    job_number: Option<String>,
    /// One of its tags is exactly this.
    tag: Option<String>,
    /// `createdAt` is this time or later. For a project without `createdAt`, `firstSeenAt` counts.
    created_from: Option<DateTime>,
    /// `createdAt` is before this time. For a project without `createdAt`, `firstSeenAt` counts.
    created_before: Option<DateTime>,
}

/// Which drawings: those whose current state meets every condition that is given. A condition that
/// is left out or null is not one; without any, all drawings match.
#[derive(Debug, Default, InputObject)]
pub(crate) struct DrawingFilter {
    /// The name of the drawing contains this text, ignoring case and how it was typed: `ü` as one
    /// letter or as two, `ﬁ` or `fi`, `ß` or `ss`, full-width or not, with or without invisible
    /// characters. At most 200 characters.
    name_contains: Option<String>,
    /// It belongs to the project with this node id: `project:36029621652695040`.
    project_id: Option<ID>,
    /// One of its tags is exactly this.
    tag: Option<String>,
}

/// Which clients: those whose current state meets every condition that is given. A condition that
/// is left out or null is not one; without any, all clients match.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ClientFilter {
    /// The name of the client contains this text, ignoring case and how it was typed: `ü` as one
    /// letter or as two, `ﬁ` or `fi`, `ß` or `ss`, full-width or not, with or without invisible
    /// characters. At most 200 characters.
    name_contains: Option<String>,
    /// The e-mail address is this, ignoring case and how it was typed, as in `nameContains`.
    email: Option<String>,
    /// The city is this, ignoring case and how it was typed, as in `nameContains`.
    city: Option<String>,
}

/// Which proposals: those whose current state meets every condition that is given. A condition that
/// is left out or null is not one; without any, all proposals match. A list means any of its
/// values; an empty list matches nothing.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ProposalFilter {
    /// The vendor is one of these.
    provider: Option<Vec<Provider>>,
    /// The current status is one of these.
    status: Option<Vec<ProposalStatus>>,
    /// The name of the proposal contains this text, ignoring case and how it was typed: `ü` as one
    /// letter or as two, `ﬁ` or `fi`, `ß` or `ss`, full-width or not, with or without invisible
    /// characters. At most 200 characters.
    name_contains: Option<String>,
    /// It is for the Bidsketch client with this node id: `client:4815162342`.
    client_id: Option<ID>,
    /// It belongs to the ArcSite project with this node id: `project:36029621652695040`.
    project_id: Option<ID>,
    /// The total is this amount or more, in whatever currency. A proposal without a total does not
    /// match.
    total_at_least: Option<Decimal>,
    /// `createdAt` is this time or later. For a proposal without `createdAt`, as all of ArcSite,
    /// `firstSeenAt` counts.
    created_from: Option<DateTime>,
    /// `createdAt` is before this time. For a proposal without `createdAt`, `firstSeenAt` counts.
    created_before: Option<DateTime>,
    /// `sentAt` is before this time. One that was not sent does not match. With `viewed: false` it
    /// finds what was sent and never opened.
    sent_before: Option<DateTime>,
    /// Whether the client has looked at it, as far as Bidsketch has reported. ArcSite reports no
    /// views: its proposals match neither value.
    viewed: Option<bool>,
    /// `firstViewedAt` is before this time. One that was not viewed does not match. With `status:
    /// [PENDING, VIEWED]` it finds what was opened and not answered.
    viewed_before: Option<DateTime>,
    /// `decidedAt` is this time or later. One that is open does not match.
    decided_from: Option<DateTime>,
    /// `decidedAt` is before this time. One that is open does not match.
    decided_before: Option<DateTime>,
}

impl From<DeliveryFilter> for read::DeliveryFilter {
    fn from(filter: DeliveryFilter) -> Self {
        Self {
            outcomes: to_domain_list(filter.outcome),
            reasons: to_domain_list(filter.reason),
            providers: to_domain_list(filter.provider),
            received_from: filter.received_from.map(|time| time.0),
            received_before: filter.received_before.map(|time| time.0),
        }
    }
}

impl TryFrom<PaymentFilter> for read::PaymentFilter {
    type Error = ApiError;

    fn try_from(filter: PaymentFilter) -> Result<Self, ApiError> {
        Ok(Self {
            proposal: parse_proposal_id("proposalId", filter.proposal_id)?,
            project: parse_project_id("projectId", filter.project_id)?,
            paid_from: filter.paid_from.map(|time| time.0),
            paid_before: filter.paid_before.map(|time| time.0),
            amount_at_least: filter.amount_at_least.map(|amount| amount.0),
        })
    }
}

impl TryFrom<ProjectFilter> for read::ProjectFilter {
    type Error = ApiError;

    fn try_from(filter: ProjectFilter) -> Result<Self, ApiError> {
        Ok(Self {
            name_contains: check_name_part(filter.name_contains)?,
            job_number: filter.job_number,
            tag: filter.tag,
            created_from: filter.created_from.map(|time| time.0),
            created_before: filter.created_before.map(|time| time.0),
        })
    }
}

impl TryFrom<DrawingFilter> for read::DrawingFilter {
    type Error = ApiError;

    fn try_from(filter: DrawingFilter) -> Result<Self, ApiError> {
        Ok(Self {
            name_contains: check_name_part(filter.name_contains)?,
            project: parse_project_id("projectId", filter.project_id)?,
            tag: filter.tag,
        })
    }
}

impl TryFrom<ClientFilter> for read::ClientFilter {
    type Error = ApiError;

    fn try_from(filter: ClientFilter) -> Result<Self, ApiError> {
        Ok(Self { name_contains: check_name_part(filter.name_contains)?, email: filter.email, city: filter.city })
    }
}

impl TryFrom<ProposalFilter> for read::ProposalFilter {
    type Error = ApiError;

    fn try_from(filter: ProposalFilter) -> Result<Self, ApiError> {
        Ok(Self {
            providers: to_domain_list(filter.provider),
            statuses: to_domain_list(filter.status),
            name_contains: check_name_part(filter.name_contains)?,
            client: parse_client_id("clientId", filter.client_id)?,
            project: parse_project_id("projectId", filter.project_id)?,
            total_at_least: filter.total_at_least.map(|total| total.0),
            created_from: filter.created_from.map(|time| time.0),
            created_before: filter.created_before.map(|time| time.0),
            sent_before: filter.sent_before.map(|time| time.0),
            viewed: filter.viewed,
            viewed_before: filter.viewed_before.map(|time| time.0),
            decided_from: filter.decided_from.map(|time| time.0),
            decided_before: filter.decided_before.map(|time| time.0),
        })
    }
}

fn check_name_part(part: Option<String>) -> Result<Option<String>, ApiError> {
    match part {
        Some(part) if !part.is_empty() => {
            let folded = fold(&part);
            if folded.is_empty() {
                // It would find every name.
                return Err(ApiError::BadUserInput("`nameContains` has invisible characters only".to_owned()));
            }
            if folded.chars().count() > NAME_PART_CHARS_MAX {
                return Err(ApiError::BadUserInput(format!(
                    "`nameContains` may have at most {NAME_PART_CHARS_MAX} characters, with ligatures spelled out"
                )));
            }
            Ok(Some(part))
        }
        part => Ok(part),
    }
}
