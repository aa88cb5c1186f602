//! The enums. Each mirrors one of the domain's.

use async_graphql::Enum;

use crate::domain;

/// A vendor whose webhooks this service receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::Provider")]
pub(crate) enum Provider {
    /// ArcSite: projects, drawings, proposals and payments.
    Arcsite,
    /// Bidsketch: clients and proposals.
    Bidsketch,
}

/// The kind of an event, in one vocabulary for both vendors. `Event.vendorTypes` has the vendor's
/// own names. Kinds are added over time: treat one you do not know as `UNRECOGNIZED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::EventKind")]
pub(crate) enum EventKind {
    /// A project was created (ArcSite).
    ProjectCreated,
    /// A project was changed (ArcSite).
    ProjectUpdated,
    /// A drawing was created (ArcSite).
    DrawingCreated,
    /// A drawing was changed (ArcSite).
    DrawingUpdated,
    /// A client was created (Bidsketch).
    ClientCreated,
    /// A proposal was created (Bidsketch).
    ProposalCreated,
    /// A proposal was sent to the client (Bidsketch, and ArcSite, deprecated there). Each sending
    /// is an event.
    ProposalSent,
    /// The client looked at a proposal (Bidsketch). Each look is an event.
    ProposalViewed,
    /// The client accepted a proposal (Bidsketch). At ArcSite this is PROPOSAL_STATUS_CHANGED with
    /// the status ACCEPTED.
    ProposalAccepted,
    /// The client declined a proposal (Bidsketch).
    ProposalDeclined,
    /// The status of a proposal changed; `ProposalEvent.status` has the new one.
    ProposalStatusChanged,
    /// The proposal of a drawing was signed (ArcSite, deprecated there). The event does not name
    /// the proposal.
    ProposalSigned,
    /// A proposal was approved (ArcSite, deprecated there).
    ProposalApproved,
    /// A payment on a proposal was received (ArcSite): see `ProposalEvent.payment`.
    ProposalPaymentReceived,
    /// An event type that this version does not know. The event is stored with its payload, as an
    /// `UnrecognizedEvent`.
    Unrecognized,
}

/// The status of a proposal, in one vocabulary for both vendors. `Proposal.vendorStatus` has the
/// vendor's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::ProposalStatus")]
pub(crate) enum ProposalStatus {
    /// Created, not sent yet.
    Draft,
    /// Sent, not answered yet.
    Pending,
    /// Sent, and the client has looked at it (Bidsketch).
    Viewed,
    /// The client accepted it. ArcSite calls this APPROVED.
    Accepted,
    /// The client declined it (Bidsketch).
    Declined,
    /// Withdrawn by the office (ArcSite).
    Void,
    /// Given up as lost by the office (ArcSite).
    Lost,
}

/// The type of a file. No others are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::FileKind")]
pub(crate) enum FileKind {
    /// A document.
    Pdf,
    /// A picture.
    Png,
}

/// Whether a file is stored. `StoredFile.problem` has the reason in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::FileState")]
pub(crate) enum FileState {
    /// It is not fetched yet. With a `problem` a fetch has failed, and is tried again until the
    /// link dies.
    Pending,
    /// It is stored, and `url` serves it.
    Stored,
    /// Its link died before it was fetched. A later delivery with a fresh link makes it PENDING.
    Expired,
    /// Its link is not allowed; `problem` names the setting.
    Refused,
    /// It cannot be stored: it is gone, too large, or of another type. No retry changes it.
    Failed,
}

/// The length of a bucket of time, by the clocks and calendar of a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "domain::TimeBucket")]
pub(crate) enum TimeBucket {
    /// An hour that begins at a full hour of the clocks.
    Hour,
    /// A calendar day, of 23 or 25 hours where the clocks change.
    Day,
    /// A calendar week, which begins on Monday.
    Week,
    /// A calendar month.
    Month,
}

/// The result of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::DeliveryOutcome")]
pub(crate) enum DeliveryOutcome {
    /// It created a new event.
    Accepted,
    /// It repeats an event that is in the log already; it changes no state.
    Redelivery,
    /// It could not become an event. It is kept with its exact bytes and the reason.
    Quarantined,
}

/// Why a delivery is in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::QuarantineReason")]
pub(crate) enum QuarantineReason {
    /// The body is not JSON, or its encoding cannot be read.
    NotJson,
    /// The body is JSON, but not `{"event": "…", "data": {…}}`.
    NotAnEnvelope,
    /// `data` does not fit the event type: a field that the event needs is missing or cannot be
    /// read (`Delivery.detail` names it), or `data` has more than 200 levels.
    InvalidPayload,
    /// The signature is valid, but its time differs from the time of arrival by more than the
    /// tolerance.
    StaleSignature,
}

/// How long a delivery that equals an earlier one is a redelivery and not a second event. The
/// vendors do not number their events, so the content decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::DedupWindow")]
pub(crate) enum DedupWindow {
    /// For ever: a creation, or a fact that carries its own time.
    Unlimited,
    /// As long as no other event of the same object has come, and at most
    /// `identity.state_window_hours`: a state without a time.
    UntilSubjectChanges,
    /// Within `identity.occurrence_window_seconds` of the last delivery: an occurrence that can
    /// repeat, such as a view.
    SinceLastDelivery,
}
