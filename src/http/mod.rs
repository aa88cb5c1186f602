//! The edge: the only code that knows axum.
//!
//! Hook URLs have a router of their own: their own body limit and time-outs, no redirects, no compression, and nothing in
//! front of them that could answer in their place but the check of open mode. Everything of GraphQL, and `/metrics`, asks for
//! a key.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Keys;
use crate::clock::Clock;
use crate::feed::Feed;
use crate::graphql::Executor;
use crate::ingest::Ingest;
use crate::store::Store;

mod access;
mod body;
mod error;
mod gauge;
mod graphql;
mod health;
mod hooks;
mod open_mode;
mod origin;
mod pages;
mod sse;
mod ws;

pub use origin::AllowedOrigins;

/// What the handlers need.
#[derive(Clone)]
pub struct AppState {
    /// Takes deliveries in.
    pub ingest: Arc<Ingest>,
    /// Answers GraphQL.
    pub graphql: Executor,
    /// Whose readiness is asked.
    pub store: Store,
    /// Whose head is shown.
    pub feed: Feed,
    /// Says when a delivery came.
    pub clock: Clock,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
    /// Who is let in.
    pub keys: Keys,
    /// Which web pages may use the API.
    pub origins: AllowedOrigins,
    /// Cancelled when the service stops.
    pub shutdown: CancellationToken,
    /// The sockets and event streams that are open.
    pub connections: TaskTracker,
}

/// Every route of the service.
pub fn router(parts: AppState) -> Router {
    let open = open_mode::AccessPolicy { keys: parts.keys.clone(), origins: parts.origins };
    let gate = from_fn_with_state((open.clone(), Arc::clone(&parts.ingest)), open_mode::restrict_open_mode);
    let hooks = hooks::router(hooks::HookState { ingest: parts.ingest, clock: parts.clock });
    let graphql = graphql::router(parts.graphql.clone(), open.clone());
    let streams = sse::SseState {
        graphql: parts.graphql.clone(),
        keys: parts.keys.clone(),
        shutdown: parts.shutdown.clone(),
        tracker: parts.connections.clone(),
    };
    let streams = sse::router(streams, open.clone());
    let sockets = ws::router(ws::WsState {
        graphql: parts.graphql,
        policy: open,
        shutdown: parts.shutdown.clone(),
        tracker: parts.connections,
    });
    let health = health::HealthState {
        store: parts.store,
        feed: parts.feed,
        metrics: parts.metrics,
        keys: parts.keys,
        shutdown: parts.shutdown,
    };
    Router::new()
        .route("/", get(pages::index))
        .route("/playground", get(pages::playground))
        .fallback(pages::not_found)
        .merge(hooks)
        .merge(health::metrics_router(health.clone()))
        .layer(gate)
        .merge(graphql)
        .merge(streams)
        .merge(sockets)
        .merge(health::router(health))
}
