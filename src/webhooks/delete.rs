//! Deleting a webhook. Its own URL is dead before Bidsketch is asked, so that it is forgotten even where that call never
//! arrives.

use super::{Inner, Outcome, Problem, ProblemKind, Webhooks};
use crate::domain::{WebhookId, WebhookState};
use crate::failpoint;
use crate::store::webhooks::Webhook;
use crate::store::{StoreError, webhooks};
use crate::vendor::bidsketch::api::Deletion;

/// Which webhook is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
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
    pub async fn delete(&self, which: Which) -> Result<Outcome, StoreError> {
        let inner = self.0.clone();
        self.see_through(async move { inner.delete(which).await }).await
    }
}

impl Inner {
    async fn delete(&self, which: Which) -> Result<Outcome, StoreError> {
        let reader = self.store.reader();
        let found = match &which {
            Which::Id(id) => webhooks::by_id(reader, *id).await?,
            Which::VendorId(vendor_id) => webhooks::by_vendor_id(reader, vendor_id).await?,
        };
        match (found, which) {
            (Some(found), _) => self.delete_known(found).await,
            (None, Which::Id(id)) => Ok(Outcome::stopped(None, not_found(&format!("webhook:{id}")))),
            (None, Which::VendorId(vendor_id)) => self.delete_by_hand(vendor_id).await,
        }
    }

    async fn delete_known(&self, found: Webhook) -> Result<Outcome, StoreError> {
        if found.state == WebhookState::Deleted {
            return Ok(Outcome::done(Some(found)));
        }
        // Without Bidsketch's id there is nothing to ask it for.
        if found.vendor_id.is_some()
            && let Err(problem) = self.api()
        {
            return Ok(Outcome::stopped(Some(found), problem));
        }
        let mut hands = self.store.job_locks().await?;
        // Else somebody is at work on it, who will see what is wanted now.
        let in_hand = hands.try_lock(found.id).await?;
        let tx = self.store.begin().await?;
        let Some(now) = webhooks::by_id(&tx, found.id).await? else {
            return Ok(Outcome::stopped(None, not_found(&format!("webhook:{}", found.id))));
        };
        match now.state {
            WebhookState::Deleted => return Ok(Outcome::done(Some(now))),
            // Nobody is at work on it any more, and nobody knows whether Bidsketch has it.
            WebhookState::Pending | WebhookState::Deleting if now.vendor_id.is_none() && in_hand => {
                webhooks::deleted(&tx, now.id).await?;
            }
            // Whoever asked Bidsketch to create it will see that it is not wanted any more.
            WebhookState::Pending | WebhookState::Active | WebhookState::Deleting => {
                webhooks::deleting(&tx, now.id).await?;
            }
            // Nobody knows whether Bidsketch has it: its dead URL is what deletes it there.
            WebhookState::Failed if now.vendor_id.is_none() => webhooks::deleted(&tx, now.id).await?,
            WebhookState::Failed => webhooks::deleting(&tx, now.id).await?,
        }
        self.store.commit(tx, None).await?;
        failpoint::reached("webhook-deleting");
        match now.vendor_id {
            Some(vendor_id) => ask_to_delete(self, now.id, &vendor_id).await,
            None => Ok(Outcome::done(webhooks::by_id(self.store.reader(), now.id).await?)),
        }
    }

    /// One that nothing is known of here: made by hand, or from another place.
    async fn delete_by_hand(&self, vendor_id: String) -> Result<Outcome, StoreError> {
        let deleted = match self.api() {
            Ok(api) => api.delete_webhook(&vendor_id).await.map_err(Problem::from),
            Err(problem) => Err(problem),
        };
        Ok(match deleted {
            Ok(Deletion::Deleted) => {
                tracing::info!(vendor_id, "a webhook was deleted at Bidsketch");
                Outcome::done(None)
            }
            Ok(Deletion::WasGone) => Outcome::stopped(None, not_found(&format!("webhook {vendor_id} of Bidsketch's"))),
            Err(problem) => Outcome::stopped(None, problem),
        })
    }
}

fn not_found(what: &str) -> Problem {
    Problem::new(ProblemKind::NotFound, format!("there is no {what}"))
}

/// Asks Bidsketch to delete a webhook that is DELETING.
pub(super) async fn ask_to_delete(inner: &Inner, id: WebhookId, vendor_id: &str) -> Result<Outcome, StoreError> {
    let deleted = match inner.api() {
        Ok(api) => api.delete_webhook(vendor_id).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    failpoint::reached("webhook-delete-answered");
    let tx = inner.store.begin().await?;
    let problem = match deleted {
        // One that is gone is as good as deleted.
        Ok(Deletion::Deleted | Deletion::WasGone) => {
            webhooks::deleted(&tx, id).await?;
            tracing::info!(webhook = %id, vendor_id, "a webhook was deleted at Bidsketch");
            None
        }
        Err(problem) => {
            webhooks::note_error(&tx, id, problem.kind.as_str(), &problem.message).await?;
            tracing::warn!(
                webhook = %id, vendor_id, code = %problem.kind,
                "a webhook was not deleted at Bidsketch, which is asked again when a node starts: {}", problem.message
            );
            Some(problem)
        }
    };
    inner.store.commit(tx, None).await?;
    Ok(Outcome { webhook: webhooks::by_id(inner.store.reader(), id).await?, problem })
}
