//! GraphQL over server-sent events, by the protocol `graphql-sse`, in its *distinct connections mode*: each operation is a request
//! of its own, answered by a stream of events.
//!
//! Requests and who may send them are those of `/graphql`. An event has the cursor of what it brings as its `id`; a client that
//! comes again with that as its `Last-Event-ID` goes on from there. Browsers' `EventSource` does so by itself.

use std::convert::Infallible;

use async_graphql::Request;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access;
use super::graphql::{self, APPLICATION_JSON, RequestError, read_get, read_post};
use super::open_mode::AccessPolicy;
use crate::auth::{Access, Keys};
use crate::graphql::Executor;

mod event;
mod stream;

const EVENT_STREAM: &str = "text/event-stream";

/// The cursor of the last event that a client has seen.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Clone)]
pub(super) struct SseState {
    pub(super) graphql: Executor,
    pub(super) keys: Keys,
    pub(super) shutdown: CancellationToken,
    pub(super) tracker: TaskTracker,
}

/// `/graphql/sse`.
pub(super) fn router(streams: SseState, open: AccessPolicy) -> Router {
    let cors = open.origins.cors_layer();
    Router::new()
        .route("/graphql/sse", routing::post(post).get(get))
        .layer(from_fn_with_state(open, access::authenticate))
        .layer(cors)
        .with_state(streams)
}

async fn post(
    State(streams): State<SseState>,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match check_accept(&headers) {
        Ok(()) => streams.respond(read_post(&headers, body).await, access, &headers),
        Err(not_acceptable) => graphql::request_error_response(not_acceptable, APPLICATION_JSON),
    }
}

async fn get(
    State(streams): State<SseState>,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match check_accept(&headers) {
        Ok(()) => streams.respond(read_get(&uri), access, &headers),
        Err(not_acceptable) => graphql::request_error_response(not_acceptable, APPLICATION_JSON),
    }
}

impl SseState {
    /// What is no GraphQL request has a status and JSON; what is one is answered by events, whatever comes of it.
    fn respond(self, request: Result<Request, RequestError>, access: Access, headers: &HeaderMap) -> Response {
        let request = request.and_then(|request| Ok((request, last_event_id(headers)?)));
        let (request, after) = match request {
            Ok(request) => request,
            Err(malformed) => return graphql::request_error_response(malformed, APPLICATION_JSON),
        };
        let (events, body) = mpsc::channel(1);
        let operation = self.graphql.stream_with_cursors(request, access, after);
        let operation = access::gate_on_access(&self.keys, access, operation);
        self.tracker.spawn(stream::serve(operation, events, access, self.keys, self.shutdown));
        let body = Body::from_stream(ReceiverStream::new(body).map(Ok::<_, Infallible>));
        // A proxy that gathers an answer before it passes it on would hold events back; this is how nginx is told.
        let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
        ([(header::CONTENT_TYPE, EVENT_STREAM), (header::CACHE_CONTROL, "no-store"), unbuffered], body).into_response()
    }
}

/// Whether a client takes a stream of events.
fn check_accept(headers: &HeaderMap) -> Result<(), RequestError> {
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    let takes = accepted.peek().is_none()
        || accepted.any(|value| {
            value.to_str().is_ok_and(|types| {
                types.split(',').filter_map(|one| one.split(';').next()).any(|name| {
                    [EVENT_STREAM, "text/*", "*/*"].iter().any(|taken| name.trim().eq_ignore_ascii_case(taken))
                })
            })
        });
    let problem = || "what is answered here is a stream: Accept must allow text/event-stream".to_owned();
    takes.then_some(()).ok_or_else(|| RequestError(StatusCode::NOT_ACCEPTABLE, problem()))
}

/// Where a client goes on. One that has seen no event yet may send it empty.
fn last_event_id(headers: &HeaderMap) -> Result<Option<String>, RequestError> {
    let Some(id) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let id = id.to_str().map_err(|_| RequestError::bad_request("the Last-Event-ID is no cursor"))?;
    Ok((!id.is_empty()).then(|| id.to_owned()))
}
