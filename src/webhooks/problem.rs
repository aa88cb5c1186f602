//! What stands in the way of a webhook, for programs by its kind and for people in words.

use crate::domain::InvalidEndpoint;
use crate::domain::text_enum::text_enum;
use crate::vendor::bidsketch::api::BidsketchError;

text_enum! {
    /// The kinds of problem, by the codes that the API has for them.
    ProblemKind {
        /// The endpoint is none that a webhook may send to.
        InvalidEndpoint = "INVALID_ENDPOINT",
        /// There is a live webhook for the event already, which sends to another place.
        AlreadyExists = "ALREADY_EXISTS",
        /// A setting is missing.
        NotConfigured = "NOT_CONFIGURED",
        /// There is no such webhook.
        NotFound = "NOT_FOUND",
        /// Bidsketch does not take the request.
        VendorRejected = "VENDOR_REJECTED",
        /// Bidsketch does not know the token.
        VendorUnauthorized = "VENDOR_UNAUTHORIZED",
        /// A limit of the account, or of the rate, is reached.
        VendorLimit = "VENDOR_LIMIT",
        /// Bidsketch cannot be reached, or cannot do it now.
        VendorUnavailable = "VENDOR_UNAVAILABLE",
        /// It is not known what became of the request.
        OutcomeUnknown = "OUTCOME_UNKNOWN",
    }
}

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// What it is in words, with what to do where that is known.
    pub message: String,
}

impl Problem {
    pub(super) fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<InvalidEndpoint> for Problem {
    fn from(error: InvalidEndpoint) -> Self {
        Self::new(ProblemKind::InvalidEndpoint, error.to_string())
    }
}

impl From<BidsketchError> for Problem {
    fn from(error: BidsketchError) -> Self {
        let kind = match error {
            BidsketchError::Rejected(_) => ProblemKind::VendorRejected,
            BidsketchError::Unauthorized(_) => ProblemKind::VendorUnauthorized,
            BidsketchError::Limit { .. } => ProblemKind::VendorLimit,
            BidsketchError::Unavailable(_) | BidsketchError::NotSent(_) => ProblemKind::VendorUnavailable,
            BidsketchError::OutcomeUnknown { .. } => ProblemKind::OutcomeUnknown,
        };
        Self::new(kind, error.to_string())
    }
}
