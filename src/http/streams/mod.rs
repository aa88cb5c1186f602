//! GraphQL over one HTTP response that streams, in two formats: server-sent events by the protocol
//! `graphql-sse` in its *distinct connections mode*, and the parts of Apollo's multipart protocol
//! for subscriptions. Each operation is one request.
//!
//! Requests and their authentication are those of `/graphql`. The `id` of an event is its cursor. A
//! client that reconnects with that cursor as its `Last-Event-ID` resumes after it; browsers'
//! `EventSource` does so by itself.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access;
use super::graphql::RequestError;
use super::server::Exchange;
use super::stream_caps::{CapReached, StreamCaps};
use crate::auth::{Access, Keys};
use crate::graphql::{Executor, Operation};

mod event;
mod format;
mod part;
mod stream;

pub(super) use format::StreamFormat;

/// The header with the cursor of the last event that a client received.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Opens the streams.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) caps: StreamCaps,
    pub(super) graphql: Executor,
    pub(super) keys: Keys,
    pub(super) shutdown: CancellationToken,
    pub(super) tracker: TaskTracker,
}

impl Streams {
    /// The response that streams the messages of an operation, its errors among them.
    pub(super) fn open(
        self,
        operation: Operation,
        access: Access,
        (headers, exchange): (&HeaderMap, &Exchange),
        format: StreamFormat,
    ) -> Result<Response, RequestError> {
        let resume_after = last_event_id(headers)?;
        let too_many = |cap: CapReached| {
            let status = match cap {
                CapReached::AllStreams => StatusCode::SERVICE_UNAVAILABLE,
                CapReached::Streams | CapReached::Operations | CapReached::Bytes => StatusCode::TOO_MANY_REQUESTS,
            };
            RequestError(status, cap.to_string())
        };
        let place = self.caps.open(access, exchange.connections_max()).map_err(too_many)?;
        let operation_place = place.begin_operation(operation.held_bytes()).map_err(too_many)?;
        let (messages, body) = mpsc::channel(1);
        let operation = self.graphql.stream(operation, access, resume_after);
        let operation = access::gate_on_access(&self.keys, access, operation);
        let places = (place, operation_place);
        self.tracker.spawn(stream::serve(operation, format, messages, places, (access, self.keys), self.shutdown));
        let body = Body::from_stream(ReceiverStream::new(body).map(Ok::<_, Infallible>));
        // A proxy that buffers a response would delay messages. This header turns buffering off in
        // nginx.
        let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
        let content_type = (header::CONTENT_TYPE, format.content_type());
        Ok(([content_type, (header::CACHE_CONTROL, "no-store"), unbuffered], body).into_response())
    }
}

/// The cursor from which a client resumes. A client that has not received an event yet may send an
/// empty one.
fn last_event_id(headers: &HeaderMap) -> Result<Option<String>, RequestError> {
    let Some(id) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let id = id.to_str().map_err(|_| RequestError::bad_request("the header Last-Event-ID is not a cursor"))?;
    Ok((!id.is_empty()).then(|| id.to_owned()))
}
