//! The life of a webhook at Bidsketch: PENDING → ACTIVE → DELETING → DELETED, or FAILED.
//!
//! The row comes first and the call second, so that nothing is at Bidsketch that is not known here. Bidsketch has no call that
//! lists webhooks, and a creation cannot be repeated: one without an answer is FAILED with OUTCOME_UNKNOWN and never asked for
//! again by itself. Its URL goes on taking deliveries, since Bidsketch may have it; once a new webhook for the event is ACTIVE the
//! old URL answers 410, by which Bidsketch forgets it at its first delivery.
//!
//! Requests run in tasks of their own: whoever asked may go away, the request is seen through. Whoever is at work on a webhook holds its
//! job (`store::job`), which ends with its process: what is unfinished and in nobody's hand was left by somebody who died, and any node
//! goes on with it.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

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

/// Manages the webhooks at Bidsketch.
#[derive(Clone, Debug)]
pub struct Webhooks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    /// None where no token is set.
    api: Option<BidsketchApi>,
    /// The URL under which Bidsketch reaches this service.
    hook_base_url: Option<String>,
    clock: Clock,
    request_tasks: TaskTracker,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct WebhookResult {
    /// The webhook as it is now, where there is one.
    pub webhook: Option<Webhook>,
    /// What stood in the way.
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
    /// Webhooks kept in a store. `api` is none where no token is set; `base` is the URL under which Bidsketch reaches this service,
    /// where that is known.
    #[must_use]
    pub fn new(store: Store, api: Option<BidsketchApi>, base: Option<String>, clock: Clock) -> Self {
        Self(Arc::new(Inner { store, api, hook_base_url: base, clock, request_tasks: TaskTracker::new() }))
    }

    /// Waits until the calls that have begun are seen through. No new one should begin meanwhile.
    pub async fn drain(&self) {
        self.0.request_tasks.close();
        self.0.request_tasks.wait().await;
    }

    /// Sees a request through, from its row to its last answer, whether or not somebody still waits for it.
    async fn run_to_completion<F>(&self, request: F) -> Result<WebhookResult, StoreError>
    where
        F: Future<Output = Result<WebhookResult, StoreError>> + Send + 'static,
    {
        match self.0.request_tasks.spawn(request).await {
            Ok(outcome) => outcome,
            Err(error) => Err(StoreError::Unreadable(format!("a call to Bidsketch was broken off: {error}"))),
        }
    }
}

impl Inner {
    fn api(&self) -> Result<&BidsketchApi, Problem> {
        self.api.as_ref().ok_or_else(|| {
            let message = "webhooks are managed with a token of Bidsketch's API: set bidsketch.api_token";
            Problem::new(ProblemKind::NotConfigured, message)
        })
    }
}
