//! The routes `/graphql` and `/graphql/sse`: POST and GET. Each is also served with one slash at
//! its end, as some forms and proxies add it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::MethodRouter;
use axum::{Router, routing};

use super::accept::{Accept, Transport};
use super::request::{RequestError, Requests, read_get, read_post};
use super::response::{
    APPLICATION_JSON, batch_response, error_body, execution_response, refused_response, request_error_response,
};
use crate::auth::Access;
use crate::graphql::error::{BAD_USER_INPUT, INTERNAL};
use crate::graphql::{Operation, response};
use crate::http::access;
use crate::http::open_mode::AccessPolicy;
use crate::http::server::Exchange;
use crate::http::streams::{StreamFormat, Streams};
use crate::http::ws::{self, WsState};

/// The answer to a subscription for which one response is not enough.
const NEEDS_A_STREAM: &str = "a subscription needs a stream: send it with `Accept: text/event-stream` or `Accept: \
     multipart/mixed;subscriptionSpec=1.0`, or over a WebSocket to this URL";

/// One of the routes.
#[derive(Clone)]
struct Endpoint {
    streams: Streams,
    /// Whether every answer is an event stream. Otherwise the client chooses.
    only_event_streams: bool,
}

/// `/graphql`, which upgrades to a socket too, and `/graphql/sse`.
pub(in crate::http) fn router(streams: Streams, sockets: WsState, policy: AccessPolicy) -> Router {
    let cors = policy.origins.cors_layer();
    let route = |only_event_streams| -> MethodRouter {
        routing::post(post).get(get).with_state(Endpoint { streams: streams.clone(), only_event_streams })
    };
    // The CORS layer is outside of authentication, so that a web page can read a refusal as well. A
    // socket authenticates by itself.
    let streams = Router::new().route("/graphql/sse", route(true)).route("/graphql/sse/", route(true));
    Router::new()
        .route("/graphql", route(false))
        .route("/graphql/", route(false))
        .layer(from_fn_with_state(policy.clone(), access::authenticate))
        .layer(from_fn_with_state(sockets, ws::upgrade_if_requested))
        .merge(streams.layer(from_fn_with_state(policy, access::authenticate)))
        .layer(cors)
}

async fn post(
    State(endpoint): State<Endpoint>,
    Extension(access): Extension<Access>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let requests = match endpoint.check_accept(&headers) {
        Ok(()) => read_post(&headers, body, &endpoint.streams.graphql).await,
        Err(not_acceptable) => Err(not_acceptable),
    };
    endpoint.respond(requests, access, (&headers, &exchange)).await
}

async fn get(
    State(endpoint): State<Endpoint>,
    Extension(access): Extension<Access>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let operation = endpoint.check_accept(&headers).and_then(|()| read_get(&uri, &endpoint.streams.graphql));
    let requests = operation.map(|operation| Requests::One(Box::new(operation)));
    endpoint.respond(requests, access, (&headers, &exchange)).await
}

impl Endpoint {
    /// Checks that a client accepts an event stream where nothing else is served.
    fn check_accept(&self, headers: &HeaderMap) -> Result<(), RequestError> {
        if self.only_event_streams && !Accept::read(headers).allows_event_stream() {
            let problem = "this URL responds with an event stream; the header Accept must allow text/event-stream";
            return Err(RequestError(StatusCode::NOT_ACCEPTABLE, problem.to_owned()));
        }
        Ok(())
    }

    /// A request that is not a GraphQL request gets a status and JSON. A stream has the errors of
    /// every other request in it.
    async fn respond(
        self,
        requests: Result<Requests, RequestError>,
        access: Access,
        (headers, exchange): (&HeaderMap, &Exchange),
    ) -> Response {
        let accept = Accept::read(headers);
        let json_type = if self.only_event_streams { APPLICATION_JSON } else { accept.json_type() };
        let transport = |operation: &Operation| match self.only_event_streams {
            true => Transport::Stream(StreamFormat::EventStream),
            false => accept.transport_of(operation),
        };
        match requests {
            Ok(Requests::One(operation)) => match transport(&operation) {
                Transport::Stream(format) => match self.streams.open(*operation, access, (headers, exchange), format) {
                    Ok(stream) => stream,
                    Err(error) => request_error_response(&error, json_type),
                },
                Transport::Single if operation.is_subscription() => refused_response(NEEDS_A_STREAM, json_type),
                Transport::Single => {
                    let may_repeat = !operation.is_mutation();
                    let graphql = &self.streams.graphql;
                    let response = graphql.execute(*operation, access, &graphql.new_budget()).await;
                    execution_response(&response, may_repeat, json_type)
                }
            },
            Ok(Requests::Batch(_)) if self.only_event_streams || accept.transport() != Transport::Single => {
                let error =
                    RequestError::bad_request("a stream answers one request; a batch needs Accept: application/json");
                request_error_response(&error, json_type)
            }
            Ok(Requests::Batch(requests)) => batch_response(&self.execute_batch(requests, access).await, json_type),
            Err(error) => request_error_response(&error, json_type),
        }
    }

    /// Executes the requests of a batch one after another, so that a batch uses no more of the
    /// service at once than a request does; they share its budget too. Returns the body of each
    /// response.
    async fn execute_batch(&self, requests: Vec<Result<Operation, RequestError>>, access: Access) -> Vec<Vec<u8>> {
        let mut bodies = Vec::with_capacity(requests.len());
        let budget = self.streams.graphql.new_budget();
        for request in requests {
            bodies.push(match request {
                Ok(operation) if operation.is_subscription() => error_body(NEEDS_A_STREAM, BAD_USER_INPUT),
                Ok(operation) => {
                    let response = self.streams.graphql.execute(operation, access, &budget).await;
                    response::to_json(&response).unwrap_or_else(|error| {
                        tracing::error!(%error, "failed to serialise a response");
                        error_body("an internal error; the service's log has the details", INTERNAL)
                    })
                }
                Err(error) => error_body(&error.1, error.code()),
            });
        }
        bodies
    }
}
