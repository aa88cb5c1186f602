//! Every answer that is an error.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The token is missing, or not in the documented form.
    NoToken,
    /// The token is not the account's.
    WrongToken,
    /// The page or object does not exist, or does not support the method.
    NotFound,
    /// The body is invalid: the reasons.
    Invalid(Vec<String>),
    /// The account has reached its limit of webhooks.
    AccountLimit(usize),
    /// The rate limit is reached.
    TooMany,
    /// The body is longer than this many bytes. The vendor documents no such limit.
    TooLarge(usize),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Refusal::NoToken => StatusCode::BAD_REQUEST,
            Refusal::WrongToken => StatusCode::UNAUTHORIZED,
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::AccountLimit(_) => StatusCode::UPGRADE_REQUIRED,
            Refusal::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Refusal::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// Only the body of a 422 is documented: `{"errors": […]}`.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let error = match self {
            Refusal::Invalid(errors) => return (status, Json(json!({ "errors": errors }))).into_response(),
            Refusal::NoToken => "No API token was provided".to_owned(),
            Refusal::WrongToken => "The API token is revoked or invalid".to_owned(),
            Refusal::NotFound => "Not found".to_owned(),
            Refusal::AccountLimit(max) => format!("This account has reached its limit of {max} webhooks"),
            Refusal::TooMany => "Too many requests: slow down".to_owned(),
            Refusal::TooLarge(max) => format!("The body is larger than {max} bytes"),
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}
