//! Deleting a webhook. Its hook URL is retired before the call to Bidsketch. If the call never
//! arrives, the URL answers 410, and Bidsketch deletes the webhook at its next delivery.

use super::{Inner, Problem, ProblemKind, WebhookResult, Webhooks};
use crate::auth::MutationAudit;
use crate::domain::{NodeId, WebhookId, WebhookState};
use crate::failpoint;
use crate::store::webhooks::Webhook;
use crate::store::{Job, StoreError, webhooks};
use crate::vendor::bidsketch::api::Deletion;

/// How a request names a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookRef {
    /// By its id here.
    Id(WebhookId),
    /// By Bidsketch's id, which also names one that was created by hand.
    VendorId(String),
}

impl Webhooks {
    /// Deletes a webhook. A webhook that is deleted already is returned as it is.
    ///
    /// # Errors
    ///
    /// Only the database's. Any other failure is in the result.
    pub async fn delete(&self, which: WebhookRef, audit: MutationAudit) -> Result<WebhookResult, StoreError> {
        let inner = self.0.clone();
        self.run_to_completion(async move { inner.delete(which, &audit).await }).await
    }
}

impl Inner {
    async fn delete(&self, which: WebhookRef, audit: &MutationAudit) -> Result<WebhookResult, StoreError> {
        let reader = self.store.reader();
        let found = match &which {
            WebhookRef::Id(id) => webhooks::by_id(reader, *id).await?,
            WebhookRef::VendorId(vendor_id) => webhooks::by_vendor_id(reader, vendor_id).await?,
        };
        match (found, which) {
            (Some(found), _) => self.delete_registered(found, audit).await,
            (None, WebhookRef::Id(id)) => Ok(WebhookResult::with_problem(None, not_found(&format!("webhook:{id}")))),
            (None, WebhookRef::VendorId(vendor_id)) => self.delete_unregistered(vendor_id, audit).await,
        }
    }

    async fn delete_registered(&self, found: Webhook, audit: &MutationAudit) -> Result<WebhookResult, StoreError> {
        if found.state == WebhookState::Deleted {
            return Ok(WebhookResult::success(Some(found)));
        }
        // Without Bidsketch's id there is no call to make.
        if found.vendor_id.is_some()
            && let Err(problem) = self.api()
        {
            return Ok(WebhookResult::with_problem(Some(found), problem));
        }
        let mut locks = self.store.job_locks().await?;
        // If another task holds the lock, it will see the new state.
        let is_locked_here = locks.try_lock(Job::Webhook(found.id)).await?;
        let tx = self.store.begin().await?;
        let Some(current) = webhooks::by_id(&tx, found.id).await? else {
            return Ok(WebhookResult::with_problem(None, not_found(&format!("webhook:{}", found.id))));
        };
        match current.state {
            WebhookState::Deleted => return Ok(WebhookResult::success(Some(current))),
            // Its creation was abandoned, and its outcome is unknown.
            WebhookState::Pending | WebhookState::Deleting if current.vendor_id.is_none() && is_locked_here => {
                webhooks::mark_deleted(&tx, current.id).await?;
            }
            // The task that creates it will find it DELETING.
            WebhookState::Pending | WebhookState::Active | WebhookState::Deleting => {
                webhooks::mark_deleting(&tx, current.id).await?;
            }
            // It is unknown whether Bidsketch created it. If so, its retired URL makes Bidsketch
            // delete it.
            WebhookState::Failed if current.vendor_id.is_none() => webhooks::mark_deleted(&tx, current.id).await?,
            WebhookState::Failed => webhooks::mark_deleting(&tx, current.id).await?,
        }
        audit.record(&tx, &NodeId::BidsketchWebhook(current.id).to_string()).await?;
        self.store.commit(tx, None).await?;
        failpoint::abort_if_set("webhook-deleting");
        match current.vendor_id {
            Some(vendor_id) => delete_at_vendor(self, current.id, &vendor_id).await,
            None => Ok(WebhookResult::success(webhooks::by_id(self.store.reader(), current.id).await?)),
        }
    }

    /// Deletes a webhook that has no row here: created by hand, or by another service.
    async fn delete_unregistered(&self, vendor_id: String, audit: &MutationAudit) -> Result<WebhookResult, StoreError> {
        let deleted = match self.api() {
            Ok(api) => api.delete_webhook(&vendor_id).await.map_err(Problem::from),
            Err(problem) => Err(problem),
        };
        Ok(match deleted {
            Ok(Deletion::Deleted) => {
                tracing::info!(vendor_id, "webhook deleted at Bidsketch");
                audit.record_soon(&format!("webhook {vendor_id} at Bidsketch"));
                WebhookResult::success(None)
            }
            Ok(Deletion::NotFound) => {
                WebhookResult::with_problem(None, not_found(&format!("webhook {vendor_id} at Bidsketch")))
            }
            Err(problem) => WebhookResult::with_problem(None, problem),
        })
    }
}

fn not_found(what: &str) -> Problem {
    Problem::new(ProblemKind::NotFound, format!("there is no {what}"))
}

/// Deletes a webhook that is DELETING at Bidsketch, and saves the result.
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
        // A webhook that Bidsketch does not find counts as deleted.
        Ok(Deletion::Deleted | Deletion::NotFound) => {
            webhooks::mark_deleted(&tx, id).await?;
            tracing::info!(webhook = %id, vendor_id, "webhook deleted at Bidsketch");
            None
        }
        Err(problem) => {
            webhooks::record_error(&tx, id, problem.kind.as_str(), &problem.message).await?;
            tracing::warn!(
                webhook = %id, vendor_id, code = %problem.kind,
                "failed to delete a webhook at Bidsketch; the next start of a node tries again: {}", problem.message
            );
            Some(problem)
        }
    };
    inner.store.commit(tx, None).await?;
    Ok(WebhookResult { webhook: webhooks::by_id(inner.store.reader(), id).await?, problem })
}
