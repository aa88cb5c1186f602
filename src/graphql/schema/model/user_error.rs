//! Expected failures of mutations, as data.

use async_graphql::{Enum, SimpleObject};

use crate::webhooks::ProblemKind;

/// The reason why a mutation did not do all that was requested. Codes are added over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum UserErrorCode {
    /// A webhook may not send to this endpoint; the message says why.
    InvalidEndpoint,
    /// A webhook for this event exists already and sends to another endpoint. Delete it first.
    AlreadyExists,
    /// The delivery was released before; the payload has its event.
    AlreadyReleased,
    /// The webhook does not exist, the delivery was never in quarantine, or no event has brought a
    /// file.
    NotFound,
    /// The delivery still cannot become an event; the message says why. It stays in quarantine.
    StillInvalid,
    /// The link to a file is dead, so it cannot be fetched.
    LinkExpired,
    /// The link to a file is not allowed, so it cannot be fetched.
    LinkRefused,
    /// A setting of this service is missing; the message names it.
    NotConfigured,
    /// The vendor refused the request; the message has the vendor's own words. Retrying will not
    /// help.
    VendorRejected,
    /// The vendor does not accept the API token that is set.
    VendorUnauthorized,
    /// A limit at the vendor is reached: of the account, or of the request rate. The message says
    /// which.
    VendorLimit,
    /// The vendor cannot be reached or cannot serve the request now. Try again later.
    VendorUnavailable,
    /// The vendor did not answer: the request may or may not have been carried out.
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

/// An error of a mutation that its caller can act on. The mutation itself is answered without a
/// GraphQL error.
#[derive(SimpleObject)]
pub(crate) struct UserError {
    /// The reason, for programs to branch on.
    code: UserErrorCode,
    /// The reason in words, for people, with what to do if that is known. The text may change.
    message: String,
    /// Path of the argument at fault: `["input", "id"]`; null if no single argument is at fault.
    field: Option<Vec<String>>,
}

impl UserError {
    /// An error about the argument at this path; an empty path means none in particular.
    pub(crate) fn new(code: UserErrorCode, message: String, field: &[&str]) -> Self {
        let field = (!field.is_empty()).then(|| field.iter().map(|&part| part.to_owned()).collect());
        Self { code, message, field }
    }
}
