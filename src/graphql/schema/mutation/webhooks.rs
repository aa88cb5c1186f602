//! The mutations that create and delete webhooks at Bidsketch.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, Result, SimpleObject};

use super::audit::{begin_audit, show_node_id};
use crate::domain::{self, NodeId};
use crate::graphql::error::{ApiError, OrApiError, excerpt};
use crate::graphql::execution::selection::{Selectable, Selected};
use crate::graphql::schema::model::bidsketch_webhook::{BidsketchEvent, BidsketchWebhook};
use crate::graphql::schema::model::scalar::Url;
use crate::graphql::schema::model::user_error::UserError;
use crate::store::webhooks::Webhook;
use crate::webhooks::{ProblemKind, WebhookRef, Webhooks};

/// Input of `createBidsketchWebhook`: which event type to deliver, and where.
#[derive(InputObject)]
pub(crate) struct CreateBidsketchWebhookInput {
    /// The event type that the webhook delivers.
    event: BidsketchEvent,
    /// The URL to which it sends: https, or http to a loopback address. If it is left out, this
    /// service's own hook URL with a new secret path.
    endpoint: Option<Url>,
}

/// Input of `deleteBidsketchWebhook`: exactly one of the two ids.
#[derive(OneofObject)]
pub(crate) enum DeleteBidsketchWebhookInput {
    /// Node id of the webhook, from `bidsketchWebhooks`: `webhook:3`.
    Id(ID),
    /// Bidsketch's own id. It may be of a webhook that was created elsewhere.
    VendorId(String),
}

/// Result of `createBidsketchWebhook`: the webhook, or `userErrors` that say why there is none.
#[derive(SimpleObject)]
pub(crate) struct CreateBidsketchWebhookPayload {
    /// The webhook: the new one, with its complete `endpoint` this once; the one that existed
    /// already; or the FAILED one, if Bidsketch did not create it. Null if nothing was attempted.
    bidsketch_webhook: Option<Selected<BidsketchWebhook>>,
    /// Why the webhook was not created; empty if it was, or if an equal one existed already.
    user_errors: Vec<UserError>,
}

/// Result of `createAllBidsketchWebhooks`: the webhooks, and `userErrors` for those that are
/// missing.
#[derive(SimpleObject)]
pub(crate) struct CreateAllBidsketchWebhooksPayload {
    /// One webhook per event type, including those that existed before. The new ones have their
    /// complete `endpoint` this once.
    bidsketch_webhooks: Vec<Selected<BidsketchWebhook>>,
    /// One error per event type whose webhook was not created; `message` starts with the event
    /// type. Empty if all seven exist.
    user_errors: Vec<UserError>,
}

/// Result of `deleteBidsketchWebhook`: the webhook, or `userErrors` that say why it is not deleted.
#[derive(SimpleObject)]
pub(crate) struct DeleteBidsketchWebhookPayload {
    /// The webhook as it is after the mutation; null if this service does not manage it.
    bidsketch_webhook: Option<Selected<BidsketchWebhook>>,
    /// Why it is not deleted at Bidsketch; empty if it is.
    user_errors: Vec<UserError>,
}

impl Selectable for CreateBidsketchWebhookPayload {}
impl Selectable for CreateAllBidsketchWebhooksPayload {}
impl Selectable for DeleteBidsketchWebhookPayload {}

#[derive(Default)]
pub struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Creates a webhook at Bidsketch. An event type has one webhook at most: a repeated call
    /// returns the existing one. If Bidsketch does not answer, the error is OUTCOME_UNKNOWN and
    /// this service does not retry. Call again to create a new webhook, which replaces the
    /// uncertain one.
    async fn create_bidsketch_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The event type, and optionally the endpoint.")] input: CreateBidsketchWebhookInput,
    ) -> Result<Selected<CreateBidsketchWebhookPayload>> {
        let endpoint = input.endpoint.map(|Url(endpoint)| endpoint);
        let event = domain::BidsketchEvent::from(input.event);
        let audit = begin_audit(ctx, "createBidsketchWebhook", event.as_str())?;
        let outcome = ctx.data::<Webhooks>()?.create(event, endpoint, audit).await.or_api_error()?;
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

    /// Creates the webhooks for all seven event types of Bidsketch, to this service's own hook
    /// URLs. Existing webhooks are kept, so it may be called again at any time. If one fails, the
    /// others are still created.
    async fn create_all_bidsketch_webhooks(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Selected<CreateAllBidsketchWebhooksPayload>> {
        let audit = begin_audit(ctx, "createAllBidsketchWebhooks", "all events")?;
        let outcomes = ctx.data::<Webhooks>()?.create_all(&audit).await.or_api_error()?;
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

    /// Deletes a webhook at Bidsketch. If it sends to a hook URL of this service, that URL answers
    /// 410 from now on; Bidsketch then drops the webhook itself, even if it cannot be reached now.
    /// A webhook that Bidsketch no longer has counts as deleted.
    async fn delete_bidsketch_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The webhook to delete, by one of its ids.")] input: DeleteBidsketchWebhookInput,
    ) -> Result<Selected<DeleteBidsketchWebhookPayload>> {
        let subject = match &input {
            DeleteBidsketchWebhookInput::Id(id) => show_node_id(id),
            DeleteBidsketchWebhookInput::VendorId(id) if crate::vendor::bidsketch::api::is_webhook_id(id) => {
                format!("webhook {id} at Bidsketch")
            }
            DeleteBidsketchWebhookInput::VendorId(_) => "a malformed id".to_owned(),
        };
        let audit = begin_audit(ctx, "deleteBidsketchWebhook", subject)?;
        let (webhook, field) = match input {
            DeleteBidsketchWebhookInput::Id(id) => match id.parse() {
                Ok(NodeId::BidsketchWebhook(id)) => (WebhookRef::Id(id), "id"),
                Ok(_) | Err(_) => {
                    let problem =
                        format!("`id` must be the node id of a webhook such as webhook:3, it is {:?}", excerpt(&id));
                    return Err(ApiError::BadUserInput(problem).into_graphql_error());
                }
            },
            DeleteBidsketchWebhookInput::VendorId(id) if crate::vendor::bidsketch::api::is_webhook_id(&id) => {
                (WebhookRef::VendorId(id), "vendorId")
            }
            DeleteBidsketchWebhookInput::VendorId(id) => {
                let problem = format!(
                    "`vendorId` must be an id of Bidsketch's, a number such as 4815162342, it is {:?}",
                    excerpt(&id)
                );
                return Err(ApiError::BadUserInput(problem).into_graphql_error());
            }
        };
        let outcome = ctx.data::<Webhooks>()?.delete(webhook, audit).await.or_api_error()?;
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
