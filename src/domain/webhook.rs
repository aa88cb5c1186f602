//! The webhooks that are registered at Bidsketch from here.

use super::text_enum::text_enum;

text_enum! {
    /// An event type that a webhook of Bidsketch can be for; one webhook is for one of them.
    BidsketchEvent {
        /// A client was created.
        ClientCreated = "CLIENT_CREATED",
        /// A proposal was created.
        ProposalCreated = "PROPOSAL_CREATED",
        /// A proposal was sent.
        ProposalSent = "PROPOSAL_SENT",
        /// A client looked at a proposal.
        ProposalViewed = "PROPOSAL_VIEWED",
        /// A proposal was accepted.
        ProposalAccepted = "PROPOSAL_ACCEPTED",
        /// A proposal was declined.
        ProposalDeclined = "PROPOSAL_DECLINED",
        /// A proposal was accepted or declined.
        ProposalAcceptedOrDeclined = "PROPOSAL_ACCEPTED_OR_DECLINED",
    }
}

impl BidsketchEvent {
    /// Bidsketch's own name: `proposal_sent`.
    #[must_use]
    pub fn vendor_name(self) -> String {
        self.as_str().to_ascii_lowercase()
    }
}

text_enum! {
    /// How far the life of a webhook has come.
    WebhookState {
        /// Bidsketch is being asked to create it.
        Pending = "PENDING",
        /// Bidsketch has it.
        Active = "ACTIVE",
        /// Bidsketch is being asked to delete it; its URL is dead already.
        Deleting = "DELETING",
        /// Bidsketch has it no more.
        Deleted = "DELETED",
        /// Bidsketch did not create it, or it is not known whether it did.
        Failed = "FAILED",
    }
}

/// The number of a webhook here, not Bidsketch's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WebhookId(pub i64);

impl std::fmt::Display for WebhookId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendor_name_is_bidsketch_spelling() {
        assert_eq!(BidsketchEvent::ProposalAcceptedOrDeclined.vendor_name(), "proposal_accepted_or_declined");
        assert_eq!(BidsketchEvent::ALL.len(), 7);
    }
}
