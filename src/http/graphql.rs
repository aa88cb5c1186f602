//! GraphQL over HTTP, by the GraphQL-over-HTTP specification: POST with JSON, GET for queries, and the media type that the
//! client accepts.

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor as _, Request, Response as GraphqlResponse};
use axum::body::Body;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use serde_json::{Value, json};

use super::error::{HttpError, RETRY_AFTER};
use super::open_mode::OpenMode;
use super::{auth, body};
use crate::auth::Access;
use crate::graphql::Executor;
use crate::graphql::execution::response;

/// How large a request may be: a document and its variables.
pub(super) const LIMIT: usize = 256 * 1024;

const RESPONSE_JSON: &str = "application/graphql-response+json";
pub(super) const JSON: &str = "application/json";

/// `/graphql`.
pub(super) fn router(executor: Executor, open: OpenMode) -> Router {
    let cors = open.origins.cors();
    // What CORS says goes around what a refused request is told: a web page can read that as well.
    Router::new()
        .route("/graphql", routing::post(post).get(get))
        .layer(from_fn_with_state(open, auth::authenticate))
        .layer(cors)
        .with_state(executor)
}

/// A request that is no GraphQL request: its status, and what the client is told.
pub(super) struct Malformed(pub(super) StatusCode, pub(super) String);

impl Malformed {
    pub(super) fn bad(problem: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, problem.into())
    }
}

async fn post(
    State(executor): State<Executor>,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let media_type = accepted(&headers);
    let mut request = match read_post(&headers, body).await {
        Ok(request) => request,
        Err(malformed) => return refuse(malformed, media_type),
    };
    let may_repeat = !changes(&mut request);
    answer(&executor.execute(request.data(access)).await, may_repeat, media_type)
}

async fn get(
    State(executor): State<Executor>,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let media_type = accepted(&headers);
    let request = match read_get(&uri) {
        Ok(request) => request,
        Err(malformed) => return refuse(malformed, media_type),
    };
    answer(&executor.execute(request.data(access)).await, true, media_type)
}

pub(super) async fn read_post(headers: &HeaderMap, body: Body) -> Result<Request, Malformed> {
    // Only JSON: a page of another site can send any other type without being asked whether it may.
    if !headers.get(header::CONTENT_TYPE).is_some_and(|value| is_media_type(value, JSON)) {
        let problem = "the Content-Type must be application/json".to_owned();
        return Err(Malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem));
    }
    let body = body::read(body, LIMIT).await.map_err(|error| {
        let status = match &error {
            HttpError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            HttpError::TooSlow => StatusCode::REQUEST_TIMEOUT,
            HttpError::BrokenBody
            | HttpError::Unauthenticated
            | HttpError::NoSuchHook
            | HttpError::RetiredHook
            | HttpError::NotFound
            | HttpError::Forbidden(_)
            | HttpError::Unavailable => StatusCode::BAD_REQUEST,
        };
        Malformed(status, error.to_string())
    })?;
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Malformed::bad("batches are not served: send one request, an object with `query`"));
    }
    let request: Request = serde_json::from_slice(&body)
        .map_err(|error| Malformed::bad(format!("the body is no GraphQL request: {error}")))?;
    if request.query.is_empty() {
        return Err(Malformed::bad("`query` is missing"));
    }
    Ok(request)
}

pub(super) fn read_get(uri: &Uri) -> Result<Request, Malformed> {
    let parameters = uri.query().filter(|query| !query.is_empty()).ok_or_else(|| {
        Malformed::bad("the parameter `query` is missing; for a page to try queries on, open /playground")
    })?;
    let mut request = async_graphql::http::parse_query_string(parameters)
        .map_err(|error| Malformed::bad(format!("the parameters are no GraphQL request: {error}")))?;
    // The library looks for it under a name of its own.
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
    let name = pairs.into_iter().find(|(key, _)| key == "operationName").map(|(_, name)| name);
    request.operation_name = name.filter(|name| !name.is_empty());
    if request.query.is_empty() {
        return Err(Malformed::bad("the parameter `query` is missing"));
    }
    // A GET must change nothing.
    if changes(&mut request) {
        return Err(Malformed(StatusCode::METHOD_NOT_ALLOWED, "a mutation must be sent by POST".to_owned()));
    }
    Ok(request)
}

/// Whether a request is for a mutation. A document that cannot be parsed gets its error when it is executed.
fn changes(request: &mut Request) -> bool {
    let name = request.operation_name.clone();
    request.parsed_query().is_ok_and(|document| {
        document.operations.iter().any(|(of, operation)| {
            operation.node.ty == OperationType::Mutation
                && (name.is_none() || of.map(|of| of.as_str()) == name.as_deref())
        })
    })
}

/// The media type to answer with: the specification's own where the client names it, else plain JSON.
fn accepted(headers: &HeaderMap) -> &'static str {
    let named = headers.get_all(header::ACCEPT).iter().any(|value| {
        value.to_str().is_ok_and(|types| {
            types
                .split(',')
                .any(|one| one.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(RESPONSE_JSON)))
        })
    });
    if named { RESPONSE_JSON } else { JSON }
}

fn is_media_type(value: &HeaderValue, media_type: &str) -> bool {
    let name = value.to_str().ok().and_then(|value| value.split(';').next());
    name.is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type))
}

/// The response. One without data, because the request itself is wrong, is 400 in the specification's media type; in plain
/// JSON it is 200, as is any other answer. A query of which nothing could be read because the database is not available is 503, so that
/// whoever stands in between knows; a mutation never is, since it may have been done.
fn answer(response: &GraphqlResponse, may_repeat: bool, media_type: &'static str) -> Response {
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
pub(super) fn forbidden(problem: String) -> Response {
    write(StatusCode::FORBIDDEN, JSON, errors(&problem, "FORBIDDEN"))
}

/// An error as a GraphQL response has it, for an answer of another status.
pub(super) fn problem(problem: &str, code: &str) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-store")], errors(problem, code))
}

fn errors(problem: &str, code: &str) -> Vec<u8> {
    json!({ "errors": errors_of(problem, code) }).to_string().into_bytes()
}

/// The list alone of one error, as a response has it under `errors`.
pub(super) fn error_list(problem: &str, code: &str) -> Vec<u8> {
    errors_of(problem, code).to_string().into_bytes()
}

fn errors_of(problem: &str, code: &str) -> Value {
    json!([{ "message": problem, "extensions": { "code": code } }])
}

pub(super) fn refuse(Malformed(status, problem): Malformed, media_type: &'static str) -> Response {
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
