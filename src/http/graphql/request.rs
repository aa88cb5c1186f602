//! Reads a GraphQL request from HTTP, as the GraphQL-over-HTTP specification defines it: JSON in
//! the body of a POST, parameters in the URL of a GET. A list in a body is a batch.
//!
//! async-graphql-axum reads the body of a request; [`Parameters`] read what it lacks: values that
//! common clients leave empty, each request of a batch on its own, and the operation's name in a
//! URL.

use async_graphql::Request;
use async_graphql_axum::GraphQLRequest;
use async_graphql_axum::rejection::GraphQLRejection;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Query};
use axum::http::{self, HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::value::RawValue;

use super::parameters::{Parameters, UrlParameters};
use super::response::APPLICATION_JSON;
use crate::graphql::error::{BAD_USER_INPUT, LIMIT_EXCEEDED, UNAVAILABLE};
use crate::graphql::{Executor, Operation};
use crate::http::body;
use crate::http::error::HttpError;

/// The largest request, its document and variables together.
pub(in crate::http) const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// The byte order mark, in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// How many requests of a batch are served.
const BATCH_MAX: usize = 10;

/// The largest batch of which each request is refused on its own. Of a larger one all are refused
/// at once, because the refusals would be much larger than the batch.
const REFUSED_BATCH_MAX: usize = 100;

/// Why a request is not a GraphQL request: the status and the message of the response.
pub(in crate::http) struct RequestError(pub(in crate::http) StatusCode, pub(in crate::http) String);

impl RequestError {
    pub(in crate::http) fn bad_request(problem: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, problem.into())
    }

    /// The code of the error in the response.
    pub(super) fn code(&self) -> &'static str {
        match self.0 {
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS => LIMIT_EXCEEDED,
            StatusCode::SERVICE_UNAVAILABLE => UNAVAILABLE,
            _ => BAD_USER_INPUT,
        }
    }
}

/// The body of a POST.
pub(super) enum Requests {
    One(Box<Operation>),
    /// A list of requests, each of which is read or refused on its own.
    Batch(Vec<Result<Operation, RequestError>>),
}

pub(super) async fn read_post(headers: &HeaderMap, body: Body, graphql: &Executor) -> Result<Requests, RequestError> {
    // Only JSON. A page of another site can send some other types without a CORS preflight.
    if !headers.get(header::CONTENT_TYPE).is_some_and(|value| is_media_type(value, APPLICATION_JSON)) {
        let problem = "the Content-Type must be application/json".to_owned();
        return Err(RequestError(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem));
    }
    let body: Bytes = body::read(body, REQUEST_BYTES_MAX).await.map(Bytes::from).map_err(|error| {
        let status = match &error {
            HttpError::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            HttpError::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            HttpError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            HttpError::BodyInterrupted
            | HttpError::Malformed(_)
            | HttpError::Unauthenticated
            | HttpError::UnknownHook
            | HttpError::RetiredHook
            | HttpError::NotFound
            | HttpError::FileGone
            | HttpError::NoThumbnail(_)
            | HttpError::BadRequest(_)
            | HttpError::UnsupportedMediaType
            | HttpError::Forbidden(_) => StatusCode::BAD_REQUEST,
        };
        RequestError(status, error.to_string())
    })?;
    let not_a_request =
        |cause: String| RequestError::bad_request(format!("the body is not a GraphQL request: {cause}"));
    // Some programs begin a text with a byte order mark.
    let body = if body.starts_with(BYTE_ORDER_MARK) { body.slice(BYTE_ORDER_MARK.len()..) } else { body };
    if !body.trim_ascii_start().starts_with(b"[") {
        return read(read_single(body).await, graphql)
            .map(|operation| Requests::One(Box::new(operation)))
            .map_err(|RequestError(_, cause)| not_a_request(cause));
    }
    let requests: Vec<&RawValue> = serde_json::from_slice(&body).map_err(|error| not_a_request(error.to_string()))?;
    match requests.len() {
        0 => Err(RequestError::bad_request("the batch is empty; send one request or more")),
        1..=REFUSED_BATCH_MAX => {
            let too_long = requests.len() > BATCH_MAX;
            let requests = requests.into_iter().map(|request| {
                if too_long { Err(batch_too_long()) } else { read(Parameters::from_json(request.get()), graphql) }
            });
            Ok(Requests::Batch(requests.collect()))
        }
        _ => Err(batch_too_long()),
    }
}

/// Reads the body of one request. async-graphql-axum checks neither its size nor its media type.
async fn read_single(body: Bytes) -> Result<Parameters, String> {
    match read_by_library(body.clone()).await {
        Ok(request) => Ok(Parameters::from(request)),
        // A value may be empty; and the library does not say what is wrong with a body.
        Err(GraphQLRejection(_)) => {
            str::from_utf8(&body).map_err(|error| error.to_string()).and_then(Parameters::from_json)
        }
    }
}

async fn read_by_library(body: Bytes) -> Result<Request, GraphQLRejection> {
    let mut request = http::Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    GraphQLRequest::from_request(request, &()).await.map(GraphQLRequest::into_inner)
}

fn batch_too_long() -> RequestError {
    let problem = format!("a batch may have at most {BATCH_MAX} requests");
    RequestError(StatusCode::PAYLOAD_TOO_LARGE, problem)
}

pub(super) fn read_get(uri: &Uri, graphql: &Executor) -> Result<Operation, RequestError> {
    if uri.query().is_none_or(str::is_empty) {
        let problem = "the parameter `query` is missing; to try queries in a browser, open /playground";
        return Err(RequestError::bad_request(problem));
    }
    let not_a_request =
        |cause: String| RequestError::bad_request(format!("the parameters are not a GraphQL request: {cause}"));
    let Query(parameters) =
        Query::<UrlParameters>::try_from_uri(uri).map_err(|error| not_a_request(error.body_text()))?;
    let operation =
        read(Parameters::from_url(&parameters), graphql).map_err(|RequestError(_, cause)| not_a_request(cause))?;
    // A GET must not change anything.
    if operation.is_mutation() {
        return Err(RequestError(StatusCode::METHOD_NOT_ALLOWED, "a mutation must be sent by POST".to_owned()));
    }
    Ok(operation)
}

fn read(parameters: Result<Parameters, String>, graphql: &Executor) -> Result<Operation, RequestError> {
    let request = parameters.and_then(|parameters| parameters.without_empty_query().into_request());
    request.map(|request| graphql.read(request)).map_err(RequestError::bad_request)
}

pub(in crate::http) fn is_media_type(value: &HeaderValue, media_type: &str) -> bool {
    let name = value.to_str().ok().and_then(|value| value.split(';').next());
    name.is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request that the library reads means the same to [`Parameters`], which read those of
    /// batches and sockets.
    #[tokio::test]
    async fn library_and_parameters_read_the_same() {
        let hash = r#"{"persistedQuery":{"version":1,"sha256Hash":"x"}}"#;
        let number = "123456789012345678901234567890";
        let mut read = 0;
        for members in [
            r#""query":"{a}""#.to_owned(),
            r#""query":"{a}","operationName":null,"variables":null"#.to_owned(),
            r#""query":"{a}","operationName":"","variables":{},"extensions":{}"#.to_owned(),
            r#""query":"{a}","operationName":"A","variables":{"a":[1,-2,3.5,"x",true,null,{"b":{}}]}"#.to_owned(),
            format!(r#""query":"{{a}}","variables":{{"big":{number},"long":18446744073709551615,"e":1e3}}"#),
            r#""query":"\ud83d\ude00\n","variables":{"\u0061":"\u00e4"},"more":[{}]"#.to_owned(),
            format!(r#""query":"","extensions":{hash}"#),
            format!(r#""extensions":{hash}"#),
            r#""query":"{a}","variables":{"a":1,"a":2}"#.to_owned(),
            String::new(),
            r#""query":null"#.to_owned(),
            r#""query":"{a}","query":"{b}""#.to_owned(),
            r#""query":"{a}","variables":[]"#.to_owned(),
            r#""query":"{a}","extensions":null"#.to_owned(),
            r#""query":"{a}","variables":1"#.to_owned(),
        ] {
            let json = format!(" {{{members}}} ");
            let Ok(request) = read_by_library(Bytes::from(json.clone())).await else { continue };
            read += 1;
            let shown = |parameters: Parameters| {
                let request = parameters.without_empty_query().into_request();
                request.map(|request: Request| format!("{request:?}"))
            };
            let expected = shown(Parameters::from_json(&json).unwrap());
            assert_eq!(shown(Parameters::from(request)), expected, "{json}");
        }
        assert_eq!(read, 11);
    }
}
