//! Faults that a test requests.

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
use crate::http_server::Connection;

/// The longest body, in bytes. No call needs as much.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The fault of one request. "Performs the call" means that the call takes effect, with all checks;
/// only the answer differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Does nothing, and answers this status (500 if it is invalid) with this body.
    Status(u16, String),
    /// Does nothing, and leaves the connection open without an answer.
    HangBefore,
    /// Performs the call, and leaves the connection open without an answer.
    HangAfter,
    /// Performs the call, and answers after this delay.
    SlowAfter(Duration),
    /// Does nothing, and closes the connection without an answer.
    CutBefore,
    /// Performs the call, and closes the connection without an answer.
    CutAfter,
    /// Performs the call, and answers 200 with a body that is not JSON.
    NotJson,
    /// Performs the call, and answers 200 with this body instead of its own.
    Body(String),
}

/// The outermost middleware: reads and records a request, then applies its fault or calls `next`.
pub(super) async fn record_and_inject(
    State(account): State<Arc<Account>>,
    Extension(connection): Extension<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return Refusal::TooLarge(BODY_BYTES_MAX).into_response();
    };
    let index = account.requests.record(requests::Request {
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
        Some(Fault::SlowAfter(delay)) => {
            let answer = next.run(request).await;
            tokio::time::sleep(delay).await;
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
    account.requests.record_status(index, answer.status().as_u16());
    answer
}

fn json(body: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body)
}
