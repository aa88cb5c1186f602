//! Creating a webhook.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::{Inner, Problem, ProblemKind, WebhookResult, Webhooks, delete, recover};
use crate::auth::MutationAudit;
use crate::domain::token::{self, Token};
use crate::domain::{BidsketchEvent, Endpoint, NodeId, WebhookId, WebhookState};
use crate::failpoint;
use crate::store::webhooks::{NewWebhook, Webhook};
use crate::store::{Job, StoreError, webhooks};

/// The endpoint of a new webhook.
struct Destination {
    endpoint: Endpoint,
    /// The SHA-256 of its token, if it is a hook URL of this service.
    token_hash: Option<String>,
}

impl Webhooks {
    /// Creates a webhook for an event: to the given endpoint, or to a hook URL of this service with
    /// a fresh secret. Only this result shows the whole endpoint.
    ///
    /// An event has at most one live webhook. An equal request returns that one.
    ///
    /// # Errors
    ///
    /// Only the database's. Any other failure is in the result.
    pub async fn create(
        &self,
        event: BidsketchEvent,
        endpoint: Option<String>,
        audit: MutationAudit,
    ) -> Result<WebhookResult, StoreError> {
        let inner = self.0.clone();
        self.run_to_completion(async move { inner.create(event, endpoint.as_deref(), &audit).await }).await
    }

    /// Creates webhooks for all seven events, to hook URLs of this service. Live webhooks stay as
    /// they are. Returns a result for each event, in their order.
    pub async fn create_all(&self, audit: &MutationAudit) -> Result<Vec<(BidsketchEvent, WebhookResult)>, StoreError> {
        let all = BidsketchEvent::ALL.iter().map(async |&event| {
            let mut result = self.create(event, None, audit.clone()).await?;
            // A live webhook to another endpoint is good enough.
            if result.problem.as_ref().is_some_and(|problem| problem.kind == ProblemKind::AlreadyExists) {
                result.problem = None;
            }
            Ok((event, result))
        });
        futures_util::future::try_join_all(all).await
    }
}

fn match_existing(live: Webhook, destination: &Destination) -> WebhookResult {
    if live.state == WebhookState::Deleting {
        return already_exists(live);
    }
    let is_same = match (&destination.token_hash, live.is_own) {
        (Some(_), is_own) => is_own,
        (None, true) => false,
        (None, false) => live.endpoint_hash == token::hash(destination.endpoint.expose()),
    };
    if is_same {
        return WebhookResult::success(Some(live));
    }
    already_exists(live)
}

fn already_exists(live: Webhook) -> WebhookResult {
    let message = format!(
        "{} already has a webhook, {}, which sends to {}; delete webhook:{} first",
        live.event, live.state, live.endpoint, live.id
    );
    WebhookResult::with_problem(Some(live), Problem::new(ProblemKind::AlreadyExists, message))
}

impl Inner {
    async fn create(
        &self,
        event: BidsketchEvent,
        endpoint: Option<&str>,
        audit: &MutationAudit,
    ) -> Result<WebhookResult, StoreError> {
        let destination = match self.api().and_then(|_| self.resolve_destination(endpoint)) {
            Ok(destination) => destination,
            Err(problem) => return Ok(WebhookResult::with_problem(None, problem)),
        };
        let mut locks = self.store.job_locks().await?;
        let tx = self.store.begin().await?;
        if let Some(live) = webhooks::live_for_event(&tx, event).await? {
            let is_abandoned = live.state == WebhookState::Pending && locks.try_lock(Job::Webhook(live.id)).await?;
            if !is_abandoned {
                tx.rollback().await?;
                return Ok(match_existing(live, &destination));
            }
            // The node that began it died, or could not save the result.
            webhooks::mark_failed(
                &tx,
                live.id,
                ProblemKind::OutcomeUnknown.as_str(),
                recover::INTERRUPTED_CREATION_MESSAGE,
            )
            .await?;
        }
        let new = NewWebhook {
            event,
            endpoint: destination.endpoint.masked(),
            endpoint_hash: token::hash(destination.endpoint.expose()),
            token_hash: destination.token_hash.clone(),
            created_at: self.clock.now(),
        };
        let pending = webhooks::insert(&tx, new).await?;
        audit.record(&tx, &format!("{} for {event}", NodeId::BidsketchWebhook(pending.id))).await?;
        // The lock is free: no other node sees the row before the commit.
        locks.try_lock(Job::Webhook(pending.id)).await?;
        self.store.commit(tx, None).await?;
        failpoint::abort_if_set("webhook-inserted");
        self.create_at_vendor(pending, &destination.endpoint).await
    }

    fn resolve_destination(&self, endpoint: Option<&str>) -> Result<Destination, Problem> {
        if let Some(endpoint) = endpoint {
            return Ok(Destination { endpoint: Endpoint::parse(endpoint)?, token_hash: None });
        }
        let Some(base) = &self.hook_base_url else {
            let message = "Bidsketch cannot reach this service without a public URL; set server.public_url";
            return Err(Problem::new(ProblemKind::NotConfigured, message));
        };
        let token = Token::generate_for_hook();
        let endpoint = Endpoint::own_hook(base, token.expose())
            .map_err(|error| Problem::new(ProblemKind::NotConfigured, format!("server.public_url: {error}")))?;
        Ok(Destination { endpoint, token_hash: Some(token.hash()) })
    }

    async fn create_at_vendor(&self, pending: Webhook, endpoint: &Endpoint) -> Result<WebhookResult, StoreError> {
        let (id, event) = (pending.id, pending.event);
        let vendor_result = match self.api() {
            Ok(api) => api.create_webhook(&event.vendor_name(), endpoint).await.map_err(Problem::from),
            Err(problem) => Err(problem),
        };
        match vendor_result {
            Ok(vendor_id) => {
                failpoint::abort_if_set("webhook-answered");
                let is_wanted = self.save_vendor_id(&pending, &vendor_id).await?;
                failpoint::abort_if_set("webhook-activated");
                tracing::info!(webhook = %id, %event, vendor_id, "webhook created at Bidsketch");
                if !is_wanted {
                    // It was deleted meanwhile.
                    return delete::delete_at_vendor(self, id, &vendor_id).await;
                }
                let created = webhooks::by_id(self.store.reader(), id).await?;
                Ok(WebhookResult::success(
                    created.map(|created| Webhook { endpoint: endpoint.expose().to_owned(), ..created }),
                ))
            }
            Err(problem) => {
                tracing::warn!(webhook = %id, %event, code = %problem.kind, "failed to create a webhook at Bidsketch: {}", problem.message);
                retry_save(|| self.save_problem(id, &problem)).await?;
                Ok(WebhookResult::with_problem(webhooks::by_id(self.store.reader(), id).await?, problem))
            }
        }
    }

    /// Saves Bidsketch's id, and retries for a while: no other call returns it.
    async fn save_vendor_id(&self, pending: &Webhook, vendor_id: &str) -> Result<bool, StoreError> {
        let saved = retry_save(|| self.try_save_vendor_id(pending, vendor_id)).await;
        saved.inspect_err(|error| {
            tracing::error!(
                webhook = %pending.id, vendor_id, %error,
                "failed to save Bidsketch's answer: the webhook will be FAILED with OUTCOME_UNKNOWN; delete it by this vendor id"
            );
        })
    }

    async fn try_save_vendor_id(&self, pending: &Webhook, vendor_id: &str) -> Result<bool, StoreError> {
        let tx = self.store.begin().await?;
        let is_wanted = webhooks::mark_created(&tx, pending.id, pending.event, vendor_id).await?;
        self.store.commit(tx, None).await?;
        Ok(is_wanted)
    }

    async fn save_problem(&self, id: WebhookId, problem: &Problem) -> Result<(), StoreError> {
        let tx = self.store.begin().await?;
        if !webhooks::mark_failed(&tx, id, problem.kind.as_str(), &problem.message).await?
            && webhooks::by_id(&tx, id).await?.is_some_and(|webhook| webhook.state == WebhookState::Deleting)
        {
            // It was deleted meanwhile. If Bidsketch created it, its retired URL makes Bidsketch
            // delete it.
            webhooks::mark_deleted(&tx, id).await?;
        }
        self.store.commit(tx, None).await
    }
}

/// Retries for about twenty seconds to save the result of a call.
async fn retry_save<T, S: Future<Output = Result<T, StoreError>>>(save: impl FnMut() -> S) -> Result<T, StoreError> {
    let back_off = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(9);
    save.retry(back_off).await
}
