//! GraphQL over WebSocket, by the protocol `graphql-transport-ws`.
//!
//! Who opens a socket says so in the payload of its `connection_init`, or in the headers of the request for the socket. Here a
//! request becomes a socket; `turn` works on it, `session` leads the conversation, `operations` are what was asked for, `pulse`
//! has the times, `protocol` the messages, `close` the codes.

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, Uri, Version};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::HttpError;
use super::gauge::GaugeGuard;
use super::graphql;
use super::open_mode::{self, AccessPolicy};
use crate::graphql::Executor;
use close::CloseReason;
use connection_init::ConnectionInit;
use session::Session;

mod close;
mod connection_init;
mod driver;
mod keepalive;
mod operations;
mod protocol;
mod session;

/// How much is read at a time. The library's own 128 KiB would be what an idle socket costs.
const READ_BUFFER_BYTES: usize = 4 * 1024;

#[derive(Clone)]
pub(super) struct WsState {
    pub(super) graphql: Executor,
    pub(super) policy: AccessPolicy,
    pub(super) shutdown: CancellationToken,
    pub(super) tracker: TaskTracker,
}

/// `/graphql/ws`.
pub(super) fn router(sockets: WsState) -> Router {
    Router::new().route("/graphql/ws", get(upgrade)).with_state(sockets)
}

async fn upgrade(
    State(sockets): State<WsState>,
    version: Version,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let AccessPolicy { keys, origins } = &sockets.policy;
    let direct = open_mode::check_local_parts(version, &uri, &headers, origins);
    if let Err(problem) = direct
        && keys.is_open_mode()
    {
        return graphql::forbidden_response(open_mode::refusal_message(uri.path(), problem));
    }
    // A browser asks nobody before it opens a socket to another site: the origin is checked here.
    if !origins.allows(&headers) {
        let problem = "the page's origin is not allowed; add it to server.allowed_origins".to_owned();
        return HttpError::Forbidden(problem).into_response();
    }
    let knock = ConnectionInit::new(keys.clone(), &headers, direct.is_ok());
    let upgrade = upgrade
        .protocols([protocol::SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(driver::WRITE_BUFFER_BYTES)
        .max_message_size(graphql::REQUEST_BYTES_MAX)
        .max_frame_size(graphql::REQUEST_BYTES_MAX);
    let tracked = sockets.tracker.token();
    let is_of_the_protocol = upgrade.selected_protocol().is_some();
    upgrade.on_upgrade(async move |socket| {
        let _tracked = tracked;
        let _counted = GaugeGuard::socket();
        if is_of_the_protocol {
            let session = Session::new(sockets.graphql, sockets.policy.keys, knock);
            driver::serve(socket, session, sockets.shutdown.cancelled_owned()).await;
        } else {
            driver::close(socket, &CloseReason::UnsupportedSubprotocol).await;
        }
    })
}
