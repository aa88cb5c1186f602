//! The HTTP edge: the only code that uses axum.
//!
//! Hook URLs have a separate router, with their own body limit and time-outs, and without redirects
//! or compression, which GraphQL has. Only the check of open mode runs before it. GraphQL, the
//! files of lists and `/metrics` need a key, or a session that `/session` gives for one. A stored
//! file needs a signed URL.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Keys;
use crate::clock::Clock;
use crate::config;
use crate::feed::Feed;
use crate::files::Vault;
use crate::graphql::Executor;
use crate::ingest::Ingest;
use crate::store::Store;

mod access;
mod body;
mod compression;
mod error;
mod export;
mod files;
mod gauge;
mod graphql;
mod health;
mod hooks;
mod open_mode;
mod origin;
mod pages;
mod protection;
mod server;
mod session;
mod stream_caps;
mod streams;
mod ws;

pub use origin::AllowedOrigins;
pub use server::serve;
pub use session::SessionCookie;
use stream_caps::StreamCaps;

#[cfg(any(test, fuzzing))]
pub(crate) use ws::fuzz_message as fuzz_socket_message;

/// The state of the handlers.
#[derive(Clone)]
pub struct AppState {
    /// Accepts deliveries.
    pub ingest: Arc<Ingest>,
    /// Executes GraphQL.
    pub graphql: Executor,
    /// Checked by `/readyz`.
    pub store: Store,
    /// Its head is a metric.
    pub feed: Feed,
    /// The stored files; none if they are off.
    pub files: Option<Vault>,
    /// The runtime that requests for GraphQL run on.
    pub graphql_runtime: Handle,
    /// The clock that timestamps deliveries.
    pub clock: Clock,
    /// Rendered by `/metrics`.
    pub metrics: PrometheusHandle,
    /// Authenticate requests.
    pub keys: Keys,
    /// The web pages that may use the API.
    pub origins: AllowedOrigins,
    /// The cookie of a browser's session.
    pub cookie: SessionCookie,
    /// The caps of sockets and event streams.
    pub server: config::Server,
    /// Cancelled when the service stops.
    pub shutdown: CancellationToken,
    /// Tracks the open sockets and event streams.
    pub connections: TaskTracker,
}

/// Every route of the service.
pub fn router(state: AppState) -> Router {
    let policy = open_mode::AccessPolicy { keys: state.keys.clone(), origins: state.origins, cookie: state.cookie };
    let gate = from_fn_with_state((policy.clone(), Arc::clone(&state.ingest)), open_mode::restrict_open_mode);
    let clocks = state.ingest.clocks.clone();
    let hooks = hooks::router(hooks::HookState { ingest: state.ingest, clock: state.clock });
    let caps = StreamCaps::new(&state.server);
    let sockets = ws::WsState {
        caps: caps.clone(),
        operations_max: state.server.max_operations_per_socket,
        graphql: state.graphql.clone(),
        policy: policy.clone(),
        shutdown: state.shutdown.clone(),
        tracker: state.connections.clone(),
    };
    let exports = export::Exports {
        caps: caps.clone(),
        graphql: state.graphql.clone(),
        keys: state.keys.clone(),
        shutdown: state.shutdown.clone(),
        tracker: state.connections.clone(),
    };
    let exports = export::router(exports, policy.clone());
    let streams = streams::Streams {
        caps,
        graphql: state.graphql,
        keys: state.keys,
        shutdown: state.shutdown.clone(),
        tracker: state.connections,
    };
    let graphql = graphql::router(streams, sockets.clone(), policy.clone()).merge(exports).layer(compression::layer());
    let sockets = ws::router(sockets);
    let on_graphql_runtime = from_fn_with_state(state.graphql_runtime, graphql::run_on);
    let files = files::router(state.files).layer(on_graphql_runtime.clone());
    let health = health::HealthState {
        store: state.store,
        feed: state.feed,
        metrics: state.metrics,
        policy: policy.clone(),
        clocks,
        shutdown: state.shutdown,
    };
    Router::new()
        .merge(pages::router())
        .fallback(pages::not_found)
        .merge(hooks)
        .merge(health::metrics_router(health.clone()))
        .merge(session::router(policy))
        .merge(files)
        .layer(gate)
        .merge(graphql.merge(sockets).layer(on_graphql_runtime))
        .merge(health::router(health))
        .layer(from_fn(protection::refuse_token_in_url))
}
