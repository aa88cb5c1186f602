//! Answering a GraphQL request over HTTP: the media type that the client accepts, and the status.

use async_graphql::Response as GraphqlResponse;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::request::RequestError;
use crate::graphql::response;
use crate::http::error::RETRY_AFTER_SECONDS;

const GRAPHQL_RESPONSE_JSON: &str = "application/graphql-response+json";
pub(in crate::http) const APPLICATION_JSON: &str = "application/json";

/// The media type to answer with: the specification's own where the client names it, else plain JSON.
pub(super) fn negotiate_media_type(headers: &HeaderMap) -> &'static str {
    let named = headers.get_all(header::ACCEPT).iter().any(|value| {
        value.to_str().is_ok_and(|types| {
            types.split(',').any(|one| {
                one.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(GRAPHQL_RESPONSE_JSON))
            })
        })
    });
    if named { GRAPHQL_RESPONSE_JSON } else { APPLICATION_JSON }
}

/// The response. One without data, because the request itself is wrong, is 400 in the specification's media type; in plain
/// JSON it is 200, as is any other answer. A query of which nothing could be read because the database is not available is 503, so that
/// whoever stands in between knows; a mutation never is, since it may have been done.
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
            let mut answer = build_response(status, media_type, body);
            if unavailable {
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
            }
            answer
        }
        Err(error) => {
            tracing::error!(%error, "a response could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The answer to a request that is not let in.
pub(in crate::http) fn forbidden_response(problem: String) -> Response {
    build_response(StatusCode::FORBIDDEN, APPLICATION_JSON, error_body(&problem, "FORBIDDEN"))
}

/// An error as a GraphQL response has it, for an answer of another status.
pub(in crate::http) fn error_response(problem: &str, code: &str) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, APPLICATION_JSON), (header::CACHE_CONTROL, "no-store")], error_body(problem, code))
}

fn error_body(problem: &str, code: &str) -> Vec<u8> {
    json!({ "errors": error_list_value(problem, code) }).to_string().into_bytes()
}

/// The list alone of one error, as a response has it under `errors`.
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
    let code = if status == StatusCode::PAYLOAD_TOO_LARGE { "LIMIT_EXCEEDED" } else { "BAD_USER_INPUT" };
    let mut response = build_response(status, media_type, error_body(&problem, code));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

fn build_response(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")], body).into_response()
}
