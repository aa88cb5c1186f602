//! Creating and deleting webhooks at Bidsketch.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, Result, SimpleObject};

use crate::domain::NodeId;
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::execution::selection::{Selectable, Selected};
use crate::graphql::schema::model::bidsketch_webhook::{BidsketchEvent, BidsketchWebhook};
use crate::graphql::schema::model::scalar::Url;
use crate::graphql::schema::model::user_error::UserError;
use crate::store::webhooks::Webhook;
use crate::webhooks::{ProblemKind, WebhookRef, Webhooks};

/// What to create.
#[derive(InputObject)]
pub(crate) struct CreateBidsketchWebhookInput {
    /// What the webhook is for.
    event: BidsketchEvent,
    /// Where it sends to: https, or http on this machine. Where it is left out: this service's own hook URL, with a fresh secret
    /// path.
    endpoint: Option<Url>,
}

/// Which webhook to delete.
#[derive(OneofObject)]
pub(crate) enum DeleteBidsketchWebhookInput {
    /// By its node id: `webhook:3`.
    Id(ID),
    /// By Bidsketch's own id: one that was made by hand, too.
    VendorId(String),
}

/// What became of a creation.
#[derive(SimpleObject)]
pub(crate) struct CreateBidsketchWebhookPayload {
    /// The webhook, with its whole endpoint this once if it is new. There as well where Bidsketch did not create it, or where there
    /// was one already.
    bidsketch_webhook: Option<Selected<BidsketchWebhook>>,
    /// What stood in the way; empty where the webhook is there.
    user_errors: Vec<UserError>,
}

/// What became of the creation of all seven.
#[derive(SimpleObject)]
pub(crate) struct CreateAllBidsketchWebhooksPayload {
    /// The webhooks, those that were there before included; those of them that are new with their whole endpoint this once.
    bidsketch_webhooks: Vec<Selected<BidsketchWebhook>>,
    /// What stood in the way, for each event that it concerns; empty where all seven are there.
    user_errors: Vec<UserError>,
}

/// What became of a deletion.
#[derive(SimpleObject)]
pub(crate) struct DeleteBidsketchWebhookPayload {
    /// The webhook as it is now; null where nothing is known of it here.
    bidsketch_webhook: Option<Selected<BidsketchWebhook>>,
    /// What stood in the way; empty where it is deleted.
    user_errors: Vec<UserError>,
}

impl Selectable for CreateBidsketchWebhookPayload {}
impl Selectable for CreateAllBidsketchWebhooksPayload {}
impl Selectable for DeleteBidsketchWebhookPayload {}

#[derive(Default)]
pub struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Creates a webhook at Bidsketch. There is one for an event at most: asked for the same again, the one that is there is given.
    /// Where Bidsketch does not answer, the outcome is unknown and it is not asked again by itself; ask again to have a new one, by
    /// which the other is forgotten.
    async fn create_bidsketch_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to create.")] input: CreateBidsketchWebhookInput,
    ) -> Result<Selected<CreateBidsketchWebhookPayload>> {
        let endpoint = input.endpoint.map(|Url(endpoint)| endpoint);
        let outcome = ctx.data::<Webhooks>()?.create(input.event.into(), endpoint).await.or_api_error()?;
        let user_errors = outcome.problem.into_iter().map(|problem| {
            let field: &[&str] = match problem.kind {
                ProblemKind::InvalidEndpoint => &["input", "endpoint"],
                ProblemKind::AlreadyExists => &["input", "event"],
                ProblemKind::NotConfigured
                | ProblemKind::NotFound
                | ProblemKind::VendorRejected
                | ProblemKind::VendorUnauthorized
                | ProblemKind::VendorLimit
                | ProblemKind::VendorUnavailable
                | ProblemKind::OutcomeUnknown => &[],
            };
            UserError::new(problem.kind.into(), problem.message, field)
        });
        Ok(Selected(CreateBidsketchWebhookPayload {
            user_errors: user_errors.collect(),
            bidsketch_webhook: outcome.webhook.map(selected_webhook),
        }))
    }

    /// Creates the webhooks for all seven events of Bidsketch, to this service's own hook URLs. Those that are there are kept, so
    /// that it may be asked for again at any time; where one fails the others are there all the same.
    async fn create_all_bidsketch_webhooks(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Selected<CreateAllBidsketchWebhooksPayload>> {
        let outcomes = ctx.data::<Webhooks>()?.create_all().await.or_api_error()?;
        let mut payload = CreateAllBidsketchWebhooksPayload { bidsketch_webhooks: Vec::new(), user_errors: Vec::new() };
        for (event, outcome) in outcomes {
            payload.bidsketch_webhooks.extend(outcome.webhook.map(selected_webhook));
            payload.user_errors.extend(
                outcome
                    .problem
                    .map(|problem| UserError::new(problem.kind.into(), format!("{event}: {}", problem.message), &[])),
            );
        }
        Ok(Selected(payload))
    }

    /// Deletes a webhook at Bidsketch. A hook URL of this service answers 410 from then on, by which Bidsketch forgets the webhook
    /// even where it cannot be reached now. One that Bidsketch has no more counts as deleted.
    async fn delete_bidsketch_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which webhook to delete.")] input: DeleteBidsketchWebhookInput,
    ) -> Result<Selected<DeleteBidsketchWebhookPayload>> {
        let (which, field) = match input {
            DeleteBidsketchWebhookInput::Id(id) => match id.parse() {
                Ok(NodeId::BidsketchWebhook(id)) => (WebhookRef::Id(id), "id"),
                Ok(_) | Err(_) => {
                    let problem = format!("`id` must be a webhook's node id like webhook:3, it is {:?}", id.as_str());
                    return Err(ApiError::BadUserInput(problem).into_graphql_error());
                }
            },
            DeleteBidsketchWebhookInput::VendorId(id) if crate::vendor::bidsketch::api::is_webhook_id(&id) => {
                (WebhookRef::VendorId(id), "vendorId")
            }
            DeleteBidsketchWebhookInput::VendorId(id) => {
                let problem = format!("`vendorId` must be a number of Bidsketch's like 4815162342, it is {id:?}");
                return Err(ApiError::BadUserInput(problem).into_graphql_error());
            }
        };
        let outcome = ctx.data::<Webhooks>()?.delete(which).await.or_api_error()?;
        let user_errors = outcome.problem.into_iter().map(|problem| {
            let field: &[&str] = if problem.kind == ProblemKind::NotFound { &["input", field] } else { &[] };
            UserError::new(problem.kind.into(), problem.message, field)
        });
        Ok(Selected(DeleteBidsketchWebhookPayload {
            user_errors: user_errors.collect(),
            bidsketch_webhook: outcome.webhook.map(selected_webhook),
        }))
    }
}

fn selected_webhook(webhook: Webhook) -> Selected<BidsketchWebhook> {
    Selected(BidsketchWebhook(webhook))
}
