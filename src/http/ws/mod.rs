//! GraphQL over WebSocket, by the protocol `graphql-transport-ws` or the older `graphql-ws`.
//!
//! A client authenticates in the payload of its `connection_init`, or in the headers of the request
//! for the socket. This file upgrades a request to a socket. `driver` reads and writes it,
//! `session` holds the state of the protocol, `operations` the running operations, `keepalive` the
//! deadlines, `protocol` the messages, `close` the codes.

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::HttpError;
use super::gauge::GaugeGuard;
use super::graphql;
use super::open_mode::{self, AccessPolicy};
use super::server::Exchange;
use super::stream_caps::StreamCaps;
use crate::graphql::Executor;
use close::CloseReason;
use connection_init::ConnectionInit;
use protocol::Protocol;
use session::Session;

mod close;
mod connection_init;
mod driver;
mod keepalive;
mod operations;
mod protocol;
mod session;

#[cfg(any(test, fuzzing))]
pub(crate) use protocol::fuzz as fuzz_message;

/// The read buffer of a socket. With the library's default an idle socket would cost 128 KiB.
const READ_BUFFER_BYTES: usize = 4 * 1024;

#[derive(Clone)]
pub(super) struct WsState {
    pub(super) caps: StreamCaps,
    pub(super) operations_max: usize,
    pub(super) graphql: Executor,
    pub(super) policy: AccessPolicy,
    pub(super) shutdown: CancellationToken,
    pub(super) tracker: TaskTracker,
}

/// `/graphql/ws`, also with one slash at its end.
pub(super) fn router(sockets: WsState) -> Router {
    Router::new().route("/graphql/ws", get(upgrade)).route("/graphql/ws/", get(upgrade)).with_state(sockets)
}

/// Upgrades a request that asks for a socket, and passes on every other. `/graphql` serves both.
pub(super) async fn upgrade_if_requested(sockets: State<WsState>, request: Request, next: Next) -> Response {
    let asks_for_socket = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"websocket");
    if request.method() == Method::GET && request.headers().get(header::UPGRADE).is_some_and(asks_for_socket) {
        Handler::call(upgrade, request, sockets.0).await
    } else {
        next.run(request).await
    }
}

async fn upgrade(
    State(sockets): State<WsState>,
    Extension(exchange): Extension<Arc<Exchange>>,
    version: Version,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let AccessPolicy { keys, origins, .. } = &sockets.policy;
    let local_check = open_mode::check_local_parts(version, &uri, &headers, origins);
    if let Err(problem) = local_check
        && keys.is_open_mode()
    {
        return graphql::forbidden_response(open_mode::refusal_message(&exchange, problem));
    }
    // A browser opens a socket to another site without a CORS preflight, so the origin is checked
    // here.
    if !origins.allows(&uri, &headers) {
        let problem = "the origin of the page is not allowed; add it to server.allowed_origins".to_owned();
        return HttpError::Forbidden(problem).into_response();
    }
    let init = ConnectionInit::new(&sockets.policy, &uri, &headers, local_check.is_ok());
    let upgrade = upgrade
        // Not async-graphql-axum's `GraphQLProtocol`: it hides which protocol it chose.
        .protocols(protocol::SUBPROTOCOLS)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(driver::WRITE_BUFFER_BYTES)
        .max_message_size(graphql::REQUEST_BYTES_MAX)
        .max_frame_size(graphql::REQUEST_BYTES_MAX);
    exchange.begin_socket();
    let tracker_token = sockets.tracker.token();
    let protocol = upgrade.selected_protocol().and_then(|name| Protocol::of_socket(name.as_bytes(), &headers));
    upgrade.on_upgrade(async move |socket| {
        let _tracker_token = tracker_token;
        let _gauge = GaugeGuard::socket();
        if let Some(protocol) = protocol {
            let shutdown = sockets.shutdown.clone();
            let session = Session::new(protocol, sockets, init, exchange);
            driver::serve(socket, session, shutdown.cancelled_owned()).await;
        } else {
            driver::close(socket, &CloseReason::UnsupportedSubprotocol).await;
        }
    })
}
