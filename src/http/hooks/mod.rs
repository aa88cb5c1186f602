//! The hook URLs that the vendors post to. 200 means that the delivery is on disk.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use axum::{Json, Router};
use serde::Serialize;

mod headers;

use super::body;
use super::error::{HttpError, end_connection};
use super::server::Exchange;
use crate::clock::Clock;
use crate::domain::{DeliveryOutcome, NodeId};
use crate::ingest::verify::{Hook, Refusal};
use crate::ingest::{Ingest, IngestError};
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

/// A request that a vendor may have meant for a hook.
async fn unknown_path(Extension(exchange): Extension<Arc<Exchange>>) -> Response {
    HookError { provider: "unknown", cause: Cause::UnknownPath }.answer(&exchange)
}

/// The body of 200, for a delivery that was recorded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReceiptBody {
    outcome: &'static str,
    event_id: Option<String>,
}

async fn arcsite(
    State(hooks): State<HookState>,
    exchange: Extension<Arc<Exchange>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    accept_delivery(hooks, exchange, Hook::Arcsite, &headers, body).await
}

async fn arcsite_token(
    State(hooks): State<HookState>,
    exchange: Extension<Arc<Exchange>>,
    token: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    accept_delivery(hooks, exchange, Hook::ArcsiteToken(token_or_empty(token)), &headers, body).await
}

async fn bidsketch(
    State(hooks): State<HookState>,
    exchange: Extension<Arc<Exchange>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    accept_delivery(hooks, exchange, Hook::Bidsketch, &headers, body).await
}

async fn bidsketch_token(
    State(hooks): State<HookState>,
    exchange: Extension<Arc<Exchange>>,
    token: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    accept_delivery(hooks, exchange, Hook::BidsketchToken(token_or_empty(token)), &headers, body).await
}

/// A token that is not UTF-8 becomes the empty one, because neither was ever issued.
fn token_or_empty(token: Result<Path<String>, PathRejection>) -> String {
    token.map(|Path(token)| token).unwrap_or_default()
}

async fn accept_delivery(
    hooks: HookState,
    Extension(exchange): Extension<Arc<Exchange>>,
    hook: Hook,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    let provider = hook.provider();
    match take_in(&hooks, hook, headers, body).await {
        Ok(receipt) => Json(receipt).into_response(),
        Err(cause) => {
            if cause.is_refusal() {
                hooks.ingest.refusals.note(provider, hooks.clock.now());
            }
            HookError { provider: provider.as_str(), cause }.answer(&exchange)
        }
    }
}

async fn take_in(hooks: &HookState, hook: Hook, headers: &HeaderMap, body: Body) -> Result<ReceiptBody, Cause> {
    let candidate = hooks.ingest.judge_head(hook, signature_header(headers)).await?;
    let body = body::read(body, DELIVERY_BYTES_MAX).await?;
    let delivery = candidate.with_body(headers::kept(headers), body, hooks.clock.now());
    let receipt = hooks.ingest.accept(delivery).await?;
    Ok(ReceiptBody {
        outcome: DeliveryOutcome::as_str(receipt.outcome),
        event_id: receipt.event.map(|seq| NodeId::Event(seq).to_string()),
    })
}

/// A delivery that is not recorded.
struct HookError {
    provider: &'static str,
    cause: Cause,
}

/// Why a delivery is not recorded.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The body cannot be read.
    #[error(transparent)]
    Body(#[from] HttpError),
    #[error("a hook's path is /webhooks/arcsite or /webhooks/bidsketch, with its token")]
    UnknownPath,
}

impl Cause {
    /// Whether the delivery itself is at fault. A vendor may go on sending to a hook that was right
    /// once.
    const fn is_refusal(&self) -> bool {
        match self {
            Self::Ingest(IngestError::Unavailable | IngestError::Refused(Refusal::RetiredHook))
            | Self::Body(HttpError::Unavailable) => false,
            Self::Ingest(IngestError::Refused(_)) | Self::Body(_) | Self::UnknownPath => true,
        }
    }
}

impl HookError {
    /// Counts a refusal, and answers it. A peer that fails too often gets the same status, because
    /// a vendor may take another one for a different fault; but its body is not read.
    fn answer(self, exchange: &Exchange) -> Response {
        let Self { provider, cause } = self;
        let (reason, is_failure) = match &cause {
            Cause::Ingest(IngestError::Unavailable) => return HttpError::Unavailable.into_response(),
            // A vendor may go on sending to a hook that was right once.
            Cause::Ingest(IngestError::Refused(refusal @ Refusal::RetiredHook)) => (refusal.label(), false),
            Cause::Ingest(IngestError::Refused(refusal)) => (refusal.label(), true),
            Cause::Body(_) => ("body", false),
            Cause::UnknownPath => ("unknown_path", true),
        };
        metrics::counter!(REFUSED, "provider" => provider, "reason" => reason).increment(1);
        // A path may hold a secret, so it is not shown.
        tracing::debug!(provider, reason, "delivery refused: {cause}");
        let limited = match is_failure {
            true => exchange.record_failure((provider, reason)),
            false => {
                exchange.note_refusal((provider, reason));
                Ok(())
            }
        };
        let mut response = match cause {
            Cause::Ingest(error) => HttpError::from(error).into_response(),
            Cause::Body(error) => error.into_response(),
            Cause::UnknownPath => HttpError::UnknownHook.into_response(),
        };
        if let Err(wait) = limited {
            end_connection(&mut response, wait);
        }
        response
    }
}

/// The value of `ArcSite-Signature`. Bytes that are not text make it malformed.
fn signature_header(headers: &HeaderMap) -> Option<String> {
    headers.contains_key(signature::HEADER).then(|| headers::joined(headers, signature::HEADER))
}
