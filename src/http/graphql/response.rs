//! Builds the HTTP response to a GraphQL request: its status and its body.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::request::RequestError;
use crate::graphql::error::{BAD_USER_INPUT, FORBIDDEN};
use crate::graphql::response::{self, Response as GraphqlResponse};
use crate::http::error::RETRY_AFTER_SECONDS;

pub(in crate::http) const APPLICATION_JSON: &str = "application/json";

/// The response to an executed request. A request that is itself wrong has no data; it gets 400 in
/// the specification's media type and 200 in plain JSON. A query that read nothing because the
/// database is not available gets 503, so that proxies and clients can retry. A mutation never gets
/// 503, because it may have run. Every other response is 200.
pub(super) fn execution_response(response: &GraphqlResponse, may_repeat: bool, media_type: &'static str) -> Response {
    let unavailable = may_repeat && response::is_unavailable(response);
    let status = match (unavailable, response::is_refused(response)) {
        (true, _) => StatusCode::SERVICE_UNAVAILABLE,
        (false, true) => refused_status(media_type),
        (false, false) => StatusCode::OK,
    };
    match response::to_json(response) {
        Ok(body) => {
            let mut response = build_response(status, media_type, body);
            if unavailable {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
            }
            response
        }
        Err(error) => {
            tracing::error!(%error, "failed to serialise a response");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The response to an operation that this transport does not serve.
pub(super) fn refused_response(problem: &str, media_type: &'static str) -> Response {
    build_response(refused_status(media_type), media_type, error_body(problem, BAD_USER_INPUT))
}

/// The status of a request that is refused before it is executed.
fn refused_status(media_type: &str) -> StatusCode {
    if media_type == APPLICATION_JSON { StatusCode::OK } else { StatusCode::BAD_REQUEST }
}

/// The response to a batch: the list of the bodies that its requests get.
pub(super) fn batch_response(bodies: &[Vec<u8>], media_type: &'static str) -> Response {
    build_response(StatusCode::OK, media_type, [&b"["[..], &bodies.join(&b","[..]), b"]"].concat())
}

/// The response to a request that open mode does not allow.
pub(in crate::http) fn forbidden_response(problem: String) -> Response {
    build_response(StatusCode::FORBIDDEN, APPLICATION_JSON, error_body(&problem, FORBIDDEN))
}

/// The body of a GraphQL response with one error; the caller sets the status.
pub(in crate::http) fn error_response(problem: &str, code: &str) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, APPLICATION_JSON), (header::CACHE_CONTROL, "no-store")], error_body(problem, code))
}

pub(super) fn error_body(problem: &str, code: &str) -> Vec<u8> {
    json!({ "errors": error_list_value(problem, code) }).to_string().into_bytes()
}

/// The value of `errors` with one error.
pub(in crate::http) fn error_list(problem: &str, code: &str) -> Vec<u8> {
    error_list_value(problem, code).to_string().into_bytes()
}

fn error_list_value(problem: &str, code: &str) -> Value {
    json!([{ "message": problem, "extensions": { "code": code } }])
}

pub(super) fn request_error_response(error: &RequestError, media_type: &'static str) -> Response {
    let RequestError(status, problem) = error;
    let mut response = build_response(*status, media_type, error_body(problem, error.code()));
    if *status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    } else if *status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    }
    response
}

fn build_response(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")], body).into_response()
}
