//! What a vendor or a client is told outside of GraphQL: every error's status, in one table.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::ingest::IngestError;
use crate::ingest::verify::Refusal;

/// An answer that is not 200.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HttpError {
    /// A delivery without a right signature.
    #[error("the signature is missing or wrong")]
    Unauthenticated,
    /// No such hook: the token is unknown, or the vendor is not configured.
    #[error("there is no such hook")]
    UnknownHook,
    /// The hook URL of a webhook of Bidsketch that was deleted or replaced.
    #[error("this webhook was deleted or replaced")]
    RetiredHook,
    /// No such page.
    #[error("there is nothing here")]
    NotFound,
    /// A request from elsewhere while the service is in open mode.
    #[error("{0}")]
    Forbidden(String),
    /// The body is larger than the limit.
    #[error("the body is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// The body did not come in time.
    #[error("the body did not come in time")]
    BodyTimeout,
    /// The body broke off.
    #[error("the body broke off")]
    BodyInterrupted,
    /// The service cannot do it now.
    #[error("not available now; try again")]
    Unavailable,
}

/// How long a sender is asked to wait before it comes again, in seconds.
pub(super) const RETRY_AFTER_SECONDS: &str = "5";

impl HttpError {
    /// The table. To Bidsketch 410 means "delete the webhook": it stands for that alone, and only hooks give it.
    const fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::UnknownHook | Self::NotFound => StatusCode::NOT_FOUND,
            Self::RetiredHook => StatusCode::GONE,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyInterrupted => StatusCode::BAD_REQUEST,
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
            // What is left of the body would be read as the next request.
            Self::BodyTooLarge(_) | Self::BodyTimeout | Self::BodyInterrupted => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Self::Unauthenticated | Self::UnknownHook | Self::RetiredHook | Self::NotFound | Self::Forbidden(_) => {}
        }
        response
    }
}
