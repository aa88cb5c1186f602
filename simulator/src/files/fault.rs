//! What goes wrong with an answer.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};

use crate::sample::Sampler;

/// The fault of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, 500 if it is invalid.
    Status(u16),
    /// 503, and how long to wait.
    RetryAfter(Duration),
    /// The connection breaks in the middle of the body.
    Cut,
    /// The body takes this long.
    Slow(Duration),
    /// 200, with a page in the place of the file.
    Page,
    /// 200, with a picture that is neither a PDF nor a PNG.
    WrongType,
}

/// A GIF of one pixel.
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

impl Fault {
    /// One of those that pass.
    pub(super) fn sample(sampler: &mut Sampler, slow: Duration) -> Fault {
        match sampler.index(6) {
            0 => Fault::Status(403),
            1 => Fault::Status(500),
            2 => Fault::RetryAfter(Duration::from_secs(1)),
            3 => Fault::Cut,
            4 => Fault::Page,
            _ => Fault::Slow(slow),
        }
    }
}

/// An answer without a file, as storage gives it.
pub(super) fn refuse(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or_default();
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Message>{reason}</Message></Error>");
    (status, [(CONTENT_TYPE, "application/xml")], body).into_response()
}

pub(super) fn retry_after(time: Duration) -> Response {
    ([(RETRY_AFTER, time.as_secs().to_string())], refuse(StatusCode::SERVICE_UNAVAILABLE)).into_response()
}

pub(super) fn page() -> Response {
    ([(CONTENT_TYPE, "text/html")], "<!doctype html><title>We'll be back soon!</title>").into_response()
}

pub(super) fn wrong_type() -> Response {
    ([(CONTENT_TYPE, "image/gif")], GIF).into_response()
}
