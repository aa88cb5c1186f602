//! Expected outcomes of mutations, as data.

use async_graphql::{Enum, SimpleObject};

use crate::webhooks::ProblemKind;

/// What stood in the way of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum UserErrorCode {
    /// The endpoint is none that a webhook may send to.
    InvalidEndpoint,
    /// There is a webhook for the event already, which sends to another place.
    AlreadyExists,
    /// The delivery has been released before.
    AlreadyReleased,
    /// There is no such thing.
    NotFound,
    /// The delivery still cannot be turned into an event.
    StillInvalid,
    /// A setting is missing; the message names it.
    NotConfigured,
    /// The vendor does not take the request; the message has its own words.
    VendorRejected,
    /// The vendor does not know the token that is set.
    VendorUnauthorized,
    /// A limit of the vendor's is reached: of the account, or of requests in a time.
    VendorLimit,
    /// The vendor cannot be reached, or cannot do it now.
    VendorUnavailable,
    /// It is not known what became of the request.
    OutcomeUnknown,
}

impl From<ProblemKind> for UserErrorCode {
    fn from(kind: ProblemKind) -> Self {
        match kind {
            ProblemKind::InvalidEndpoint => Self::InvalidEndpoint,
            ProblemKind::AlreadyExists => Self::AlreadyExists,
            ProblemKind::NotConfigured => Self::NotConfigured,
            ProblemKind::NotFound => Self::NotFound,
            ProblemKind::VendorRejected => Self::VendorRejected,
            ProblemKind::VendorUnauthorized => Self::VendorUnauthorized,
            ProblemKind::VendorLimit => Self::VendorLimit,
            ProblemKind::VendorUnavailable => Self::VendorUnavailable,
            ProblemKind::OutcomeUnknown => Self::OutcomeUnknown,
        }
    }
}

/// Something that stood in the way of a mutation and that its user can act on.
#[derive(SimpleObject)]
pub(crate) struct UserError {
    /// What it is, for programs.
    code: UserErrorCode,
    /// What it is, for people.
    message: String,
    /// The path of the argument that is concerned.
    field: Option<Vec<String>>,
}

impl UserError {
    /// An error that concerns the argument at this path; none where the path is empty.
    pub(crate) fn new(code: UserErrorCode, message: String, field: &[&str]) -> Self {
        let field = (!field.is_empty()).then(|| field.iter().map(|&part| part.to_owned()).collect());
        Self { code, message, field }
    }
}
