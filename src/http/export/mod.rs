//! Lists as CSV files: `GET /export/{list}.csv`, with the fields of the list's filter as
//! parameters.
//!
//! An export is a client of our own GraphQL: it queries the list page by page, each page with the
//! budget of a request. So it has the values, filters, limits and access of the API, and its rows
//! are those of the list.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderValue, StatusCode, Uri, Version, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::form_urlencoded;

mod cell;
mod lists;
mod pages;
mod stream;

use super::access;
use super::error::{HttpError, RETRY_AFTER_SECONDS};
use super::graphql::error_response;
use super::open_mode::AccessPolicy;
use super::server::Exchange;
use super::stream_caps::StreamCaps;
use crate::auth::{Access, Keys};
use crate::graphql::Executor;
use crate::graphql::error::{BAD_USER_INPUT, FORBIDDEN, LIMIT_EXCEEDED, UNAVAILABLE};
use lists::List;
use pages::{PageError, Pages};

/// Starts the exports.
#[derive(Clone)]
pub(super) struct Exports {
    pub(super) caps: StreamCaps,
    pub(super) graphql: Executor,
    pub(super) keys: Keys,
    pub(super) shutdown: CancellationToken,
    pub(super) tracker: TaskTracker,
}

/// The route of the files.
pub(super) fn router(exports: Exports, policy: AccessPolicy) -> Router {
    let cors = policy.origins.cors_layer();
    Router::new()
        .route("/export/{file}", get(export))
        .layer(from_fn_with_state(policy, access::authenticate))
        .layer(cors)
        .with_state(exports)
}

async fn export(
    State(exports): State<Exports>,
    Extension(access): Extension<Access>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path(file): Path<String>,
    version: Version,
    uri: Uri,
) -> Response {
    let Some(list) = List::of_file(&file) else { return HttpError::NotFound.into_response() };
    if version < Version::HTTP_11 {
        // The end of the connection would be the end of the file, even if that is cut off.
        let problem = "a file needs HTTP/1.1 or later, in which a client can tell that a file is cut off; with nginx, \
                       set proxy_http_version 1.1";
        let refusal = (StatusCode::HTTP_VERSION_NOT_SUPPORTED, error_response(problem, BAD_USER_INPUT));
        return refusal.into_response();
    }
    exports.start(list, access, &exchange, &uri).await.unwrap_or_else(|refusal| refusal)
}

impl Exports {
    /// Reads the first page, and streams it with those that follow. A request that is refused has a
    /// status and JSON.
    async fn start(
        self,
        list: &'static List,
        access: Access,
        exchange: &Exchange,
        uri: &Uri,
    ) -> Result<Response, Response> {
        let place = self.caps.open(access, exchange.connections_max());
        let place = place.map_err(|cap| {
            (StatusCode::TOO_MANY_REQUESTS, error_response(&cap.to_string(), LIMIT_EXCEEDED)).into_response()
        })?;
        let parameters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned();
        let filter = self.graphql.read_input(list.filter_type, parameters);
        let filter = filter.map_err(|problem| refusal(&PageError::new(BAD_USER_INPUT, problem)))?;
        let mut pages = Pages::new(self.graphql, list, filter, access);
        let first = pages.next().await.map_err(|error| refusal(&error))?;
        let (chunks, body) = mpsc::channel(1);
        let export = stream::Export { list, pages, place, keys: self.keys, access };
        self.tracker.spawn(export.run(first, chunks, self.shutdown));
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
            (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.csv\"", list.name)),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ];
        Ok((headers, stream::body(body)).into_response())
    }
}

/// The response to a request of which no byte was sent.
fn refusal(error: &PageError) -> Response {
    let status = match error.code.as_str() {
        BAD_USER_INPUT | LIMIT_EXCEEDED => StatusCode::BAD_REQUEST,
        FORBIDDEN => StatusCode::FORBIDDEN,
        UNAVAILABLE => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut response = (status, error_response(&error.message, &error.code)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    }
    response
}
