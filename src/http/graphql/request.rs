//! Reads a GraphQL request from HTTP, as the GraphQL-over-HTTP specification defines it: JSON in
//! the body of a POST, parameters in the URL of a GET.

use async_graphql::{ParseRequestError, Request};
use async_graphql_axum::GraphQLRequest;
use async_graphql_axum::rejection::GraphQLRejection;
use axum::body::Body;
use axum::extract::{FromRequest, Query};
use axum::http::{self, HeaderMap, HeaderValue, StatusCode, Uri, header};

use super::response::APPLICATION_JSON;
use crate::graphql::Operation;
use crate::http::body;
use crate::http::error::HttpError;

/// The largest request, its document and variables together.
pub(in crate::http) const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// Why a request is not a GraphQL request: the status and the message of the response.
pub(in crate::http) struct RequestError(pub(in crate::http) StatusCode, pub(in crate::http) String);

impl RequestError {
    pub(in crate::http) fn bad_request(problem: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, problem.into())
    }
}

pub(in crate::http) async fn read_post(headers: &HeaderMap, body: Body) -> Result<Operation, RequestError> {
    // Only JSON. A page of another site can send some other types without a CORS preflight.
    if !headers.get(header::CONTENT_TYPE).is_some_and(|value| is_media_type(value, APPLICATION_JSON)) {
        let problem = "the Content-Type must be application/json".to_owned();
        return Err(RequestError(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem));
    }
    let body = body::read(body, REQUEST_BYTES_MAX).await.map_err(|error| {
        let status = match &error {
            HttpError::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            HttpError::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            HttpError::BodyInterrupted
            | HttpError::Unauthenticated
            | HttpError::UnknownHook
            | HttpError::RetiredHook
            | HttpError::NotFound
            | HttpError::Forbidden(_)
            | HttpError::Unavailable => StatusCode::BAD_REQUEST,
        };
        RequestError(status, error.to_string())
    })?;
    // The library would read a list as the fields of one request, in order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(RequestError::bad_request("batches are not supported; send one request, an object with `query`"));
    }
    let request = http::Request::post("/").header(header::CONTENT_TYPE, APPLICATION_JSON);
    let request = read(request.body(Body::from(body.clone()))).await.map_err(|error| {
        // The library expects one of two types, and does not say what is wrong with each.
        let cause = serde_json::from_slice::<Request>(&body).err();
        let cause = cause.map_or_else(|| error.to_string(), |cause| cause.to_string());
        RequestError::bad_request(format!("the body is not a GraphQL request: {cause}"))
    })?;
    if request.query.is_empty() {
        return Err(RequestError::bad_request("`query` is missing"));
    }
    Ok(Operation::read(request))
}

pub(in crate::http) async fn read_get(uri: &Uri) -> Result<Operation, RequestError> {
    if uri.query().is_none_or(str::is_empty) {
        let problem = "the parameter `query` is missing; to try queries in a browser, open /playground";
        return Err(RequestError::bad_request(problem));
    }
    let mut request = read(http::Request::get(uri).body(Body::empty()))
        .await
        .map_err(|error| RequestError::bad_request(format!("the parameters are not a GraphQL request: {error}")))?;
    // The library expects the operation's name under another key than the specification.
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
    let name = pairs.into_iter().find(|(key, _)| key == "operationName").map(|(_, name)| name);
    request.operation_name = name.filter(|name| !name.is_empty());
    if request.query.is_empty() {
        return Err(RequestError::bad_request("the parameter `query` is missing"));
    }
    let operation = Operation::read(request);
    // A GET must not change anything.
    if operation.is_mutation() {
        return Err(RequestError(StatusCode::METHOD_NOT_ALLOWED, "a mutation must be sent by POST".to_owned()));
    }
    Ok(operation)
}

/// Reads a request whose media type and size are checked already. async-graphql-axum does the
/// reading; it has no limit of its own.
async fn read(request: http::Result<http::Request<Body>>) -> Result<Request, ParseRequestError> {
    let request = request.map_err(|error| ParseRequestError::Io(std::io::Error::other(error)))?;
    let read = GraphQLRequest::<GraphQLRejection>::from_request(request, &()).await;
    read.map(GraphQLRequest::into_inner).map_err(|GraphQLRejection(error)| error)
}

fn is_media_type(value: &HeaderValue, media_type: &str) -> bool {
    let name = value.to_str().ok().and_then(|value| value.split(';').next());
    name.is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type))
}
