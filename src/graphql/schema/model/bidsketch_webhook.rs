//! The webhooks at Bidsketch.

use async_graphql::{Enum, ID, Object};

use super::scalar::DateTime;
use crate::domain::{self, NodeId};
use crate::store::webhooks::Webhook;

/// An event type that a webhook at Bidsketch delivers. Each webhook delivers one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::BidsketchEvent")]
pub(crate) enum BidsketchEvent {
    /// A client was created.
    ClientCreated,
    /// A proposal was created.
    ProposalCreated,
    /// A proposal was sent.
    ProposalSent,
    /// A client looked at a proposal.
    ProposalViewed,
    /// A proposal was accepted.
    ProposalAccepted,
    /// A proposal was declined.
    ProposalDeclined,
    /// A proposal was accepted or declined. If the webhooks for PROPOSAL_ACCEPTED and
    /// PROPOSAL_DECLINED exist too, a decision is delivered twice and recorded as one event.
    ProposalAcceptedOrDeclined,
}

/// The state of a webhook: PENDING, ACTIVE, DELETING, DELETED in this order, or FAILED.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::WebhookState")]
pub(crate) enum BidsketchWebhookState {
    /// Its creation was requested; Bidsketch has not answered yet.
    Pending,
    /// Bidsketch has created it; it delivers.
    Active,
    /// Its deletion was requested; Bidsketch has not confirmed it yet. If it sends to a hook URL of
    /// this service, that URL answers 410 already.
    Deleting,
    /// It is deleted.
    Deleted,
    /// Bidsketch did not create it, or the outcome is unknown: see `lastError`. Its deliveries are
    /// accepted until another webhook for the event is ACTIVE.
    Failed,
}

pub(crate) struct BidsketchWebhook(pub(crate) Webhook);

/// A webhook at Bidsketch that this service manages.
#[Object]
impl BidsketchWebhook {
    /// Node id, for `node` and `nodes`: `webhook:3`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::BidsketchWebhook(self.0.id).to_string().into()
    }

    /// Bidsketch's own id; null until Bidsketch has confirmed the creation.
    async fn vendor_id(&self) -> Option<&str> {
        self.0.vendor_id.as_deref()
    }

    /// The event type it delivers.
    async fn event(&self) -> BidsketchEvent {
        self.0.event.into()
    }

    /// The URL it sends to. The secret part is masked by `…`, except in the result of the mutation
    /// that created the webhook: store it then.
    async fn endpoint(&self) -> &str {
        &self.0.endpoint
    }

    /// Its state; only an ACTIVE webhook is certain to deliver.
    async fn state(&self) -> BidsketchWebhookState {
        self.0.state.into()
    }

    /// The error of the last request for it, with Bidsketch's own words; null if that request
    /// succeeded.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// When its creation was requested.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last delivered to its hook URL at this service; null if it never has, or if it sends
    /// elsewhere.
    async fn last_delivery_at(&self) -> Option<DateTime> {
        self.0.last_delivery_at.map(DateTime)
    }

    /// How many deliveries came to its hook URL at this service, redeliveries and quarantined ones
    /// included. Those that version 0.1 or earlier received are not counted.
    async fn delivery_count(&self) -> u64 {
        self.0.delivery_count
    }
}
