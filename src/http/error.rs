//! The errors of the HTTP edge outside of GraphQL, with the status of each in one table.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::ingest::IngestError;
use crate::ingest::verify::Refusal;

/// Why a request gets a status other than 200. The message is the response's `error`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HttpError {
    /// A delivery without a valid signature.
    #[error("the signature is missing or wrong")]
    Unauthenticated,
    /// No such hook: the token is unknown, or the vendor is not configured.
    #[error("there is no such hook")]
    UnknownHook,
    /// The hook URL of a webhook of Bidsketch that was deleted or replaced.
    #[error("this webhook was deleted or replaced")]
    RetiredHook,
    /// The path has no route.
    #[error("there is nothing at this path; / lists what this service offers")]
    NotFound,
    /// The bytes of a file are no longer in the store.
    #[error("this file is no longer stored")]
    FileGone,
    /// A picture has no thumbnail.
    #[error("{0}")]
    NoThumbnail(String),
    /// The body is not what this path takes.
    #[error("{0}")]
    BadRequest(&'static str),
    /// The body is of another media type.
    #[error("the header Content-Type must be application/json")]
    UnsupportedMediaType,
    /// A request from another machine in open mode, or from a web page whose origin is not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// The head can be read in two ways.
    #[error("{0}")]
    Malformed(&'static str),
    /// The body is larger than the limit.
    #[error("the body is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    BodyTimeout,
    /// The connection was interrupted before the body was complete.
    #[error("the body is incomplete: the connection was interrupted")]
    BodyInterrupted,
    /// The service cannot record the delivery now.
    #[error("not available now; try again")]
    Unavailable,
}

/// Makes an answer the last one of its connection: the peer has failed too often, and should wait
/// before it tries again. The rest of its body is not read.
pub(super) fn end_connection(response: &mut Response, wait: Duration) {
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// A time in seconds, rounded up.
pub(super) const fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

/// The value of `Retry-After`, in seconds.
pub(super) const RETRY_AFTER_SECONDS: &str = "5";

impl HttpError {
    /// The table of statuses. Bidsketch deletes a webhook that gets 410, so only a retired hook has
    /// that status.
    const fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::UnknownHook | Self::NotFound | Self::FileGone => StatusCode::NOT_FOUND,
            Self::NoThumbnail(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RetiredHook => StatusCode::GONE,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Malformed(_) | Self::BodyInterrupted => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<IngestError> for HttpError {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Refused(Refusal::Unsigned | Refusal::Signature(_)) => Self::Unauthenticated,
            IngestError::Refused(Refusal::UnknownHook) => Self::UnknownHook,
            IngestError::Refused(Refusal::RetiredHook) => Self::RetiredHook,
            IngestError::Unavailable => Self::Unavailable,
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(json!({ "error": self.to_string() }))).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
            }
            // The unread rest of the body would be parsed as the next request.
            Self::Malformed(_) | Self::BodyTooLarge(_) | Self::BodyTimeout | Self::BodyInterrupted => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Self::Unauthenticated
            | Self::UnknownHook
            | Self::RetiredHook
            | Self::NotFound
            | Self::FileGone
            | Self::NoThumbnail(_)
            | Self::BadRequest(_)
            | Self::UnsupportedMediaType
            | Self::Forbidden(_) => {}
        }
        response
    }
}
