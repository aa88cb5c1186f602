//! Deleting a webhook. Its own URL is dead before Bidsketch is asked, so that it is forgotten even where that call never
//! arrives.

use super::{Inner, Problem, ProblemKind, WebhookResult, Webhooks};
use crate::domain::{WebhookId, WebhookState};
use crate::failpoint;
use crate::store::webhooks::Webhook;
use crate::store::{StoreError, webhooks};
use crate::vendor::bidsketch::api::Deletion;

/// Which webhook is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookRef {
    /// By its number here.
    Id(WebhookId),
    /// By Bidsketch's id: one that was made by hand, too.
    VendorId(String),
}

impl Webhooks {
    /// Deletes a webhook. One that is deleted already is the outcome as it is.
    ///
    /// # Errors
    ///
    /// Where the database is not available. Everything else that stands in the way is in the outcome.
    pub async fn delete(&self, which: WebhookRef) -> Result<WebhookResult, StoreError> {
        let inner = self.0.clone();
        self.run_to_completion(async move { inner.delete(which).await }).await
    }
}

impl Inner {
    async fn delete(&self, which: WebhookRef) -> Result<WebhookResult, StoreError> {
        let reader = self.store.reader();
        let found = match &which {
            WebhookRef::Id(id) => webhooks::by_id(reader, *id).await?,
            WebhookRef::VendorId(vendor_id) => webhooks::by_vendor_id(reader, vendor_id).await?,
        };
        match (found, which) {
            (Some(found), _) => self.delete_registered(found).await,
            (None, WebhookRef::Id(id)) => Ok(WebhookResult::with_problem(None, not_found(&format!("webhook:{id}")))),
            (None, WebhookRef::VendorId(vendor_id)) => self.delete_unregistered(vendor_id).await,
        }
    }

    async fn delete_registered(&self, found: Webhook) -> Result<WebhookResult, StoreError> {
        if found.state == WebhookState::Deleted {
            return Ok(WebhookResult::success(Some(found)));
        }
        // Without Bidsketch's id there is nothing to ask it for.
        if found.vendor_id.is_some()
            && let Err(problem) = self.api()
        {
            return Ok(WebhookResult::with_problem(Some(found), problem));
        }
        let mut hands = self.store.job_locks().await?;
        // Else somebody is at work on it, who will see what is wanted now.
        let in_hand = hands.try_lock(found.id).await?;
        let tx = self.store.begin().await?;
        let Some(now) = webhooks::by_id(&tx, found.id).await? else {
            return Ok(WebhookResult::with_problem(None, not_found(&format!("webhook:{}", found.id))));
        };
        match now.state {
            WebhookState::Deleted => return Ok(WebhookResult::success(Some(now))),
            // Nobody is at work on it any more, and nobody knows whether Bidsketch has it.
            WebhookState::Pending | WebhookState::Deleting if now.vendor_id.is_none() && in_hand => {
                webhooks::mark_deleted(&tx, now.id).await?;
            }
            // Whoever asked Bidsketch to create it will see that it is not wanted any more.
            WebhookState::Pending | WebhookState::Active | WebhookState::Deleting => {
                webhooks::mark_deleting(&tx, now.id).await?;
            }
            // Nobody knows whether Bidsketch has it: its dead URL is what deletes it there.
            WebhookState::Failed if now.vendor_id.is_none() => webhooks::mark_deleted(&tx, now.id).await?,
            WebhookState::Failed => webhooks::mark_deleting(&tx, now.id).await?,
        }
        self.store.commit(tx, None).await?;
        failpoint::abort_if_set("webhook-deleting");
        match now.vendor_id {
            Some(vendor_id) => delete_at_vendor(self, now.id, &vendor_id).await,
            None => Ok(WebhookResult::success(webhooks::by_id(self.store.reader(), now.id).await?)),
        }
    }

    /// One that nothing is known of here: made by hand, or from another place.
    async fn delete_unregistered(&self, vendor_id: String) -> Result<WebhookResult, StoreError> {
        let deleted = match self.api() {
            Ok(api) => api.delete_webhook(&vendor_id).await.map_err(Problem::from),
            Err(problem) => Err(problem),
        };
        Ok(match deleted {
            Ok(Deletion::Deleted) => {
                tracing::info!(vendor_id, "a webhook was deleted at Bidsketch");
                WebhookResult::success(None)
            }
            Ok(Deletion::NotFound) => {
                WebhookResult::with_problem(None, not_found(&format!("webhook {vendor_id} of Bidsketch's")))
            }
            Err(problem) => WebhookResult::with_problem(None, problem),
        })
    }
}

fn not_found(what: &str) -> Problem {
    Problem::new(ProblemKind::NotFound, format!("there is no {what}"))
}

/// Asks Bidsketch to delete a webhook that is DELETING.
pub(super) async fn delete_at_vendor(
    inner: &Inner,
    id: WebhookId,
    vendor_id: &str,
) -> Result<WebhookResult, StoreError> {
    let deleted = match inner.api() {
        Ok(api) => api.delete_webhook(vendor_id).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    failpoint::abort_if_set("webhook-delete-answered");
    let tx = inner.store.begin().await?;
    let problem = match deleted {
        // One that is gone is as good as deleted.
        Ok(Deletion::Deleted | Deletion::NotFound) => {
            webhooks::mark_deleted(&tx, id).await?;
            tracing::info!(webhook = %id, vendor_id, "a webhook was deleted at Bidsketch");
            None
        }
        Err(problem) => {
            webhooks::record_error(&tx, id, problem.kind.as_str(), &problem.message).await?;
            tracing::warn!(
                webhook = %id, vendor_id, code = %problem.kind,
                "a webhook was not deleted at Bidsketch, which is asked again when a node starts: {}", problem.message
            );
            Some(problem)
        }
    };
    inner.store.commit(tx, None).await?;
    Ok(WebhookResult { webhook: webhooks::by_id(inner.store.reader(), id).await?, problem })
}
