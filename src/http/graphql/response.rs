//! Builds the HTTP response to a GraphQL request: its status, and the media type that the client
//! accepts.

use async_graphql::Response as GraphqlResponse;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::request::RequestError;
use crate::graphql::error::{BAD_USER_INPUT, FORBIDDEN, LIMIT_EXCEEDED};
use crate::graphql::response;
use crate::http::error::RETRY_AFTER_SECONDS;

const GRAPHQL_RESPONSE_JSON: &str = "application/graphql-response+json";
pub(in crate::http) const APPLICATION_JSON: &str = "application/json";

/// The media type of the response: the specification's own if the client accepts it by name,
/// otherwise JSON.
pub(super) fn negotiate_media_type(headers: &HeaderMap) -> &'static str {
    let is_named = headers.get_all(header::ACCEPT).iter().any(|value| {
        value.to_str().is_ok_and(|types| {
            types.split(',').any(|part| {
                part.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(GRAPHQL_RESPONSE_JSON))
            })
        })
    });
    if is_named { GRAPHQL_RESPONSE_JSON } else { APPLICATION_JSON }
}

/// The response to an executed request. A request that is itself wrong has no data; it gets 400 in
/// the specification's media type and 200 in plain JSON. A query that read nothing because the
/// database is not available gets 503, so that proxies and clients can retry. A mutation never gets
/// 503, because it may have run. Every other response is 200.
pub(super) fn execution_response(response: &GraphqlResponse, may_repeat: bool, media_type: &'static str) -> Response {
    let unavailable = may_repeat && response::is_unavailable(response);
    let refused = response::is_refused(response) && media_type == GRAPHQL_RESPONSE_JSON;
    let status = match (unavailable, refused) {
        (true, _) => StatusCode::SERVICE_UNAVAILABLE,
        (false, true) => StatusCode::BAD_REQUEST,
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

/// The response to a request that open mode does not allow.
pub(in crate::http) fn forbidden_response(problem: String) -> Response {
    build_response(StatusCode::FORBIDDEN, APPLICATION_JSON, error_body(&problem, FORBIDDEN))
}

/// The body of a GraphQL response with one error; the caller sets the status.
pub(in crate::http) fn error_response(problem: &str, code: &str) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, APPLICATION_JSON), (header::CACHE_CONTROL, "no-store")], error_body(problem, code))
}

fn error_body(problem: &str, code: &str) -> Vec<u8> {
    json!({ "errors": error_list_value(problem, code) }).to_string().into_bytes()
}

/// The value of `errors` with one error.
pub(in crate::http) fn error_list(problem: &str, code: &str) -> Vec<u8> {
    error_list_value(problem, code).to_string().into_bytes()
}

fn error_list_value(problem: &str, code: &str) -> Value {
    json!([{ "message": problem, "extensions": { "code": code } }])
}

pub(in crate::http) fn request_error_response(
    RequestError(status, problem): RequestError,
    media_type: &'static str,
) -> Response {
    let code = if status == StatusCode::PAYLOAD_TOO_LARGE { LIMIT_EXCEEDED } else { BAD_USER_INPUT };
    let mut response = build_response(status, media_type, error_body(&problem, code));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

fn build_response(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")], body).into_response()
}
