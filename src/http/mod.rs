//! The edge: the only code that knows axum.
//!
//! Hook URLs have a router of their own: their own body limit and time-outs, no redirects, no compression, and nothing in
//! front of them that could answer in their place but the check of open mode.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::feed::Feed;
use crate::graphql::Executor;
use crate::ingest::Ingest;
use crate::store::Store;

mod body;
mod error;
mod graphql;
mod health;
mod hooks;
mod open_mode;
mod origin;
mod web;
mod ws;

pub use open_mode::OpenMode;
pub use origin::AllowedOrigins;

/// What the handlers need.
#[derive(Clone)]
pub struct Parts {
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
    /// Whether requests are let in without a key.
    pub open_mode: OpenMode,
    /// Which web pages may use the API.
    pub origins: AllowedOrigins,
    /// Cancelled when the service stops.
    pub stopping: CancellationToken,
    /// The sockets that are open.
    pub sockets: TaskTracker,
}

/// Every route of the service.
pub fn router(parts: Parts) -> Router {
    let gate = from_fn_with_state((parts.open_mode, parts.origins.clone()), open_mode::gate);
    let hooks = hooks::router(hooks::Hooks { ingest: parts.ingest, clock: parts.clock });
    let graphql = graphql::router(parts.graphql.clone(), &parts.origins);
    let sockets = ws::router(ws::Sockets {
        graphql: parts.graphql,
        origins: parts.origins,
        stopping: parts.stopping.clone(),
        tracker: parts.sockets,
    });
    let health = health::router(health::Health {
        store: parts.store,
        feed: parts.feed,
        metrics: parts.metrics,
        stopping: parts.stopping,
    });
    Router::new()
        .merge(graphql)
        .merge(sockets)
        .route("/", get(web::index))
        .route("/playground", get(web::playground))
        .fallback(web::not_found)
        .merge(hooks)
        .layer(gate)
        .merge(health)
}
