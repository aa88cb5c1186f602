//! GraphQL over WebSocket, `graphql-transport-ws`, by async-graphql's own transport.
//!
//! Who opens a socket says so in the payload of its `connection_init`, or in the headers of the request for the socket. What
//! the transport sends goes through here, so that the socket can be closed at any time: where nobody is let in, where its key
//! is revoked, and where the service stops.

use std::time::Duration;

use async_graphql::Data;
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, Uri, Version};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, PollSender};
use tokio_util::task::TaskTracker;

use super::auth;
use super::error::HttpError;
use super::graphql;
use super::knock::Knock;
use super::open_mode::{self, OpenMode};
use crate::auth::{Access, Denied};
use crate::graphql::Executor;

/// The sub-protocols that are spoken.
const PROTOCOLS: [&str; 2] = ["graphql-transport-ws", "graphql-ws"];

/// How long a socket may take to say who opens it: until then it costs and is nobody's.
const INIT_WITHIN: Duration = Duration::from_secs(10);

/// How long a client may take to receive that its socket is closed.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// The codes of `graphql-transport-ws` for who is not let in, and for who does not say who it is.
const FORBIDDEN: u16 = 4403;
const INIT_TIMEOUT: u16 = 4408;

#[derive(Clone)]
pub(super) struct Sockets {
    pub(super) graphql: Executor,
    pub(super) open: OpenMode,
    pub(super) stopping: CancellationToken,
    pub(super) tracker: TaskTracker,
}

/// `/graphql/ws`.
pub(super) fn router(sockets: Sockets) -> Router {
    Router::new().route("/graphql/ws", get(upgrade)).with_state(sockets)
}

async fn upgrade(
    State(sockets): State<Sockets>,
    version: Version,
    uri: Uri,
    headers: HeaderMap,
    protocol: GraphQLProtocol,
    upgrade: WebSocketUpgrade,
) -> Response {
    let OpenMode { keys, origins } = &sockets.open;
    let direct = open_mode::is_from_this_machine(version, &uri, &headers, origins);
    if let Err(problem) = direct
        && keys.in_open_mode()
    {
        return graphql::forbidden(open_mode::refusal(uri.path(), problem));
    }
    // A browser asks nobody before it opens a socket to another site: the origin is checked here.
    if !origins.allows(&headers) {
        let problem = "the page's origin is not allowed; add it to server.allowed_origins".to_owned();
        return HttpError::Forbidden(problem).into_response();
    }
    let knock = Knock::new(keys.clone(), &headers, direct.is_ok());
    let tracked = sockets.tracker.token();
    upgrade.protocols(PROTOCOLS).max_message_size(graphql::LIMIT).on_upgrade(async move |socket| {
        serve(socket, protocol, knock, &sockets).await;
        drop(tracked);
    })
}

/// Serves a socket until it ends, or must be closed: then it is told why.
async fn serve(socket: WebSocket, protocol: GraphQLProtocol, knock: Knock, sockets: &Sockets) {
    let (mut sink, stream) = socket.split();
    // The library's transport keeps the sink to itself; what goes through here can be followed by our own close.
    let (outgoing, mut messages) = mpsc::channel(1);
    let (answered, answer) = oneshot::channel();
    // No time-out for silence: this transport sends no pings of its own, so a healthy client may have nothing to say.
    let transport =
        GraphQLWebSocket::new_with_pair(PollSender::new(outgoing), stream, sockets.graphql.clone(), protocol)
            .on_connection_init(async move |payload| {
                let access = knock.answer(&payload).await;
                // Nobody waits for it once the socket is closed.
                let _ = answered.send(access);
                match access {
                    Ok(access) => {
                        let mut data = Data::default();
                        data.insert(access);
                        Ok(data)
                    }
                    // The transport would close the socket with a code that says less.
                    Err(_) => std::future::pending().await,
                }
            })
            .serve();
    let transport = async {
        transport.await;
        std::future::pending::<()>().await;
    };
    let forward = async {
        while let Some(message) = messages.recv().await {
            let last = matches!(message, Message::Close(_));
            if sink.send(message).await.is_err() || last {
                break;
            }
        }
    };
    let close = tokio::select! {
        () = forward => None,
        () = transport => None,
        frame = no_longer(answer, sockets) => Some(frame),
        () = sockets.stopping.cancelled() => Some(frame(close_code::AWAY, "the service is stopping")),
    };
    if let Some(frame) = close {
        // A client that receives nothing is not waited for.
        let _ = timeout(CLOSE_WITHIN, sink.send(Message::Close(Some(frame)))).await;
    }
}

/// Waits until the socket must be closed on account of who opened it.
async fn no_longer(answer: oneshot::Receiver<Result<Access, Denied>>, sockets: &Sockets) -> CloseFrame {
    let denied = match timeout(INIT_WITHIN, answer).await {
        Err(_) => return frame(INIT_TIMEOUT, "Connection initialisation timeout"),
        // The transport has ended, and with it the socket does.
        Ok(Err(_)) => std::future::pending().await,
        Ok(Ok(Err(denied))) => denied,
        Ok(Ok(Ok(access))) => sockets.open.keys.lost(access).await,
    };
    auth::count(denied);
    match denied {
        Denied::NoToken => frame(FORBIDDEN, "Forbidden: a key is needed"),
        Denied::WrongToken => frame(FORBIDDEN, "Forbidden: the token is of no key, or its key has been revoked"),
        // The client may come again: it has done nothing wrong.
        Denied::Unavailable => frame(close_code::AGAIN, "keys cannot be checked at the moment"),
    }
}

fn frame(code: u16, reason: &'static str) -> CloseFrame {
    CloseFrame { code, reason: Utf8Bytes::from_static(reason) }
}
