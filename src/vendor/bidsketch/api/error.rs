//! Errors of a call, told apart by what the caller must do. Every documented status has its place.

use reqwest::StatusCode;
use serde::Deserialize;

use crate::shown_url::show_urls_in;
use crate::vendor::request_error::cause;

/// How many characters of the vendor's message are passed on.
const VENDOR_MESSAGE_CHARS_MAX: usize = 500;

/// Why a call failed, in words for its user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BidsketchError {
    /// Bidsketch rejects the request: 400, 404, 422, a redirect, and other 4xx.
    #[error("{0}")]
    Rejected(String),
    /// Bidsketch rejects the token: 401, 403.
    #[error("{0}")]
    Unauthorized(String),
    /// The account's limit (426), or too many requests (429).
    #[error("{message}")]
    Limit {
        /// The message.
        message: String,
        /// Whether a later call may succeed.
        is_temporary: bool,
    },
    /// Bidsketch cannot answer now: 5xx.
    #[error("{0}")]
    Unavailable(String),
    /// Bidsketch was not reached. Nothing was sent.
    #[error("{0}")]
    NotSent(String),
    /// The call was sent, but no answer says whether Bidsketch did it.
    #[error("{message}")]
    OutcomeUnknown {
        /// The message.
        message: String,
        /// Whether it timed out.
        timed_out: bool,
    },
}

impl BidsketchError {
    /// Converts an answer that is not 2xx.
    pub(super) fn from_response(status: StatusCode, body: &str) -> Self {
        let answer = match vendor_message(body) {
            Some(message) => format!("Bidsketch answered {}: {message}", status.as_u16()),
            None => format!("Bidsketch answered {status}"),
        };
        match status.as_u16() {
            401 | 403 => Self::Unauthorized(format!("{answer} (check bidsketch.api_token)")),
            426 => Self::Limit { message: format!("{answer} (the account's limit is reached)"), is_temporary: false },
            429 => {
                Self::Limit { message: format!("{answer} (too many requests; try again later)"), is_temporary: true }
            }
            404 => Self::Rejected(format!("{answer} (check bidsketch.api_url)")),
            500.. => Self::Unavailable(answer),
            300..=399 => Self::Rejected(format!("{answer} (redirects are not followed; check bidsketch.api_url)")),
            _ => Self::Rejected(answer),
        }
    }

    /// Converts a creation's answer that is not 2xx. Behind a gateway's error, Bidsketch may have
    /// created the webhook.
    pub(super) fn from_creation_response(status: StatusCode, body: &str) -> Self {
        match (status, Self::from_response(status, body)) {
            (StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT, Self::Unavailable(message)) => {
                Self::outcome_unknown(message)
            }
            (_, error) => error,
        }
    }

    /// Makes the error of a creation whose answer does not say whether a webhook was created.
    pub(super) const fn outcome_unknown(message: String) -> Self {
        Self::OutcomeUnknown { message, timed_out: false }
    }

    /// Converts the failure of a creation without an answer.
    pub(super) fn from_creation_error(error: &reqwest::Error) -> Self {
        if error.is_connect() || error.is_builder() {
            return Self::NotSent(format!("Bidsketch cannot be reached: {}", cause(error)));
        }
        let message = format!("it is not known whether Bidsketch created the webhook: {}", cause(error));
        Self::OutcomeUnknown { message, timed_out: error.is_timeout() }
    }

    /// Converts the failure of a repeatable call without an answer.
    pub(super) fn from_request_error(error: &reqwest::Error) -> Self {
        if error.is_connect() || error.is_builder() {
            Self::NotSent(format!("Bidsketch cannot be reached: {}", cause(error)))
        } else {
            let message = format!("Bidsketch has not answered: {}", cause(error));
            Self::OutcomeUnknown { message, timed_out: error.is_timeout() }
        }
    }

    /// Whether the call never reached Bidsketch.
    pub(super) const fn was_not_sent(&self) -> bool {
        match self {
            Self::NotSent(_) => true,
            Self::Rejected(_)
            | Self::Unauthorized(_)
            | Self::Limit { .. }
            | Self::Unavailable(_)
            | Self::OutcomeUnknown { .. } => false,
        }
    }

    /// Whether a retry soon after may succeed.
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent(_) | Self::Unavailable(_) => true,
            // After a time-out, the caller has waited long enough.
            Self::OutcomeUnknown { timed_out, .. } => !timed_out,
            Self::Limit { is_temporary, .. } => *is_temporary,
            Self::Rejected(_) | Self::Unauthorized(_) => false,
        }
    }
}

/// The vendor's message: `{"errors": ["…", …]}` by its documentation, also `{"error": "…"}`, else
/// the body itself.
fn vendor_message(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum ErrorBody {
        Errors { errors: Vec<String> },
        Error { error: String },
    }
    let message = match serde_json::from_str(body) {
        Ok(ErrorBody::Errors { errors }) => errors.join("; "),
        Ok(ErrorBody::Error { error }) => error,
        Err(_) => body.to_owned(),
    };
    // The message may repeat the URL of a webhook, whose token is a secret.
    let message = show_urls_in(&message);
    let message: String =
        message.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(VENDOR_MESSAGE_CHARS_MAX).collect();
    (!message.is_empty()).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendor_message_is_passed_on() {
        let error = |body: &str| BidsketchError::from_response(StatusCode::UNPROCESSABLE_ENTITY, body).to_string();
        assert_eq!(
            error(r#"{"errors":["Endpoint is invalid","Event can't be blank"]}"#),
            "Bidsketch answered 422: Endpoint is invalid; Event can't be blank"
        );
        assert_eq!(error(r#"{"error":"no"}"#), "Bidsketch answered 422: no");
        assert_eq!(error("<h1>no\n\n way</h1>"), "Bidsketch answered 422: <h1>no way</h1>");
        assert_eq!(
            error(r#"{"error":"https:\/\/a.example\/webhooks\/bidsketch\/0123456789abcdef0123 is gone"}"#),
            "Bidsketch answered 422: https://a.example/webhooks/bidsketch/… is gone"
        );
        assert_eq!(error(""), "Bidsketch answered 422 Unprocessable Entity");
        assert!(error(&"x".repeat(10_000)).len() < 600);
    }
}
