//! The filters of the lists of what is known now.

use async_graphql::{ID, InputObject};

use super::{parse_client_id, parse_project_id, to_domain_list};
use crate::graphql::error::ApiError;
use crate::graphql::schema::model::enums::{ProposalStatus, Provider};
use crate::graphql::schema::model::scalar::{DateTime, Decimal};
use crate::store::read;

/// How long a part of a name may be, in letters.
const NAME_PART_CHARS_MAX: usize = 200;

/// Which projects are asked for. All conditions must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ProjectFilter {
    /// Whose name has this in it, ignoring case; at most 200 letters.
    name_contains: Option<String>,
    /// With exactly this job number.
    job_number: Option<String>,
    /// With exactly this tag.
    tag: Option<String>,
    /// Created at this time or later; where the vendor gave no time, first seen.
    created_from: Option<DateTime>,
    /// Created before this time; where the vendor gave no time, first seen.
    created_before: Option<DateTime>,
}

/// Which drawings are asked for. All conditions must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct DrawingFilter {
    /// Whose name has this in it, ignoring case; at most 200 letters.
    name_contains: Option<String>,
    /// Of this project, by its node id.
    project_id: Option<ID>,
    /// With exactly this tag.
    tag: Option<String>,
}

/// Which clients are asked for. All conditions must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ClientFilter {
    /// Whose name has this in it, ignoring case; at most 200 letters.
    name_contains: Option<String>,
    /// With this e-mail address, ignoring case.
    email: Option<String>,
    /// In this city, ignoring case.
    city: Option<String>,
}

/// Which proposals are asked for. All conditions must hold; a list is met by any of its values, an empty list by none.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ProposalFilter {
    /// Of one of these vendors.
    provider: Option<Vec<Provider>>,
    /// With one of these statuses.
    status: Option<Vec<ProposalStatus>>,
    /// Whose name has this in it, ignoring case; at most 200 letters.
    name_contains: Option<String>,
    /// Of this client, by its node id.
    client_id: Option<ID>,
    /// Of this project, by its node id.
    project_id: Option<ID>,
    /// Whose total is this or more, as a number; one whose total is not known is left out.
    total_at_least: Option<Decimal>,
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
        })
    }
}

fn check_name_part(part: Option<String>) -> Result<Option<String>, ApiError> {
    match part {
        Some(part) if part.chars().count() > NAME_PART_CHARS_MAX => {
            Err(ApiError::BadUserInput(format!("`nameContains` may have at most {NAME_PART_CHARS_MAX} letters")))
        }
        part => Ok(part),
    }
}
