//! What somebody has left unfinished: an earlier run of this node, or another node that has died.

use std::time::Duration;

use super::{ProblemKind, Webhooks, delete};
use crate::domain::WebhookState;
use crate::store::webhook::Webhook;
use crate::store::{Job, StoreError, webhook};

/// What is said of a creation that was cut short.
pub(super) const CUT_SHORT: &str = "the service ended before Bidsketch's answer was kept: it is not known whether Bidsketch has created the \
                         webhook. Deliveries of it are taken; create a new one, and this one is forgotten at its next delivery";

/// How often to look for what other nodes have left.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl Webhooks {
    /// Goes on with what is unfinished and in nobody's hand. A creation without an answer is FAILED with OUTCOME_UNKNOWN; a deletion,
    /// which may be repeated, is asked for again, in the background: also one that Bidsketch has refused before.
    ///
    /// # Errors
    ///
    /// Where the database is not available.
    pub async fn recover(&self) -> Result<(), StoreError> {
        self.go_on(|_| true).await
    }

    /// Looks every few seconds for what a node has left that has died, for as long as it is polled. A deletion that was answered, if only
    /// by a refusal, was not left: it waits for the next start.
    pub async fn look_after(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let can_delete = |left: &Webhook| left.vendor_id.is_none() || self.0.api.is_some();
            let left =
                |left: &Webhook| left.state == WebhookState::Pending || (left.last_error.is_none() && can_delete(left));
            if let Err(error) = self.go_on(left).await {
                tracing::warn!(%error, "it cannot be seen whether webhooks were left unfinished");
            }
        }
    }

    async fn go_on(&self, wanted: impl Fn(&Webhook) -> bool) -> Result<(), StoreError> {
        let store = &self.0.store;
        let unfinished = [WebhookState::Pending, WebhookState::Deleting];
        for left in webhook::in_states(store.reader(), &unfinished).await?.into_iter().filter(wanted) {
            let Some(job) = store.take_job(left.id).await? else { continue };
            // Whoever had it may have finished just now.
            let Some(left) = webhook::by_id(store.reader(), left.id).await? else { continue };
            self.finish_one(left, job).await?;
        }
        Ok(())
    }

    async fn finish_one(&self, left: Webhook, job: Job) -> Result<(), StoreError> {
        let store = &self.0.store;
        match (left.state, left.vendor_id) {
            (WebhookState::Pending, _) => {
                tracing::warn!(webhook = %left.id, event = %left.event, "{CUT_SHORT}");
                let tx = store.begin().await?;
                webhook::failed(&tx, left.id, ProblemKind::OutcomeUnknown.as_str(), CUT_SHORT).await?;
                store.commit(tx, None).await?;
            }
            (WebhookState::Deleting, Some(vendor_id)) if self.0.api.is_some() => {
                let inner = self.0.clone();
                self.0.calls.spawn(async move {
                    let asked = delete::ask_to_delete(&inner, left.id, &vendor_id).await;
                    drop(job);
                    if let Err(error) = asked {
                        tracing::error!(webhook = %left.id, %error, "what became of a deletion could not be kept");
                    }
                });
            }
            (WebhookState::Deleting, Some(_)) => {
                tracing::warn!(webhook = %left.id, "a webhook waits to be deleted: set bidsketch.api_token");
            }
            (WebhookState::Deleting, None) => {
                let tx = store.begin().await?;
                webhook::deleted(&tx, left.id).await?;
                store.commit(tx, None).await?;
            }
            (WebhookState::Active | WebhookState::Deleted | WebhookState::Failed, _) => {}
        }
        Ok(())
    }
}
