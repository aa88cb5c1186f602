//! Answering a GraphQL request over HTTP: the media type that the client accepts, and the status.

use async_graphql::Response as GraphqlResponse;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::request::Malformed;
use crate::graphql::response;
use crate::http::error::RETRY_AFTER;

const RESPONSE_JSON: &str = "application/graphql-response+json";
pub(in crate::http) const JSON: &str = "application/json";

/// The media type to answer with: the specification's own where the client names it, else plain JSON.
pub(super) fn accepted(headers: &HeaderMap) -> &'static str {
    let named = headers.get_all(header::ACCEPT).iter().any(|value| {
        value.to_str().is_ok_and(|types| {
            types
                .split(',')
                .any(|one| one.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(RESPONSE_JSON)))
        })
    });
    if named { RESPONSE_JSON } else { JSON }
}

/// The response. One without data, because the request itself is wrong, is 400 in the specification's media type; in plain
/// JSON it is 200, as is any other answer. A query of which nothing could be read because the database is not available is 503, so that
/// whoever stands in between knows; a mutation never is, since it may have been done.
pub(super) fn answer(response: &GraphqlResponse, may_repeat: bool, media_type: &'static str) -> Response {
    let unavailable = may_repeat && response::unavailable(response);
    let refused = response::refused(response) && media_type == RESPONSE_JSON;
    let status = match (unavailable, refused) {
        (true, _) => StatusCode::SERVICE_UNAVAILABLE,
        (false, true) => StatusCode::BAD_REQUEST,
        (false, false) => StatusCode::OK,
    };
    match response::to_json(response) {
        Ok(body) => {
            let mut answer = write(status, media_type, body);
            if unavailable {
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
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
pub(in crate::http) fn forbidden(problem: String) -> Response {
    write(StatusCode::FORBIDDEN, JSON, errors(&problem, "FORBIDDEN"))
}

/// An error as a GraphQL response has it, for an answer of another status.
pub(in crate::http) fn problem(problem: &str, code: &str) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-store")], errors(problem, code))
}

fn errors(problem: &str, code: &str) -> Vec<u8> {
    json!({ "errors": errors_of(problem, code) }).to_string().into_bytes()
}

/// The list alone of one error, as a response has it under `errors`.
pub(in crate::http) fn error_list(problem: &str, code: &str) -> Vec<u8> {
    errors_of(problem, code).to_string().into_bytes()
}

fn errors_of(problem: &str, code: &str) -> Value {
    json!([{ "message": problem, "extensions": { "code": code } }])
}

pub(in crate::http) fn refuse(Malformed(status, problem): Malformed, media_type: &'static str) -> Response {
    let code = if status == StatusCode::PAYLOAD_TOO_LARGE { "LIMIT_EXCEEDED" } else { "BAD_USER_INPUT" };
    let mut response = write(status, media_type, errors(&problem, code));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

fn write(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")], body).into_response()
}
