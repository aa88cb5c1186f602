//! The enumerations, each the twin of one of the domain's.

use async_graphql::Enum;

use crate::domain;

/// A vendor whose webhooks are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::Provider")]
pub(crate) enum Provider {
    /// ArcSite: drawings, estimates, payments.
    Arcsite,
    /// Bidsketch: proposals, clients.
    Bidsketch,
}

/// What happened, whichever name the vendor gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::EventKind")]
pub(crate) enum EventKind {
    /// A project was created.
    ProjectCreated,
    /// A project was changed.
    ProjectUpdated,
    /// A drawing was created.
    DrawingCreated,
    /// A drawing was changed.
    DrawingUpdated,
    /// A client was created.
    ClientCreated,
    /// A proposal was created.
    ProposalCreated,
    /// A proposal was sent; each sending is an event.
    ProposalSent,
    /// The client looked at a proposal; each look is an event.
    ProposalViewed,
    /// A proposal was accepted (Bidsketch).
    ProposalAccepted,
    /// A proposal was declined (Bidsketch).
    ProposalDeclined,
    /// A proposal's status changed.
    ProposalStatusChanged,
    /// A drawing's proposal was signed (ArcSite, deprecated there).
    ProposalSigned,
    /// A proposal was approved (ArcSite, deprecated there).
    ProposalApproved,
    /// A payment on a proposal came in.
    ProposalPaymentReceived,
    /// A type that this version does not know: stored, never dropped.
    Unrecognized,
}

/// How far a proposal has come, for both vendors. `vendorStatus` keeps the vendor's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::ProposalStatus")]
pub(crate) enum ProposalStatus {
    /// New, not sent.
    Draft,
    /// Sent, without an answer yet.
    Pending,
    /// The client has looked at it.
    Viewed,
    /// Accepted; ArcSite says APPROVED.
    Accepted,
    /// Declined by the client.
    Declined,
    /// Withdrawn.
    Void,
    /// Given up.
    Lost,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::Outcome")]
pub(crate) enum DeliveryOutcome {
    /// It made a new event.
    Accepted,
    /// It is one more delivery of an event.
    Redelivery,
    /// It is kept, but could not be turned into an event.
    Quarantined,
}

/// Why a delivery is in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::QuarantineReason")]
pub(crate) enum QuarantineReason {
    /// The body is not JSON, or not UTF-8.
    NotJson,
    /// The body is JSON, but not `{"event": "…", "data": {…}}`.
    NotAnEnvelope,
    /// The data does not fit its event's type.
    InvalidPayload,
    /// The signature is right, but its time lies outside the tolerance.
    StaleSignature,
}
