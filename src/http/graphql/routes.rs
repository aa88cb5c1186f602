//! The route `/graphql`: POST and GET.

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::{Router, routing};

use super::request::{RequestError, read_get, read_post};
use super::response::{execution_response, negotiate_media_type, request_error_response};
use crate::auth::Access;
use crate::graphql::{Executor, Operation};
use crate::http::access;
use crate::http::open_mode::AccessPolicy;

/// `/graphql`.
pub(in crate::http) fn router(executor: Executor, policy: AccessPolicy) -> Router {
    let cors = policy.origins.cors_layer();
    // The CORS layer is outside of authentication, so that a web page can read a refusal as well.
    Router::new()
        .route("/graphql", routing::post(post).get(get))
        .layer(from_fn_with_state(policy, access::authenticate))
        .layer(cors)
        .with_state(executor)
}

async fn post(
    State(executor): State<Executor>,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    respond(&executor, access, &headers, read_post(&headers, body).await).await
}

async fn get(
    State(executor): State<Executor>,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    respond(&executor, access, &headers, read_get(&uri).await).await
}

async fn respond(
    executor: &Executor,
    access: Access,
    headers: &HeaderMap,
    operation: Result<Operation, RequestError>,
) -> Response {
    let media_type = negotiate_media_type(headers);
    match operation {
        Ok(operation) => {
            let may_repeat = !operation.is_mutation();
            execution_response(&executor.execute(operation, access).await, may_repeat, media_type)
        }
        Err(error) => request_error_response(error, media_type),
    }
}
