//! The webhooks that this service registers at Bidsketch.

use super::text_enum::text_enum;

text_enum! {
    /// An event type that a Bidsketch webhook can deliver. Each webhook delivers one type.
    BidsketchEvent {
        /// A client was created.
        ClientCreated = "CLIENT_CREATED",
        /// A proposal was created.
        ProposalCreated = "PROPOSAL_CREATED",
        /// A proposal was sent.
        ProposalSent = "PROPOSAL_SENT",
        /// A client viewed a proposal.
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
    /// The state of a webhook.
    WebhookState {
        /// The creation at Bidsketch is in progress.
        Pending = "PENDING",
        /// The webhook exists at Bidsketch.
        Active = "ACTIVE",
        /// The deletion at Bidsketch is in progress. The webhook's URL accepts no deliveries any
        /// more.
        Deleting = "DELETING",
        /// The webhook no longer exists at Bidsketch.
        Deleted = "DELETED",
        /// Bidsketch did not create the webhook, or the outcome of the creation is unknown.
        Failed = "FAILED",
    }
}

/// The number of a webhook in this service, not Bidsketch's id.
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
