//! The webhooks at Bidsketch.

use async_graphql::{Enum, ID, Object};

use super::scalar::DateTime;
use crate::domain::{self, NodeId};
use crate::store::webhooks::Webhook;

/// An event type that a webhook of Bidsketch can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::BidsketchEvent")]
pub(crate) enum BidsketchEvent {
    /// A client was created.
    ClientCreated,
    /// A proposal was created.
    ProposalCreated,
    /// A proposal was sent.
    ProposalSent,
    /// The client looked at a proposal.
    ProposalViewed,
    /// A proposal was accepted.
    ProposalAccepted,
    /// A proposal was declined.
    ProposalDeclined,
    /// A proposal was accepted or declined. With a webhook for each of these as well, a decision comes twice and is one event.
    ProposalAcceptedOrDeclined,
}

/// How far the life of a webhook has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::WebhookState")]
pub(crate) enum BidsketchWebhookState {
    /// Bidsketch is being asked to create it.
    Pending,
    /// Bidsketch has it.
    Active,
    /// Bidsketch is being asked to delete it. Its URL answers 410 already.
    Deleting,
    /// Bidsketch has it no more.
    Deleted,
    /// Bidsketch did not create it, or it is not known whether it did: then what it delivers is taken all the same, until another
    /// webhook for the event is ACTIVE.
    Failed,
}

pub(crate) struct BidsketchWebhook(pub(crate) Webhook);

/// A webhook at Bidsketch that is managed from here.
#[Object]
impl BidsketchWebhook {
    /// The node id: `webhook:3`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::BidsketchWebhook(self.0.id).to_string().into()
    }

    /// Bidsketch's own id; null until Bidsketch has answered.
    async fn vendor_id(&self) -> Option<&str> {
        self.0.vendor_id.as_deref()
    }

    /// What it is for.
    async fn event(&self) -> BidsketchEvent {
        self.0.event.into()
    }

    /// Where it sends to: whole in the payload of the mutation that created it, its secret part masked ever after.
    async fn endpoint(&self) -> &str {
        &self.0.endpoint
    }

    /// How far its life has come.
    async fn state(&self) -> BidsketchWebhookState {
        self.0.state.into()
    }

    /// What went wrong last, with Bidsketch's own words.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last delivered to its hook URL here.
    async fn last_delivery_at(&self) -> Option<DateTime> {
        self.0.last_delivery_at.map(DateTime)
    }
}
