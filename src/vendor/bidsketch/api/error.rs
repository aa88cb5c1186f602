//! What can come of a call, told apart by what its caller must do: every documented status has its place.

use reqwest::StatusCode;
use serde::Deserialize;

/// How many characters of the vendor's own words are passed on.
const VENDOR_MESSAGE_CHARS_MAX: usize = 500;

/// Why a call came to nothing, in words for the person who asked for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BidsketchError {
    /// Bidsketch does not take it: 400, 404, 422 and other 4xx.
    #[error("{0}")]
    Rejected(String),
    /// Bidsketch does not know the token: 401, 403.
    #[error("{0}")]
    Unauthorized(String),
    /// The account's limit (426), or too many requests (429).
    #[error("{message}")]
    Limit {
        /// What is said.
        message: String,
        /// Whether it passes by itself.
        is_temporary: bool,
    },
    /// Bidsketch cannot do it now: 5xx.
    #[error("{0}")]
    Unavailable(String),
    /// Bidsketch was not reached: nothing was sent.
    #[error("{0}")]
    NotSent(String),
    /// The call was sent, and no answer came that tells what became of it.
    #[error("{message}")]
    OutcomeUnknown {
        /// What is said.
        message: String,
        /// Whether it took too long.
        timed_out: bool,
    },
}

impl BidsketchError {
    /// An answer that is not 2xx.
    pub(super) fn from_response(status: StatusCode, body: &str) -> Self {
        let says = match vendor_message(body) {
            Some(words) => format!("Bidsketch answered {}: {words}", status.as_u16()),
            None => format!("Bidsketch answered {status}"),
        };
        match status.as_u16() {
            401 | 403 => Self::Unauthorized(format!("{says} (the token is bidsketch.api_token)")),
            426 => Self::Limit { message: format!("{says} (the account's limit is reached)"), is_temporary: false },
            429 => Self::Limit { message: format!("{says} (too many requests)"), is_temporary: true },
            404 => Self::Rejected(format!("{says} (is bidsketch.api_url right?)")),
            500.. => Self::Unavailable(says),
            300..=399 => Self::Rejected(format!("{says} (redirects are not followed: is bidsketch.api_url right?)")),
            _ => Self::Rejected(says),
        }
    }

    /// A creation with an answer that is not 2xx. Where it is a go-between's, Bidsketch itself may have created the webhook.
    pub(super) fn from_creation_response(status: StatusCode, body: &str) -> Self {
        match (status, Self::from_response(status, body)) {
            (StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT, Self::Unavailable(message)) => {
                Self::outcome_unknown(message)
            }
            (_, error) => error,
        }
    }

    /// A creation with an answer that does not tell what was created.
    pub(super) const fn outcome_unknown(message: String) -> Self {
        Self::OutcomeUnknown { message, timed_out: false }
    }

    /// A creation without an answer.
    pub(super) fn from_creation_error(error: &reqwest::Error) -> Self {
        if error.is_connect() || error.is_builder() {
            return Self::NotSent(format!("Bidsketch cannot be reached: {}", cause(error)));
        }
        let message = format!("it is not known whether Bidsketch has created the webhook: {}", cause(error));
        Self::OutcomeUnknown { message, timed_out: error.is_timeout() }
    }

    /// A call without an answer that may be repeated.
    pub(super) fn from_request_error(error: &reqwest::Error) -> Self {
        if error.is_connect() || error.is_builder() {
            Self::NotSent(format!("Bidsketch cannot be reached: {}", cause(error)))
        } else {
            let message = format!("Bidsketch has not answered: {}", cause(error));
            Self::OutcomeUnknown { message, timed_out: error.is_timeout() }
        }
    }

    /// Whether nothing of the call has reached Bidsketch.
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

    /// Whether the same call may do better a little later.
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent(_) | Self::Unavailable(_) => true,
            // Who asked has waited long enough already.
            Self::OutcomeUnknown { timed_out, .. } => !timed_out,
            Self::Limit { is_temporary: is_passing, .. } => *is_passing,
            Self::Rejected(_) | Self::Unauthorized(_) => false,
        }
    }
}

/// What went wrong, without the URL, and what lies beneath it: the library's own text says little.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut source = std::error::Error::source(error);
    let mut said = None;
    while let Some(error) = source {
        said = Some(error.to_string());
        source = error.source();
    }
    said.unwrap_or_else(|| "the connection broke off".to_owned())
}

/// The vendor's own words: `{"errors": ["…", …]}` by its documentation, also `{"error": "…"}`, else the text itself.
fn vendor_message(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum ErrorBody {
        Errors { errors: Vec<String> },
        Error { error: String },
    }
    let words = match serde_json::from_str(body) {
        Ok(ErrorBody::Errors { errors }) => errors.join("; "),
        Ok(ErrorBody::Error { error }) => error,
        Err(_) => body.to_owned(),
    };
    let words: String =
        words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(VENDOR_MESSAGE_CHARS_MAX).collect();
    (!words.is_empty()).then_some(words)
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
        assert_eq!(error(""), "Bidsketch answered 422 Unprocessable Entity");
        assert!(error(&"x".repeat(10_000)).len() < 600);
    }
}
