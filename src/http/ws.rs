//! GraphQL over WebSocket, `graphql-transport-ws`, by async-graphql's own transport.

use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, PollSender};
use tokio_util::task::TaskTracker;

use super::error::HttpError;
use super::origin::AllowedOrigins;
use crate::graphql::Executor;

/// The sub-protocols that are spoken.
const PROTOCOLS: [&str; 2] = ["graphql-transport-ws", "graphql-ws"];

#[derive(Clone)]
pub(super) struct Sockets {
    pub(super) graphql: Executor,
    pub(super) origins: AllowedOrigins,
    pub(super) stopping: CancellationToken,
    pub(super) tracker: TaskTracker,
}

/// `/graphql/ws`.
pub(super) fn router(sockets: Sockets) -> Router {
    Router::new().route("/graphql/ws", get(upgrade)).with_state(sockets)
}

async fn upgrade(
    State(sockets): State<Sockets>,
    headers: HeaderMap,
    protocol: GraphQLProtocol,
    upgrade: WebSocketUpgrade,
) -> Response {
    // A browser asks nobody before it opens a socket to another site: the origin is checked here.
    if !sockets.origins.allows(&headers) {
        let problem = "the page's origin is not allowed; add it to server.allowed_origins".to_owned();
        return HttpError::Forbidden(problem).into_response();
    }
    let tracked = sockets.tracker.token();
    upgrade.protocols(PROTOCOLS).max_message_size(super::graphql::LIMIT).on_upgrade(async move |socket| {
        serve(socket, protocol, &sockets).await;
        drop(tracked);
    })
}

/// Serves a socket until it ends, or the service stops: then it is told so.
async fn serve(socket: WebSocket, protocol: GraphQLProtocol, sockets: &Sockets) {
    let (mut sink, stream) = socket.split();
    // The library's transport keeps the sink to itself; what goes through here can be followed by our own close.
    let (outgoing, mut messages) = mpsc::channel(1);
    // No time-out for silence: this transport sends no pings of its own, so a healthy client may have nothing to say.
    let transport =
        GraphQLWebSocket::new_with_pair(PollSender::new(outgoing), stream, sockets.graphql.clone(), protocol).serve();
    let transport = async {
        transport.await;
        std::future::pending::<()>().await;
    };
    let forward = async {
        loop {
            let message = tokio::select! {
                message = messages.recv() => message,
                () = sockets.stopping.cancelled() => {
                    Some(Message::Close(Some(CloseFrame { code: close_code::AWAY, reason: "the service is stopping".into() })))
                }
            };
            let Some(message) = message else { break };
            let last = matches!(message, Message::Close(_));
            if sink.send(message).await.is_err() || last {
                break;
            }
        }
    };
    tokio::select! {
        () = forward => {}
        () = transport => {}
    }
}
