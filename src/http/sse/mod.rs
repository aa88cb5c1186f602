//! GraphQL over server-sent events, by the protocol `graphql-sse` in its *distinct connections
//! mode*: each operation is one request, and its response is a stream of events.
//!
//! Requests and their authentication are those of `/graphql`. The `id` of an event is its cursor. A
//! client that reconnects with that cursor as its `Last-Event-ID` resumes after it; browsers'
//! `EventSource` does so by itself.

use std::convert::Infallible;

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
use crate::graphql::{Executor, Operation};

mod event;
mod stream;

const EVENT_STREAM: &str = "text/event-stream";

/// The header with the cursor of the last event that a client received.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Clone)]
pub(super) struct SseState {
    pub(super) graphql: Executor,
    pub(super) keys: Keys,
    pub(super) shutdown: CancellationToken,
    pub(super) tracker: TaskTracker,
}

/// `/graphql/sse`.
pub(super) fn router(streams: SseState, policy: AccessPolicy) -> Router {
    let cors = policy.origins.cors_layer();
    Router::new()
        .route("/graphql/sse", routing::post(post).get(get))
        .layer(from_fn_with_state(policy, access::authenticate))
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
        Ok(()) => streams.respond(read_get(&uri).await, access, &headers),
        Err(not_acceptable) => graphql::request_error_response(not_acceptable, APPLICATION_JSON),
    }
}

impl SseState {
    /// A request that is not a GraphQL request gets a status and JSON. Every other request gets a
    /// stream, with its errors as events.
    fn respond(self, operation: Result<Operation, RequestError>, access: Access, headers: &HeaderMap) -> Response {
        let operation = operation.and_then(|operation| Ok((operation, last_event_id(headers)?)));
        let (operation, resume_after) = match operation {
            Ok(operation) => operation,
            Err(error) => return graphql::request_error_response(error, APPLICATION_JSON),
        };
        let (events, body) = mpsc::channel(1);
        let operation = self.graphql.stream(operation, access, resume_after);
        let operation = access::gate_on_access(&self.keys, access, operation);
        self.tracker.spawn(stream::serve(operation, events, access, self.keys, self.shutdown));
        let body = Body::from_stream(ReceiverStream::new(body).map(Ok::<_, Infallible>));
        // A proxy that buffers a response would delay events. This header turns buffering off in
        // nginx.
        let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
        ([(header::CONTENT_TYPE, EVENT_STREAM), (header::CACHE_CONTROL, "no-store"), unbuffered], body).into_response()
    }
}

/// Checks that a client accepts an event stream.
fn check_accept(headers: &HeaderMap) -> Result<(), RequestError> {
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    let is_accepted = values.peek().is_none()
        || values.any(|value| {
            value.to_str().is_ok_and(|types| {
                types.split(',').filter_map(|part| part.split(';').next()).any(|name| {
                    [EVENT_STREAM, "text/*", "*/*"].iter().any(|accepted| name.trim().eq_ignore_ascii_case(accepted))
                })
            })
        });
    let problem =
        || "this URL responds with an event stream; the header Accept must allow text/event-stream".to_owned();
    is_accepted.then_some(()).ok_or_else(|| RequestError(StatusCode::NOT_ACCEPTABLE, problem()))
}

/// The cursor from which a client resumes. A client that has not received an event yet may send an
/// empty one.
fn last_event_id(headers: &HeaderMap) -> Result<Option<String>, RequestError> {
    let Some(id) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let id = id.to_str().map_err(|_| RequestError::bad_request("the header Last-Event-ID is not a cursor"))?;
    Ok((!id.is_empty()).then(|| id.to_owned()))
}
