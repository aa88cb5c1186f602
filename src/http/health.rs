//! The endpoints for operators: liveness, readiness, and metrics.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::access;
use super::open_mode::AccessPolicy;
use super::server::Exchange;
use crate::feed::Feed;
use crate::ingest::clocks::ClockWatch;
use crate::metrics::LOG_HEAD;
use crate::store::{OpenError, Store};

/// How long the check of the database may take.
const READINESS_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct HealthState {
    pub(super) store: Store,
    pub(super) feed: Feed,
    pub(super) metrics: PrometheusHandle,
    pub(super) policy: AccessPolicy,
    pub(super) clocks: ClockWatch,
    pub(super) shutdown: CancellationToken,
}

/// `/healthz` and `/readyz`, which need no key.
pub(super) fn router(health: HealthState) -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready)).with_state(health)
}

/// `/metrics`.
pub(super) fn metrics_router(health: HealthState) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(health)
}

/// 200 if the database answers and has all tables; 503 if it does not, or if the service is
/// stopping. `details` names a fault that does not keep the service from working.
async fn ready(State(health): State<HealthState>) -> impl IntoResponse {
    let problem = if health.shutdown.is_cancelled() {
        Some("the service is stopping")
    } else {
        match tokio::time::timeout(READINESS_TIMEOUT, health.store.check()).await {
            Ok(Ok(())) => None,
            Ok(Err(error @ OpenError::SchemaTooNew { .. })) => {
                tracing::warn!(%error, "not ready");
                Some("a later version of bidarc has upgraded the database; replace this one with that version")
            }
            Ok(Err(OpenError::Unwritable { problem, error })) => {
                tracing::warn!(%error, "not ready");
                Some(problem.as_str())
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "not ready");
                Some("the database cannot be used; the service's log says why")
            }
            Err(_) => Some("the database did not answer in time"),
        }
    };
    let (status, mut answer) = match problem {
        None => (StatusCode::OK, json!({ "ready": true })),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, json!({ "ready": false, "problem": problem })),
    };
    if let Some(disagreement) = health.clocks.disagreement() {
        answer["details"] = json!({ "clock": disagreement.to_string() });
    }
    (status, Json(answer))
}

/// The metrics. They reveal figures of the business, so they need a key of any scope, except in
/// open mode.
async fn metrics(
    State(health): State<HealthState>,
    Extension(exchange): Extension<Arc<Exchange>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Err(denied) = access::authenticate_headers(&health.policy, &uri, &headers).await {
        return access::access_error_response(denied, &exchange);
    }
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; the log will not reach 2^53 events")]
    metrics::gauge!(LOG_HEAD).set(health.feed.head().0 as f64);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], health.metrics.render()).into_response()
}
