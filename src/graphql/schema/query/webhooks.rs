//! The webhooks at Bidsketch.

use async_graphql::{Context, Object, Result};

use crate::domain;
use crate::graphql::Api;
use crate::graphql::error::OrApiError;
use crate::graphql::execution::selection::Selected;
use crate::graphql::schema::model::bidsketch_webhook::{BidsketchWebhook, BidsketchWebhookState};
use crate::store::webhooks;

/// What is listed where no states are given.
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
    /// The webhooks at Bidsketch that are managed from here, the oldest first. Bidsketch cannot list them: one that was made by
    /// hand is not among them.
    async fn bidsketch_webhooks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those in these states; all but DELETED where none are given.")] state: Option<
            Vec<BidsketchWebhookState>,
        >,
    ) -> Result<Vec<Selected<BidsketchWebhook>>> {
        let states = state.unwrap_or_else(|| DEFAULT_STATES.to_vec());
        let states: Vec<domain::WebhookState> = states.into_iter().map(Into::into).collect();
        let found = webhooks::in_states(ctx.data::<Api>()?.store.reader(), &states).await.or_api_error()?;
        Ok(found.into_iter().map(|webhook| Selected(BidsketchWebhook(webhook))).collect())
    }
}
