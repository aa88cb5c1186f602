//! GraphQL over HTTP, as the GraphQL-over-HTTP specification defines it: POST with JSON, GET for
//! queries, and the media type that the client accepts.

mod request;
mod response;
mod routes;
mod runtime;

pub(super) use request::{REQUEST_BYTES_MAX, RequestError, read_get, read_post};
pub(super) use response::{APPLICATION_JSON, error_list, error_response, forbidden_response, request_error_response};
pub(super) use routes::router;
pub(super) use runtime::run_on;
