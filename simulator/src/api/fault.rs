//! What goes wrong on request.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::account::Account;
use super::refusal::Refusal;
use super::requests;
use super::server::Connection;

/// More than any call needs.
const LARGEST_BODY: usize = 64 * 1024;

/// What goes wrong with one request. "Does it" means that the call takes its effect, with all checks, as if nothing were
/// wrong: only the answer is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done; the answer is this status (500 for a number that is none) with this body.
    Status(u16, String),
    /// Nothing is done, and the connection stays open without an answer.
    HangBefore,
    /// It does it, and the connection stays open without an answer.
    HangAfter,
    /// It does it, and answers after so long.
    SlowAfter(Duration),
    /// Nothing is done, and the connection is closed without an answer.
    CutBefore,
    /// It does it, and the connection is closed without an answer.
    CutAfter,
    /// It does it, then answers 200 with a body that is no JSON.
    NotJson,
    /// It does it, then answers 200 with this body instead of its own.
    Body(String),
}

/// The outermost step: a request is read, noted and, if nothing is to go wrong, goes on to `next`.
pub(super) async fn witness(
    State(account): State<Arc<Account>>,
    Extension(connection): Extension<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return Refusal::TooLarge(LARGEST_BODY).into_response();
    };
    let number = account.requests.begun(requests::Request {
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        authorization: parts
            .headers
            .get(AUTHORIZATION)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        body: String::from_utf8_lossy(&body).into_owned(),
        status: None,
    });
    let request = Request::from_parts(parts, Body::from(body));
    let answer = match account.take_fault() {
        None => next.run(request).await,
        Some(Fault::Status(status, body)) => {
            (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), json(body)).into_response()
        }
        Some(Fault::HangBefore) => pending().await,
        Some(Fault::HangAfter) => {
            drop(next.run(request).await);
            pending().await
        }
        Some(Fault::SlowAfter(pause)) => {
            let answer = next.run(request).await;
            tokio::time::sleep(pause).await;
            answer
        }
        Some(Fault::CutBefore) => connection.cut().await,
        Some(Fault::CutAfter) => {
            drop(next.run(request).await);
            connection.cut().await
        }
        Some(Fault::NotJson) => {
            drop(next.run(request).await);
            ([(CONTENT_TYPE, "text/html")], "<html><body>We'll be back soon!</body></html>").into_response()
        }
        Some(Fault::Body(body)) => {
            drop(next.run(request).await);
            json(body).into_response()
        }
    };
    account.requests.answered(number, answer.status().as_u16());
    answer
}

fn json(body: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body)
}
