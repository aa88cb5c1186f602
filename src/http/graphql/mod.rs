//! GraphQL over HTTP, as the GraphQL-over-HTTP specification defines it: POST with JSON, GET for
//! queries, and the media type that the client accepts.

mod accept;
mod parameters;
mod request;
mod response;
mod routes;
mod runtime;

pub(super) use parameters::Parameters;
pub(super) use request::{REQUEST_BYTES_MAX, RequestError, is_media_type};
pub(super) use response::{APPLICATION_JSON, error_list, error_response, forbidden_response};
pub(super) use routes::router;
pub(super) use runtime::run_on;
