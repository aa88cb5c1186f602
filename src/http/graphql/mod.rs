//! GraphQL over HTTP, by the GraphQL-over-HTTP specification: POST with JSON, GET for queries, and the media type that the
//! client accepts.

mod request;
mod response;
mod routes;

pub(super) use request::{LIMIT, Malformed, read_get, read_post};
pub(super) use response::{JSON, error_list, forbidden, problem, refuse};
pub(super) use routes::router;
