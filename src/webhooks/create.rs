//! Creating a webhook.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::{Inner, Outcome, Problem, ProblemKind, Webhooks, delete, recover};
use crate::domain::{BidsketchEvent, Endpoint, WebhookId, WebhookState, token};
use crate::failpoint;
use crate::store::webhooks::{NewWebhook, Webhook};
use crate::store::{StoreError, webhooks};

/// Where a webhook is to send to.
struct Target {
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
    pub async fn create(&self, event: BidsketchEvent, endpoint: Option<String>) -> Result<Outcome, StoreError> {
        let inner = self.0.clone();
        self.see_through(async move { inner.create(event, endpoint.as_deref()).await }).await
    }

    /// Creates webhooks for all seven events to hook URLs of this service; those that are live are kept. Gives an outcome for each
    /// event, in their order.
    ///
    /// # Errors
    ///
    /// Where the database is not available.
    pub async fn create_all(&self) -> Result<Vec<(BidsketchEvent, Outcome)>, StoreError> {
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
fn existing(live: Webhook, target: &Target) -> Outcome {
    if live.state == WebhookState::Deleting {
        return already(live);
    }
    let is_same = match (&target.token_hash, live.is_own) {
        (Some(_), is_own) => is_own,
        (None, true) => false,
        (None, false) => live.endpoint_hash == token::hash(target.endpoint.whole()),
    };
    if is_same {
        return Outcome::done(Some(live));
    }
    already(live)
}

fn already(live: Webhook) -> Outcome {
    let message = format!(
        "there is a webhook for {} already, {}, which sends to {}: delete webhook:{} first",
        live.event, live.state, live.endpoint, live.id
    );
    Outcome::stopped(Some(live), Problem::new(ProblemKind::AlreadyExists, message))
}

impl Inner {
    async fn create(&self, event: BidsketchEvent, endpoint: Option<&str>) -> Result<Outcome, StoreError> {
        let target = match self.api().and_then(|_| self.target(endpoint)) {
            Ok(target) => target,
            Err(problem) => return Ok(Outcome::stopped(None, problem)),
        };
        let mut hands = self.store.job_locks().await?;
        let tx = self.store.begin().await?;
        if let Some(live) = webhooks::live(&tx, event).await? {
            let is_abandoned = live.state == WebhookState::Pending && hands.try_lock(live.id).await?;
            if !is_abandoned {
                tx.rollback().await?;
                return Ok(existing(live, &target));
            }
            // Whoever began it has died, or could not keep what became of it.
            webhooks::failed(&tx, live.id, ProblemKind::OutcomeUnknown.as_str(), recover::CUT_SHORT).await?;
        }
        let new = NewWebhook {
            event,
            endpoint: target.endpoint.masked(),
            endpoint_hash: token::hash(target.endpoint.whole()),
            token_hash: target.token_hash.clone(),
            created_at: self.clock.now(),
        };
        let pending = webhooks::insert(&tx, new).await?;
        // Nobody else can have it: until the commit nobody sees it.
        hands.try_lock(pending.id).await?;
        self.store.commit(tx, None).await?;
        failpoint::reached("webhook-inserted");
        self.ask_to_create(pending, &target.endpoint).await
    }

    fn target(&self, endpoint: Option<&str>) -> Result<Target, Problem> {
        if let Some(endpoint) = endpoint {
            return Ok(Target { endpoint: Endpoint::parse(endpoint)?, token_hash: None });
        }
        let Some(base) = &self.base else {
            let message = "Bidsketch must reach this service: set server.public_url";
            return Err(Problem::new(ProblemKind::NotConfigured, message));
        };
        let token = token::new();
        let endpoint = Endpoint::own(base, &token)
            .map_err(|error| Problem::new(ProblemKind::NotConfigured, format!("server.public_url: {error}")))?;
        Ok(Target { endpoint, token_hash: Some(token::hash(&token)) })
    }

    async fn ask_to_create(&self, pending: Webhook, endpoint: &Endpoint) -> Result<Outcome, StoreError> {
        let (id, event) = (pending.id, pending.event);
        let asked = match self.api() {
            Ok(api) => api.create_webhook(&event.vendor_name(), endpoint).await.map_err(Problem::from),
            Err(problem) => Err(problem),
        };
        match asked {
            Ok(vendor_id) => {
                failpoint::reached("webhook-answered");
                let is_wanted = self.keep_answer(&pending, &vendor_id).await?;
                failpoint::reached("webhook-activated");
                tracing::info!(webhook = %id, %event, vendor_id, "a webhook was created at Bidsketch");
                if !is_wanted {
                    // Somebody has deleted it meanwhile.
                    return delete::ask_to_delete(self, id, &vendor_id).await;
                }
                let created = webhooks::by_id(self.store.reader(), id).await?;
                Ok(Outcome::done(created.map(|created| Webhook { endpoint: endpoint.whole().to_owned(), ..created })))
            }
            Err(problem) => {
                tracing::warn!(webhook = %id, %event, code = %problem.kind, "no webhook was created at Bidsketch: {}", problem.message);
                keeping(|| self.keep_problem(id, &problem)).await?;
                Ok(Outcome::stopped(webhooks::by_id(self.store.reader(), id).await?, problem))
            }
        }
    }

    /// Keeps Bidsketch's id, and tries for a while: nowhere else is it told.
    async fn keep_answer(&self, pending: &Webhook, vendor_id: &str) -> Result<bool, StoreError> {
        let kept = keeping(|| self.keep_answer_once(pending, vendor_id)).await;
        kept.inspect_err(|error| {
            tracing::error!(
                webhook = %pending.id, vendor_id, %error,
                "Bidsketch's answer could not be kept: the webhook will be FAILED with OUTCOME_UNKNOWN; it can be deleted by this \
                 vendor id"
            );
        })
    }

    async fn keep_answer_once(&self, pending: &Webhook, vendor_id: &str) -> Result<bool, StoreError> {
        let tx = self.store.begin().await?;
        let is_wanted = webhooks::created(&tx, pending.id, pending.event, vendor_id).await?;
        self.store.commit(tx, None).await?;
        Ok(is_wanted)
    }

    async fn keep_problem(&self, id: WebhookId, problem: &Problem) -> Result<(), StoreError> {
        let tx = self.store.begin().await?;
        if !webhooks::failed(&tx, id, problem.kind.as_str(), &problem.message).await?
            && webhooks::by_id(&tx, id).await?.is_some_and(|webhook| webhook.state == WebhookState::Deleting)
        {
            // It was to be deleted meanwhile: if Bidsketch has it all the same, its dead URL is what deletes it.
            webhooks::deleted(&tx, id).await?;
        }
        self.store.commit(tx, None).await
    }
}

/// Tries for some twenty seconds to keep what became of a call, should the database not take it at once.
async fn keeping<T, K: Future<Output = Result<T, StoreError>>>(keep: impl FnMut() -> K) -> Result<T, StoreError> {
    let pauses = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(9);
    keep.retry(pauses).await
}
