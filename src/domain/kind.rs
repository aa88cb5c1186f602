//! The vendors, and the kinds of events.

use super::text_enum::text_enum;

text_enum! {
    /// A vendor whose webhooks are received.
    Provider {
        /// ArcSite: drawings, estimates, payments.
        Arcsite = "ARCSITE",
        /// Bidsketch: proposals, clients.
        Bidsketch = "BIDSKETCH",
    }
}

text_enum! {
    /// The kind of an event, in one vocabulary for both vendors.
    EventKind {
        /// A project was created.
        ProjectCreated = "PROJECT_CREATED",
        /// A project was changed.
        ProjectUpdated = "PROJECT_UPDATED",
        /// A drawing was created.
        DrawingCreated = "DRAWING_CREATED",
        /// A drawing was changed.
        DrawingUpdated = "DRAWING_UPDATED",
        /// A client was created.
        ClientCreated = "CLIENT_CREATED",
        /// A proposal was created.
        ProposalCreated = "PROPOSAL_CREATED",
        /// A proposal was sent; each sending is an event.
        ProposalSent = "PROPOSAL_SENT",
        /// A client viewed a proposal; each view is an event.
        ProposalViewed = "PROPOSAL_VIEWED",
        /// A proposal was accepted (Bidsketch).
        ProposalAccepted = "PROPOSAL_ACCEPTED",
        /// A proposal was declined (Bidsketch).
        ProposalDeclined = "PROPOSAL_DECLINED",
        /// A proposal's status changed.
        ProposalStatusChanged = "PROPOSAL_STATUS_CHANGED",
        /// A drawing's proposal was signed (ArcSite, deprecated there).
        ProposalSigned = "PROPOSAL_SIGNED",
        /// A proposal was approved (ArcSite, deprecated there).
        ProposalApproved = "PROPOSAL_APPROVED",
        /// A payment on a proposal was received.
        ProposalPaymentReceived = "PROPOSAL_PAYMENT_RECEIVED",
        /// The vendor's type is not known to this version.
        Unrecognized = "UNRECOGNIZED",
    }
}

impl EventKind {
    /// Whether it is the creation of its subject, which happens once.
    #[must_use]
    pub const fn is_creation(self) -> bool {
        match self {
            Self::ProjectCreated | Self::DrawingCreated | Self::ClientCreated | Self::ProposalCreated => true,
            Self::ProjectUpdated
            | Self::DrawingUpdated
            | Self::ProposalSent
            | Self::ProposalViewed
            | Self::ProposalAccepted
            | Self::ProposalDeclined
            | Self::ProposalStatusChanged
            | Self::ProposalSigned
            | Self::ProposalApproved
            | Self::ProposalPaymentReceived
            | Self::Unrecognized => false,
        }
    }

    /// Whether it is about a proposal.
    #[must_use]
    pub const fn concerns_proposal(self) -> bool {
        match self {
            Self::ProposalCreated
            | Self::ProposalSent
            | Self::ProposalViewed
            | Self::ProposalAccepted
            | Self::ProposalDeclined
            | Self::ProposalStatusChanged
            | Self::ProposalSigned
            | Self::ProposalApproved
            | Self::ProposalPaymentReceived => true,
            Self::ProjectCreated
            | Self::ProjectUpdated
            | Self::DrawingCreated
            | Self::DrawingUpdated
            | Self::ClientCreated
            | Self::Unrecognized => false,
        }
    }

    /// All kinds that are about proposals.
    #[must_use]
    pub fn proposal_kinds() -> Vec<Self> {
        Self::ALL.iter().copied().filter(|kind| kind.concerns_proposal()).collect()
    }
}
