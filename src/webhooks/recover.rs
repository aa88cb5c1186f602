//! Recovery: resuming webhooks that an earlier run of this node, or a dead node, left unfinished.

use std::time::Duration;

use super::{ProblemKind, Webhooks, delete};
use crate::domain::{WebhookId, WebhookState};
use crate::store::webhooks::Webhook;
use crate::store::{Job, StoreError, webhooks};

/// The error of a creation that was interrupted.
pub(super) const INTERRUPTED_CREATION_MESSAGE: &str = "the service ended before it saved Bidsketch's answer: it is not known whether Bidsketch created the webhook. Its \
                         deliveries are still taken. Create a new one; Bidsketch then deletes this one at its next delivery";

/// How often to look for webhooks that other nodes abandoned.
const RECOVERY_POLL_INTERVAL: Duration = Duration::from_secs(5);

impl Webhooks {
    /// Resumes every webhook that is unfinished and not locked. A creation without an answer
    /// becomes FAILED with OUTCOME_UNKNOWN. A deletion is repeated in the background, even one that
    /// Bidsketch rejected before.
    ///
    /// A failure does not keep the service from starting: [`Webhooks::run_recovery_loop`] tries
    /// again.
    pub async fn recover(&self) {
        let unfinished = self.unfinished(|_| true).await;
        let (creations, deletions): (Vec<_>, Vec<_>) =
            unfinished.into_iter().partition(|webhook| webhook.state == WebhookState::Pending);
        self.resume_all(creations).await;
        let background = self.clone();
        self.0.request_tasks.spawn(async move { background.resume_all(deletions).await });
    }

    /// Looks every few seconds for webhooks that a dead node abandoned, until it is dropped. A
    /// deletion that Bidsketch answered, even with an error, waits for the next start.
    pub async fn run_recovery_loop(&self) {
        loop {
            tokio::time::sleep(RECOVERY_POLL_INTERVAL).await;
            let can_delete = |webhook: &Webhook| webhook.vendor_id.is_none() || self.0.api.is_some();
            let is_abandoned = |webhook: &Webhook| {
                webhook.state == WebhookState::Pending || (webhook.last_error.is_none() && can_delete(webhook))
            };
            let abandoned = self.unfinished(is_abandoned).await;
            self.resume_all(abandoned).await;
        }
    }

    async fn unfinished(&self, filter: impl Fn(&Webhook) -> bool) -> Vec<Webhook> {
        let states = [WebhookState::Pending, WebhookState::Deleting];
        match webhooks::in_states(self.0.store.reserved_reader(), &states).await {
            Ok(found) => found.into_iter().filter(filter).collect(),
            Err(error) => {
                tracing::warn!(%error, "failed to look for unfinished webhooks");
                Vec::new()
            }
        }
    }

    async fn resume_all(&self, webhooks: Vec<Webhook>) {
        for webhook in webhooks {
            if let Err(error) = self.resume(webhook.id).await {
                tracing::warn!(webhook = %webhook.id, %error, "failed to resume an unfinished webhook");
            }
        }
    }

    async fn resume(&self, id: WebhookId) -> Result<(), StoreError> {
        let store = &self.0.store;
        let mut locks = store.job_locks().await?;
        if !locks.try_lock(Job::Webhook(id)).await? {
            return Ok(());
        }
        // The task that held the lock may have finished just now.
        let Some(webhook) = webhooks::by_id(store.reserved_reader(), id).await? else { return Ok(()) };
        match (webhook.state, webhook.vendor_id) {
            (WebhookState::Pending, _) => {
                tracing::warn!(webhook = %id, event = %webhook.event, "{INTERRUPTED_CREATION_MESSAGE}");
                let tx = store.begin().await?;
                webhooks::mark_failed(&tx, id, ProblemKind::OutcomeUnknown.as_str(), INTERRUPTED_CREATION_MESSAGE)
                    .await?;
                store.commit(tx, None).await?;
            }
            (WebhookState::Deleting, Some(vendor_id)) if self.0.api.is_some() => {
                delete::delete_at_vendor(&self.0, id, &vendor_id).await?;
            }
            (WebhookState::Deleting, Some(_)) => {
                tracing::warn!(webhook = %id, "a webhook cannot be deleted without a token; set bidsketch.api_token");
            }
            (WebhookState::Deleting, None) => {
                let tx = store.begin().await?;
                webhooks::mark_deleted(&tx, id).await?;
                store.commit(tx, None).await?;
            }
            (WebhookState::Active | WebhookState::Deleted | WebhookState::Failed, _) => {}
        }
        Ok(())
    }
}
