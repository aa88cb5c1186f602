//! The life of a webhook at Bidsketch: PENDING → ACTIVE → DELETING → DELETED, or FAILED.
//!
//! The row is written first and the call made second, so every webhook that bidarc created at
//! Bidsketch has a row here. Bidsketch has no call that lists webhooks, and a repeated creation
//! makes a second one. A creation without an answer is therefore FAILED with OUTCOME_UNKNOWN and
//! never repeated automatically. Its URL still takes deliveries, since Bidsketch may have created
//! it. When a new webhook for the event is ACTIVE, the old URL answers 410, and Bidsketch deletes
//! it at its first delivery.
//!
//! Each request runs in its own task and completes even if the caller disconnects. A node that
//! works on a webhook holds its job lock (`store::engine::job_lock`), which is released when the
//! process dies. An unfinished webhook that is not locked was therefore abandoned, and any node may
//! resume it.

use std::sync::Arc;

use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::clock::Clock;
use crate::store::webhooks::Webhook;
use crate::store::{Store, StoreError};
use crate::vendor::bidsketch::api::BidsketchApi;

mod create;
mod delete;
mod problem;
mod recover;

pub use delete::WebhookRef;
pub use problem::{Problem, ProblemKind};

/// Creates, deletes and recovers webhooks at Bidsketch.
#[derive(Clone, Debug)]
pub struct Webhooks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    /// None if no token is set.
    api: Option<BidsketchApi>,
    /// The URL at which Bidsketch reaches this service.
    hook_base_url: Option<String>,
    clock: Clock,
    request_tasks: TaskTracker,
}

/// The result of a request.
#[derive(Clone, Debug)]
pub struct WebhookResult {
    /// The webhook as it is now, if there is one.
    pub webhook: Option<Webhook>,
    /// Why the request failed, if it did.
    pub problem: Option<Problem>,
}

impl WebhookResult {
    const fn success(webhook: Option<Webhook>) -> Self {
        Self { webhook, problem: None }
    }

    fn with_problem(webhook: Option<Webhook>, problem: impl Into<Problem>) -> Self {
        Self { webhook, problem: Some(problem.into()) }
    }
}

impl Webhooks {
    /// Manages the webhooks of a store. `api` is none if no token is set; `base` is the URL at
    /// which Bidsketch reaches this service, if it is known.
    #[must_use]
    pub fn new(store: Store, api: Option<BidsketchApi>, base: Option<String>, clock: Clock) -> Self {
        Self(Arc::new(Inner { store, api, hook_base_url: base, clock, request_tasks: TaskTracker::new() }))
    }

    /// Waits until the requests in progress are complete. No new one should begin meanwhile.
    pub async fn drain(&self) {
        self.0.request_tasks.close();
        self.0.request_tasks.wait().await;
    }

    /// Runs a request to its end, whether or not the caller still waits for it.
    async fn run_to_completion<F>(&self, request: F) -> Result<WebhookResult, StoreError>
    where
        F: Future<Output = Result<WebhookResult, StoreError>> + Send + 'static,
    {
        // Its log lines belong to the operation that asked for it.
        match self.0.request_tasks.spawn(request.in_current_span()).await {
            Ok(result) => result,
            Err(error) => Err(StoreError::Unreadable(format!("a request to Bidsketch was aborted: {error}"))),
        }
    }
}

impl Inner {
    fn api(&self) -> Result<&BidsketchApi, Problem> {
        self.api.as_ref().ok_or_else(|| {
            let message = "managing webhooks needs a token of Bidsketch's API; set bidsketch.api_token";
            Problem::new(ProblemKind::NotConfigured, message)
        })
    }
}
