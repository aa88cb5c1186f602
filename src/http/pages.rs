//! The web pages: an index of the service's paths, and the playground.

use axum::http::header;
use axum::response::{Html, IntoResponse};

use super::error::HttpError;

/// Forbids other sites from framing these pages.
const NO_FRAMES: (header::HeaderName, &str) = (header::X_FRAME_OPTIONS, "DENY");

/// The index of paths.
pub(super) async fn index() -> impl IntoResponse {
    ([NO_FRAMES], Html(include_str!("pages/index.html")))
}

/// GraphiQL, with a query and a subscription in its first tab.
pub(super) async fn playground() -> impl IntoResponse {
    ([NO_FRAMES], Html(include_str!("pages/playground.html")))
}

/// Any other path.
pub(super) async fn not_found() -> HttpError {
    HttpError::NotFound
}
