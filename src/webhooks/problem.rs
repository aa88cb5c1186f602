//! Why a request for a webhook failed: a kind for programs, and a message for people.

use crate::domain::InvalidEndpoint;
use crate::domain::text_enum::text_enum;
use crate::vendor::bidsketch::api::BidsketchError;

text_enum! {
    /// The kinds of problem, by their codes in the API.
    ProblemKind {
        /// A webhook may not send to this endpoint.
        InvalidEndpoint = "INVALID_ENDPOINT",
        /// The event has a live webhook already, to another endpoint.
        AlreadyExists = "ALREADY_EXISTS",
        /// A setting is missing.
        NotConfigured = "NOT_CONFIGURED",
        /// No webhook has this id.
        NotFound = "NOT_FOUND",
        /// Bidsketch rejects the request.
        VendorRejected = "VENDOR_REJECTED",
        /// Bidsketch rejects the token.
        VendorUnauthorized = "VENDOR_UNAUTHORIZED",
        /// The account's limit or the rate limit is reached.
        VendorLimit = "VENDOR_LIMIT",
        /// Bidsketch cannot be reached, or cannot answer now.
        VendorUnavailable = "VENDOR_UNAVAILABLE",
        /// It is not known whether Bidsketch did it.
        OutcomeUnknown = "OUTCOME_UNKNOWN",
    }
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The reason, for programs.
    pub kind: ProblemKind,
    /// The reason, for people, and what to do if that is known.
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
