//! Reads a GraphQL request from HTTP, as the GraphQL-over-HTTP specification defines it: JSON in
//! the body of a POST, parameters in the URL of a GET.

use async_graphql::Request;
use async_graphql::parser::types::OperationType;
use axum::body::Body;
use axum::extract::Query;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};

use super::response::APPLICATION_JSON;
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

pub(in crate::http) async fn read_post(headers: &HeaderMap, body: Body) -> Result<Request, RequestError> {
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
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(RequestError::bad_request("batches are not supported; send one request, an object with `query`"));
    }
    let request: Request = serde_json::from_slice(&body)
        .map_err(|error| RequestError::bad_request(format!("the body is not a GraphQL request: {error}")))?;
    if request.query.is_empty() {
        return Err(RequestError::bad_request("`query` is missing"));
    }
    Ok(request)
}

pub(in crate::http) fn read_get(uri: &Uri) -> Result<Request, RequestError> {
    let parameters = uri.query().filter(|query| !query.is_empty()).ok_or_else(|| {
        RequestError::bad_request("the parameter `query` is missing; to try queries in a browser, open /playground")
    })?;
    let mut request = async_graphql::http::parse_query_string(parameters)
        .map_err(|error| RequestError::bad_request(format!("the parameters are not a GraphQL request: {error}")))?;
    // The library expects the operation's name under another key than the specification.
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
    let name = pairs.into_iter().find(|(key, _)| key == "operationName").map(|(_, name)| name);
    request.operation_name = name.filter(|name| !name.is_empty());
    if request.query.is_empty() {
        return Err(RequestError::bad_request("the parameter `query` is missing"));
    }
    // A GET must not change anything.
    if is_mutation(&mut request) {
        return Err(RequestError(StatusCode::METHOD_NOT_ALLOWED, "a mutation must be sent by POST".to_owned()));
    }
    Ok(request)
}

/// Whether a request may run a mutation. A document that cannot be parsed is false here, and fails
/// when it is executed.
pub(super) fn is_mutation(request: &mut Request) -> bool {
    let name = request.operation_name.clone();
    request.parsed_query().is_ok_and(|document| {
        document.operations.iter().any(|(operation_name, operation)| {
            operation.node.ty == OperationType::Mutation
                && (name.is_none() || operation_name.map(|name| name.as_str()) == name.as_deref())
        })
    })
}

fn is_media_type(value: &HeaderValue, media_type: &str) -> bool {
    let name = value.to_str().ok().and_then(|value| value.split(';').next());
    name.is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type))
}
