//! The hook URLs that the vendors post to. 200 means that the delivery is on disk.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::{any, post};
use axum::{Json, Router};
use serde::Serialize;

mod headers;

use super::body;
use super::error::HttpError;
use crate::clock::Clock;
use crate::domain::{DeliveryOutcome, NodeId};
use crate::ingest::Ingest;
use crate::ingest::verify::Hook;
use crate::log_limit::LogLimit;
use crate::metrics::REFUSED;
use crate::vendor::arcsite::signature;

/// The common prefix of the hook URLs.
pub(super) const HOOK_PATH_PREFIX: &str = "/webhooks/";

/// The largest delivery. The largest documented payload has a few kilobytes.
const DELIVERY_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone)]
pub(super) struct HookState {
    pub(super) ingest: Arc<Ingest>,
    pub(super) clock: Clock,
}

/// The hook URLs, each also with one slash at its end, as some forms and proxies add it. Every
/// other path below `/webhooks` is 404.
pub(super) fn router(hooks: HookState) -> Router {
    let hook_routes = [
        ("/webhooks/arcsite", post(arcsite)),
        ("/webhooks/arcsite/{token}", post(arcsite_token)),
        ("/webhooks/bidsketch", post(bidsketch)),
        ("/webhooks/bidsketch/{token}", post(bidsketch_token)),
    ];
    let mut router = Router::new();
    for (path, handler) in hook_routes {
        router = router.route(path, handler.clone()).route(&format!("{path}/"), handler);
    }
    for path in ["/webhooks", "/webhooks/", "/webhooks/{*path}"] {
        router = router.route(path, any(unknown_path));
    }
    router.with_state(hooks)
}

/// Counts and logs a request that a vendor may have meant for a hook. A path may hold a secret, so
/// it is not shown.
async fn unknown_path() -> HttpError {
    static LOG_LIMIT: LogLimit = LogLimit::new();
    metrics::counter!(REFUSED, "provider" => "unknown", "reason" => "unknown_path").increment(1);
    if let Some(left_out) = LOG_LIMIT.admit() {
        tracing::warn!(
            left_out,
            "a request below /webhooks is for no hook; a hook's path is /webhooks/arcsite or /webhooks/bidsketch, \
             with its token"
        );
    }
    HttpError::UnknownHook
}

/// The body of 200, for a delivery that was recorded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReceiptBody {
    outcome: &'static str,
    event_id: Option<String>,
}

type HookResult = Result<Json<ReceiptBody>, HttpError>;

async fn arcsite(State(hooks): State<HookState>, headers: HeaderMap, body: Body) -> HookResult {
    accept_delivery(hooks, Hook::Arcsite, &headers, body).await
}

async fn arcsite_token(
    State(hooks): State<HookState>,
    token: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> HookResult {
    accept_delivery(hooks, Hook::ArcsiteToken(token_or_empty(token)), &headers, body).await
}

async fn bidsketch(State(hooks): State<HookState>, headers: HeaderMap, body: Body) -> HookResult {
    accept_delivery(hooks, Hook::Bidsketch, &headers, body).await
}

async fn bidsketch_token(
    State(hooks): State<HookState>,
    token: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> HookResult {
    accept_delivery(hooks, Hook::BidsketchToken(token_or_empty(token)), &headers, body).await
}

/// A token that is not UTF-8 becomes the empty one, because neither was ever issued.
fn token_or_empty(token: Result<Path<String>, PathRejection>) -> String {
    token.map(|Path(token)| token).unwrap_or_default()
}

async fn accept_delivery(hooks: HookState, hook: Hook, headers: &HeaderMap, body: Body) -> HookResult {
    let provider = hook.provider().as_str();
    let candidate = match hooks.ingest.judge_head(hook, signature_header(headers)).await {
        Ok(candidate) => candidate,
        Err(error) => {
            body::discard(body, headers, DELIVERY_BYTES_MAX).await;
            return Err(error.into());
        }
    };
    let body = body::read(body, DELIVERY_BYTES_MAX).await.inspect_err(|error| {
        metrics::counter!(REFUSED, "provider" => provider, "reason" => "body").increment(1);
        tracing::warn!(provider, "a delivery was refused: {error}");
    })?;
    let delivery = candidate.with_body(headers::kept(headers), body, hooks.clock.now());
    let receipt = hooks.ingest.accept(delivery).await?;
    Ok(Json(ReceiptBody {
        outcome: DeliveryOutcome::as_str(receipt.outcome),
        event_id: receipt.event.map(|seq| NodeId::Event(seq).to_string()),
    }))
}

/// The value of `ArcSite-Signature`. Bytes that are not text make it malformed.
fn signature_header(headers: &HeaderMap) -> Option<String> {
    headers.contains_key(signature::HEADER).then(|| headers::joined(headers, signature::HEADER))
}
