//! What somebody has left unfinished: an earlier run of this node, or another node that has died.

use std::time::Duration;

use super::{ProblemKind, Webhooks, delete};
use crate::domain::{WebhookId, WebhookState};
use crate::store::webhooks::Webhook;
use crate::store::{StoreError, webhooks};

/// What is said of a creation that was cut short.
pub(super) const INTERRUPTED_CREATION_MESSAGE: &str = "the service ended before Bidsketch's answer was kept: it is not known whether Bidsketch has created the \
                         webhook. Deliveries of it are taken; create a new one, and this one is forgotten at its next delivery";

/// How often to look for what other nodes have left.
const RECOVERY_POLL_INTERVAL: Duration = Duration::from_secs(5);

impl Webhooks {
    /// Goes on with what is unfinished and in nobody's hand. A creation without an answer is FAILED with OUTCOME_UNKNOWN; a deletion,
    /// which may be repeated, is asked for again, in the background: also one that Bidsketch has refused before.
    ///
    /// What cannot be done now is tried again while the service runs ([`Webhooks::look_after`]): it does not keep it from starting.
    pub async fn recover(&self) {
        let left = self.unfinished(|_| true).await;
        let (creations, deletions): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|left| left.state == WebhookState::Pending);
        self.resume_all(creations).await;
        let background = self.clone();
        self.0.request_tasks.spawn(async move { background.resume_all(deletions).await });
    }

    /// Looks every few seconds for what a node has left that has died, for as long as it is polled. A deletion that was answered, if only
    /// by a refusal, was not left: it waits for the next start.
    pub async fn run_recovery_loop(&self) {
        loop {
            tokio::time::sleep(RECOVERY_POLL_INTERVAL).await;
            let can_delete = |left: &Webhook| left.vendor_id.is_none() || self.0.api.is_some();
            let is_left =
                |left: &Webhook| left.state == WebhookState::Pending || (left.last_error.is_none() && can_delete(left));
            let left = self.unfinished(is_left).await;
            self.resume_all(left).await;
        }
    }

    async fn unfinished(&self, wanted: impl Fn(&Webhook) -> bool) -> Vec<Webhook> {
        let unfinished = [WebhookState::Pending, WebhookState::Deleting];
        match webhooks::in_states(self.0.store.reserved_reader(), &unfinished).await {
            Ok(found) => found.into_iter().filter(wanted).collect(),
            Err(error) => {
                tracing::warn!(%error, "it cannot be seen whether webhooks were left unfinished");
                Vec::new()
            }
        }
    }

    async fn resume_all(&self, left: Vec<Webhook>) {
        for left in left {
            if let Err(error) = self.resume(left.id).await {
                tracing::warn!(webhook = %left.id, %error, "what is unfinished of a webhook could not be gone on with");
            }
        }
    }

    async fn resume(&self, id: WebhookId) -> Result<(), StoreError> {
        let store = &self.0.store;
        let mut hands = store.job_locks().await?;
        if !hands.try_lock(id).await? {
            return Ok(());
        }
        // Whoever had it may have finished just now.
        let Some(left) = webhooks::by_id(store.reserved_reader(), id).await? else { return Ok(()) };
        match (left.state, left.vendor_id) {
            (WebhookState::Pending, _) => {
                tracing::warn!(webhook = %id, event = %left.event, "{INTERRUPTED_CREATION_MESSAGE}");
                let tx = store.begin().await?;
                webhooks::mark_failed(&tx, id, ProblemKind::OutcomeUnknown.as_str(), INTERRUPTED_CREATION_MESSAGE)
                    .await?;
                store.commit(tx, None).await?;
            }
            (WebhookState::Deleting, Some(vendor_id)) if self.0.api.is_some() => {
                delete::delete_at_vendor(&self.0, id, &vendor_id).await?;
            }
            (WebhookState::Deleting, Some(_)) => {
                tracing::warn!(webhook = %id, "a webhook waits to be deleted: set bidsketch.api_token");
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
