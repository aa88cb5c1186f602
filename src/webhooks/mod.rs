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
use crate::vendor::bidsketch::api::Api;

mod create;
mod delete;
mod problem;
mod recover;

pub use delete::Which;
pub use problem::{Problem, ProblemKind};

/// Manages the webhooks at Bidsketch.
#[derive(Clone, Debug)]
pub struct Webhooks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    /// None where no token is set.
    api: Option<Api>,
    /// The URL under which Bidsketch reaches this service.
    base: Option<String>,
    clock: Clock,
    calls: TaskTracker,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The webhook as it is now, where there is one.
    pub webhook: Option<Webhook>,
    /// What stood in the way.
    pub problem: Option<Problem>,
}

impl Outcome {
    const fn done(webhook: Option<Webhook>) -> Self {
        Self { webhook, problem: None }
    }

    fn stopped(webhook: Option<Webhook>, problem: impl Into<Problem>) -> Self {
        Self { webhook, problem: Some(problem.into()) }
    }
}

impl Webhooks {
    /// Webhooks kept in a store. `api` is none where no token is set; `base` is the URL under which Bidsketch reaches this service,
    /// where that is known.
    #[must_use]
    pub fn new(store: Store, api: Option<Api>, base: Option<String>, clock: Clock) -> Self {
        Self(Arc::new(Inner { store, api, base, clock, calls: TaskTracker::new() }))
    }

    /// Waits until the calls that have begun are seen through. No new one should begin meanwhile.
    pub async fn finish(&self) {
        self.0.calls.close();
        self.0.calls.wait().await;
    }

    /// Sees a request through, from its row to its last answer, whether or not somebody still waits for it.
    async fn see_through<F>(&self, request: F) -> Result<Outcome, StoreError>
    where
        F: Future<Output = Result<Outcome, StoreError>> + Send + 'static,
    {
        match self.0.calls.spawn(request).await {
            Ok(outcome) => outcome,
            Err(error) => Err(StoreError::Unreadable(format!("a call to Bidsketch was broken off: {error}"))),
        }
    }
}

impl Inner {
    fn api(&self) -> Result<&Api, Problem> {
        self.api.as_ref().ok_or_else(|| {
            let message = "webhooks are managed with a token of Bidsketch's API: set bidsketch.api_token";
            Problem::new(ProblemKind::NotConfigured, message)
        })
    }
}
