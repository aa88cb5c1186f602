//! The lists of the webhooks at Bidsketch.

use async_graphql::{Context, Object, Result};

use crate::domain;
use crate::graphql::error::OrApiError;
use crate::graphql::execution::selection::Selected;
use crate::graphql::pagination::args::{LIST_SIZE_MAX, paged_object};
use crate::graphql::pagination::connection::BidsketchWebhookConnection;
use crate::graphql::pagination::load::load_webhooks;
use crate::graphql::schema::model::bidsketch_webhook::{BidsketchWebhook, BidsketchWebhookState};
use crate::store::{Reader, webhooks};

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
    /// webhooks, so one that was created elsewhere is missing here. The list ends after 100;
    /// `bidsketchWebhookConnection` gives all in pages.
    async fn bidsketch_webhooks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return only webhooks in one of these states. By default all except DELETED.")] state: Option<
            Vec<BidsketchWebhookState>,
        >,
    ) -> Result<Vec<Selected<BidsketchWebhook>>> {
        let states = states_or_default(state);
        let limit = u64::try_from(LIST_SIZE_MAX).unwrap_or(u64::MAX);
        let found = webhooks::first_in_states(ctx.data::<Reader>()?, &states, limit).await.or_api_error()?;
        Ok(found.into_iter().map(|webhook| Selected(BidsketchWebhook(webhook))).collect())
    }
}

#[derive(Default)]
pub struct WebhookConnectionQuery;

paged_object! {
    #[Object]
    impl WebhookConnectionQuery {
        /// The webhooks at Bidsketch that this service manages, oldest first, in pages. They are
        /// those of `bidsketchWebhooks`.
        fn bidsketch_webhook_connection(
            self, ctx, args,
            state: Vec<BidsketchWebhookState> = "Return only webhooks in one of these states. By default all except DELETED.",
        ) -> BidsketchWebhookConnection {
            load_webhooks(ctx, states_or_default(state), args).await
        }
    }
}

fn states_or_default(states: Option<Vec<BidsketchWebhookState>>) -> Vec<domain::WebhookState> {
    states.unwrap_or_else(|| DEFAULT_STATES.to_vec()).into_iter().map(Into::into).collect()
}
