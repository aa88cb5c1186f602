//! The list of the webhooks at Bidsketch.

use async_graphql::{Context, Object, Result};

use crate::domain;
use crate::graphql::Api;
use crate::graphql::error::OrApiError;
use crate::graphql::execution::selection::Selected;
use crate::graphql::schema::model::bidsketch_webhook::{BidsketchWebhook, BidsketchWebhookState};
use crate::store::webhooks;

/// The states that are listed by default.
const DEFAULT_STATES: [BidsketchWebhookState; 4] = [
    BidsketchWebhookState::Pending,
    BidsketchWebhookState::Active,
    BidsketchWebhookState::Deleting,
    BidsketchWebhookState::Failed,
];

#[derive(Default)]
pub struct WebhookQuery;

#[Object]
impl WebhookQuery {
    /// The webhooks at Bidsketch that this service manages, oldest first. Bidsketch cannot list its
    /// webhooks, so one that was created elsewhere is missing here.
    async fn bidsketch_webhooks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return only webhooks in one of these states. By default all except DELETED.")] state: Option<
            Vec<BidsketchWebhookState>,
        >,
    ) -> Result<Vec<Selected<BidsketchWebhook>>> {
        let states = state.unwrap_or_else(|| DEFAULT_STATES.to_vec());
        let states: Vec<domain::WebhookState> = states.into_iter().map(Into::into).collect();
        let found = webhooks::in_states(ctx.data::<Api>()?.store.reader(), &states).await.or_api_error()?;
        Ok(found.into_iter().map(|webhook| Selected(BidsketchWebhook(webhook))).collect())
    }
}
