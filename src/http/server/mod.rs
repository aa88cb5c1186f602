//! The accept loop. It bounds what a client can hold before it has proven anything: connections,
//! heads, bodies that are being read, answers that are not received.
//!
//! HTTP/1.1 and HTTP/2 (by prior knowledge) share the loop; WebSockets are HTTP/1.1. One sweep over
//! all connections enforces the time-outs, so that a connection needs no timer of its own.
//! `connections` counts the connections and closes them, `activity` has the state of one, `request`
//! its requests, `framing` judges their heads, `stream` has its bytes, `peer` tells who it is,
//! `failures` counts how often it failed to prove itself, `limits` has the bounds.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as _, Incoming};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::HttpError;
use super::hooks::HOOK_PATH_PREFIX;
use super::protection::protect;
use crate::auth::Audit;
use crate::config;
use crate::metrics::ACCEPT_ERRORS;
use activity::Activity;
use connections::Connections;
use failures::Failures;
use limits::Limits;
use peer::{Peer, TrustedProxies};
use request::{AnswerBody, BodyBudget, Replaceable, RequestBody};

mod activity;
mod connections;
mod failures;
mod framing;
mod limits;
mod peer;
mod request;
mod stream;

pub(super) use activity::UNPROVEN_SOCKET_BYTES_MAX;
pub(super) use request::{BodyError, Exchange};
pub(super) use stream::TooMuchBeforeProof;

/// How often the time-outs are checked.
const SWEEP_INTERVAL: Duration = Duration::from_millis(250);

/// How long the loop waits after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// How long the loop waits while many connections are closing.
const CROWDED_PAUSE: Duration = Duration::from_millis(1);

/// How often a line of the log says that connections cannot be accepted.
const ACCEPT_WARNING_INTERVAL: Duration = Duration::from_secs(30);

/// The largest head of a request, and the largest list of headers in HTTP/2.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// How many requests a connection of HTTP/2 may have in progress.
const STREAMS_MAX: u32 = 100;

/// How many streams a client of HTTP/2 may reset before the service has dealt with them, and how
/// many the service may reset because of the client's errors. Beyond it the connection is closed.
const RESETS_PENDING_MAX: usize = 20;
const ERROR_RESETS_MAX: usize = 100;

/// How many bytes of bodies that no handler has read yet a connection of HTTP/2 may send, for one
/// stream and for all.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;

/// How many bytes of an answer wait in HTTP/2's buffer of a stream.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// What all connections share.
struct Server {
    router: Router,
    connections: Arc<Connections>,
    failures: Arc<Failures>,
    proxies: TrustedProxies,
    body_timeout: Duration,
    hook_bodies: BodyBudget,
    other_bodies: BodyBudget,
}

/// Serves until `stopping`. Then it closes at once the connections without a whole request, and
/// returns when the requests in progress have ended. WebSockets outlive it.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &config::Server,
    audit: Audit,
    stopping: CancellationToken,
) {
    let Limits { caps, timeouts, body_timeout, body_bytes, failures_per_minute, proxies } = Limits::new(settings);
    let connections = Arc::new(Connections::new(caps, timeouts));
    let failures = Arc::new(Failures::new(failures_per_minute, audit));
    let server = Arc::new(Server {
        router,
        connections: Arc::clone(&connections),
        failures: Arc::clone(&failures),
        proxies,
        body_timeout,
        hook_bodies: BodyBudget::new(body_bytes),
        other_bodies: BodyBudget::new(body_bytes),
    });
    let builder = Arc::new(connection_builder());
    let tasks = TaskTracker::new();
    let mut sweep = interval(SWEEP_INTERVAL);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut warned_at = None;
    loop {
        tokio::select! {
            () = stopping.cancelled() => break,
            _ = sweep.tick() => {
                connections.sweep();
                failures.log_summary(Instant::now());
            }
            accepted = accept(&listener, &connections) => match accepted {
                Ok((stream, address)) => {
                    let peer = server.proxies.direct_peer(address.ip());
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "failed to set TCP_NODELAY");
                    }
                    let connection = serve_connection(Arc::clone(&server), Arc::clone(&builder), stream, peer, stopping.clone());
                    if let Some(connection) = connection {
                        tasks.spawn(connection);
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    metrics::counter!(ACCEPT_ERRORS).increment(1);
                    if warned_at.is_none_or(|at: Instant| at.elapsed() >= ACCEPT_WARNING_INTERVAL) {
                        tracing::warn!(%error, "connections cannot be accepted right now; raise the limit of open files or lower server.max_connections");
                        warned_at = Some(Instant::now());
                    }
                    connections.replace_one();
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    tasks.close();
    loop {
        connections.close_without_request();
        tokio::select! {
            () = tasks.wait() => break,
            _ = sweep.tick() => connections.sweep(),
        }
    }
    failures.log_rest();
}

/// Accepts a connection, once those that must give way have gone.
async fn accept(listener: &TcpListener, connections: &Connections) -> io::Result<(TcpStream, SocketAddr)> {
    while connections.is_crowded() {
        sleep(CROWDED_PAUSE).await;
    }
    listener.accept().await
}

/// Whether accepting failed because of the connection that was to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    [ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted].contains(&error.kind())
}

fn connection_builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_pending_accept_reset_streams(RESETS_PENDING_MAX)
        .max_local_error_reset_streams(ERROR_RESETS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(SEND_BUFFER_BYTES);
    builder
}

/// The task of a connection; none if there is no place for it.
fn serve_connection(
    server: Arc<Server>,
    builder: Arc<auto::Builder<TokioExecutor>>,
    stream: TcpStream,
    peer: Option<Peer>,
    stopping: CancellationToken,
) -> Option<impl Future<Output = ()> + Send> {
    let (stream, activity) = server.connections.admit(stream, peer)?;
    Some(async move {
        let service = service_fn(move |request| handle(Arc::clone(&server), Arc::clone(&activity), peer, request));
        let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(error, "a connection ended early");
        }
    })
}

/// Handles one request. `direct_peer` is the peer of its connection.
async fn handle(
    server: Arc<Server>,
    activity: Arc<Activity>,
    direct_peer: Option<Peer>,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let (mut parts, body) = request.into_parts();
    let is_http2 = parts.version == Version::HTTP_2;
    // HTTP/2 names the host in `:authority`. The handlers look for it in one place.
    if is_http2 && let Some(host) = parts.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok()) {
        parts.headers.insert(header::HOST, host);
    }
    if let Err(malformed) = framing::check(&parts) {
        return Ok(protect(malformed.into_response()));
    }
    let peer = direct_peer.or_else(|| server.proxies.forwarded_peer(&parts.headers));
    let Some(place) = server.connections.begin_request(peer) else {
        return Ok(protect(HttpError::Unavailable.into_response()));
    };
    let failures = Arc::clone(&server.failures);
    let has_body = !body.is_end_stream();
    let exchange = Arc::new(Exchange::begin(Arc::clone(&activity), place, (peer, failures), is_http2, has_body));
    parts.extensions.insert(Arc::clone(&exchange));
    let is_hook = parts.uri.path().starts_with(HOOK_PATH_PREFIX);
    let held = if is_hook {
        let connections = Arc::clone(&server.connections);
        server.hook_bodies.hold(Some(Replaceable { activity: Arc::clone(&activity), connections }))
    } else {
        server.other_bodies.hold(None)
    };
    let body = RequestBody::new(body, Arc::clone(&activity), Arc::clone(&held), server.body_timeout);
    // HTTP/2 ends a stream on both sides, and a sender that waits for a word to send its body needs
    // none.
    let unread = (!is_http2 && !parts.headers.contains_key(header::EXPECT)).then(|| body.unread());
    let service = TowerToHyperService::new(server.router.clone());
    let response = service.call(Request::from_parts(parts, Body::new(body))).await?;
    drop(held);
    if let Some(unread) = unread
        && !response.headers().contains_key(header::CONNECTION)
    {
        unread.drain(activity);
    }
    Ok(protect(response).map(|body| Body::new(AnswerBody::new(body, exchange))))
}
