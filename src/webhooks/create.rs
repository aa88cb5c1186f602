//! Creating a webhook.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::{Inner, Problem, ProblemKind, WebhookResult, Webhooks, delete, recover};
use crate::domain::{BidsketchEvent, Endpoint, WebhookId, WebhookState, token};
use crate::failpoint;
use crate::store::webhooks::{NewWebhook, Webhook};
use crate::store::{StoreError, webhooks};

/// Where a webhook is to send to.
struct Destination {
    endpoint: Endpoint,
    /// The SHA-256 of the token in it, where it is a hook URL of this service.
    token_hash: Option<String>,
}

impl Webhooks {
    /// Creates a webhook for an event: to the endpoint given, or to a hook URL of this service with a fresh secret. Its whole
    /// endpoint is in the outcome this once.
    ///
    /// There is one live webhook for an event at most: asked for the same again, that one is the outcome.
    ///
    /// # Errors
    ///
    /// Where the database is not available. Everything else that stands in the way is in the outcome.
    pub async fn create(&self, event: BidsketchEvent, endpoint: Option<String>) -> Result<WebhookResult, StoreError> {
        let inner = self.0.clone();
        self.run_to_completion(async move { inner.create(event, endpoint.as_deref()).await }).await
    }

    /// Creates webhooks for all seven events to hook URLs of this service; those that are live are kept. Gives an outcome for each
    /// event, in their order.
    ///
    /// # Errors
    ///
    /// Where the database is not available.
    pub async fn create_all(&self) -> Result<Vec<(BidsketchEvent, WebhookResult)>, StoreError> {
        let all = BidsketchEvent::ALL.iter().map(async |&event| {
            let mut outcome = self.create(event, None).await?;
            // One that sends to another place is there all the same.
            if outcome.problem.as_ref().is_some_and(|problem| problem.kind == ProblemKind::AlreadyExists) {
                outcome.problem = None;
            }
            Ok((event, outcome))
        });
        futures_util::future::try_join_all(all).await
    }
}
fn match_existing(live: Webhook, target: &Destination) -> WebhookResult {
    if live.state == WebhookState::Deleting {
        return already_exists(live);
    }
    let is_same = match (&target.token_hash, live.is_own) {
        (Some(_), is_own) => is_own,
        (None, true) => false,
        (None, false) => live.endpoint_hash == token::hash(target.endpoint.expose()),
    };
    if is_same {
        return WebhookResult::success(Some(live));
    }
    already_exists(live)
}

fn already_exists(live: Webhook) -> WebhookResult {
    let message = format!(
        "there is a webhook for {} already, {}, which sends to {}: delete webhook:{} first",
        live.event, live.state, live.endpoint, live.id
    );
    WebhookResult::with_problem(Some(live), Problem::new(ProblemKind::AlreadyExists, message))
}

impl Inner {
    async fn create(&self, event: BidsketchEvent, endpoint: Option<&str>) -> Result<WebhookResult, StoreError> {
        let target = match self.api().and_then(|_| self.resolve_destination(endpoint)) {
            Ok(target) => target,
            Err(problem) => return Ok(WebhookResult::with_problem(None, problem)),
        };
        let mut hands = self.store.job_locks().await?;
        let tx = self.store.begin().await?;
        if let Some(live) = webhooks::live_for_event(&tx, event).await? {
            let is_abandoned = live.state == WebhookState::Pending && hands.try_lock(live.id).await?;
            if !is_abandoned {
                tx.rollback().await?;
                return Ok(match_existing(live, &target));
            }
            // Whoever began it has died, or could not keep what became of it.
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
            endpoint: target.endpoint.masked(),
            endpoint_hash: token::hash(target.endpoint.expose()),
            token_hash: target.token_hash.clone(),
            created_at: self.clock.now(),
        };
        let pending = webhooks::insert(&tx, new).await?;
        // Nobody else can have it: until the commit nobody sees it.
        hands.try_lock(pending.id).await?;
        self.store.commit(tx, None).await?;
        failpoint::abort_if_set("webhook-inserted");
        self.create_at_vendor(pending, &target.endpoint).await
    }

    fn resolve_destination(&self, endpoint: Option<&str>) -> Result<Destination, Problem> {
        if let Some(endpoint) = endpoint {
            return Ok(Destination { endpoint: Endpoint::parse(endpoint)?, token_hash: None });
        }
        let Some(base) = &self.hook_base_url else {
            let message = "Bidsketch must reach this service: set server.public_url";
            return Err(Problem::new(ProblemKind::NotConfigured, message));
        };
        let token = token::generate();
        let endpoint = Endpoint::own_hook(base, &token)
            .map_err(|error| Problem::new(ProblemKind::NotConfigured, format!("server.public_url: {error}")))?;
        Ok(Destination { endpoint, token_hash: Some(token::hash(&token)) })
    }

    async fn create_at_vendor(&self, pending: Webhook, endpoint: &Endpoint) -> Result<WebhookResult, StoreError> {
        let (id, event) = (pending.id, pending.event);
        let asked = match self.api() {
            Ok(api) => api.create_webhook(&event.vendor_name(), endpoint).await.map_err(Problem::from),
            Err(problem) => Err(problem),
        };
        match asked {
            Ok(vendor_id) => {
                failpoint::abort_if_set("webhook-answered");
                let is_wanted = self.save_vendor_id(&pending, &vendor_id).await?;
                failpoint::abort_if_set("webhook-activated");
                tracing::info!(webhook = %id, %event, vendor_id, "a webhook was created at Bidsketch");
                if !is_wanted {
                    // Somebody has deleted it meanwhile.
                    return delete::delete_at_vendor(self, id, &vendor_id).await;
                }
                let created = webhooks::by_id(self.store.reader(), id).await?;
                Ok(WebhookResult::success(
                    created.map(|created| Webhook { endpoint: endpoint.expose().to_owned(), ..created }),
                ))
            }
            Err(problem) => {
                tracing::warn!(webhook = %id, %event, code = %problem.kind, "no webhook was created at Bidsketch: {}", problem.message);
                retry_save(|| self.save_problem(id, &problem)).await?;
                Ok(WebhookResult::with_problem(webhooks::by_id(self.store.reader(), id).await?, problem))
            }
        }
    }

    /// Keeps Bidsketch's id, and tries for a while: nowhere else is it told.
    async fn save_vendor_id(&self, pending: &Webhook, vendor_id: &str) -> Result<bool, StoreError> {
        let kept = retry_save(|| self.try_save_vendor_id(pending, vendor_id)).await;
        kept.inspect_err(|error| {
            tracing::error!(
                webhook = %pending.id, vendor_id, %error,
                "Bidsketch's answer could not be kept: the webhook will be FAILED with OUTCOME_UNKNOWN; it can be deleted by this \
                 vendor id"
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
            // It was to be deleted meanwhile: if Bidsketch has it all the same, its dead URL is what deletes it.
            webhooks::mark_deleted(&tx, id).await?;
        }
        self.store.commit(tx, None).await
    }
}

/// Tries for some twenty seconds to keep what became of a call, should the database not take it at once.
async fn retry_save<T, K: Future<Output = Result<T, StoreError>>>(keep: impl FnMut() -> K) -> Result<T, StoreError> {
    let pauses = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(9);
    keep.retry(pauses).await
}
