//! What an earlier run has left unfinished.

use super::{Outcome, ProblemKind, Webhooks, delete};
use crate::domain::WebhookState;
use crate::store::{StoreError, webhook};

/// What is said of a creation that was cut short.
pub(super) const CUT_SHORT: &str = "the service ended before Bidsketch's answer was kept: it is not known whether Bidsketch has created the \
                         webhook. Deliveries of it are taken; create a new one, and this one is forgotten at its next delivery";

impl Webhooks {
    /// Goes on where an earlier run was cut short. A creation without an answer is FAILED with OUTCOME_UNKNOWN; a deletion, which
    /// may be repeated, is asked for again, in the background.
    ///
    /// # Errors
    ///
    /// Where the database is not available.
    pub async fn recover(&self) -> Result<(), StoreError> {
        let store = &self.0.store;
        let unfinished = [WebhookState::Pending, WebhookState::Deleting];
        for left in webhook::in_states(store.reader(), &unfinished).await? {
            match (left.state, left.vendor_id) {
                (WebhookState::Pending, _) => {
                    tracing::warn!(webhook = %left.id, event = %left.event, "{CUT_SHORT}");
                    let tx = store.begin().await?;
                    webhook::failed(&tx, left.id, ProblemKind::OutcomeUnknown.as_str(), CUT_SHORT).await?;
                    tx.commit().await.map_err(StoreError::from)?;
                }
                (WebhookState::Deleting, Some(vendor_id)) if self.0.api.is_some() => {
                    let inner = self.0.clone();
                    self.0.calls.spawn(async move {
                        let asked = delete::ask_to_delete(&inner, left.id, &vendor_id).await;
                        if let Err(error) = asked.map(|Outcome { .. }| ()) {
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
                    tx.commit().await.map_err(StoreError::from)?;
                }
                (WebhookState::Active | WebhookState::Deleted | WebhookState::Failed, _) => {}
            }
        }
        Ok(())
    }
}
