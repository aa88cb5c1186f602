//! A typed client for the webhooks of Bidsketch's REST API, by its public documentation
//! ("Webhooks", and "Authentication" and "Rate limiting" of its overview).
//!
//! No call lists webhooks, and creating one twice makes two. A creation that Bidsketch may have
//! seen is therefore never repeated.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::domain::endpoint::{self, Endpoint};
use crate::shown_url::shown_url;

mod error;
mod throttle;

pub use error::BidsketchError;
use throttle::Throttle;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a call is repeated, if it may be.
const RETRIES_MAX: usize = 3;
/// The pause before the first retry. It doubles for each further one.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(200);
/// How many bytes of an answer are read.
const RESPONSE_BYTES_MAX: usize = 64 * 1024;

/// Bidsketch's API, for the account of one token.
#[derive(Debug)]
pub struct BidsketchApi {
    http: reqwest::Client,
    base_url: Url,
    throttle: Throttle,
}

/// Why the client cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum ApiConfigError {
    /// The URL is invalid, or neither https nor http to a loopback address, or may hold a secret.
    #[error(
        "bidsketch.api_url must be an https URL, or http for a loopback address, without a user name, a password or a query; it is {0}"
    )]
    Url(String),
    /// The token holds a character that no header can carry.
    #[error("bidsketch.api_token holds characters that an HTTP header cannot carry")]
    Token,
    /// TLS cannot be set up.
    #[error("the client for Bidsketch's API cannot be created: {0}")]
    Client(reqwest::Error),
}

/// The result of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The webhook is deleted.
    Deleted,
    /// Bidsketch knows no such webhook.
    NotFound,
}

#[derive(Deserialize)]
struct CreateResponse {
    id: JsonId,
}

/// An id: a number of any size by the documentation. Text is accepted as well.
#[derive(Deserialize)]
#[serde(untagged)]
enum JsonId {
    Number(serde_json::Number),
    Text(String),
}

impl BidsketchApi {
    /// Creates a client for the API at `url`, such as `https://bidsketch.com/api/v1`. A call must
    /// be answered within `timeout`, not counting the wait for the rate limit.
    pub fn new(url: &str, token: &SecretString, timeout: Duration) -> Result<Self, ApiConfigError> {
        let invalid = || ApiConfigError::Url(shown_url(url));
        let base: Url = url.parse().map_err(|_| invalid())?;
        let is_loopback = endpoint::is_loopback(base.host_str().unwrap_or_default());
        // A user name or password would take the place of the token.
        let has_secret = !base.username().is_empty() || base.password().is_some() || base.query().is_some();
        let is_secure = base.scheme() == "https" || base.scheme() == "http" && is_loopback;
        if base.cannot_be_a_base() || has_secret || !is_secure {
            return Err(invalid());
        }
        let mut authorization = HeaderValue::from_str(&format!("Token token=\"{}\"", token.expose_secret()))
            .map_err(|_| ApiConfigError::Token)?;
        authorization.set_sensitive(true);
        let http = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, authorization)]))
            .user_agent(concat!("bidarc/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            // The token must not be sent to another host.
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(ApiConfigError::Client)?;
        Ok(Self { http, base_url: base, throttle: Throttle::default() })
    }

    /// Creates a webhook with `POST /webhooks.json`, and returns Bidsketch's id of it.
    ///
    /// # Errors
    ///
    /// [`BidsketchError::OutcomeUnknown`] if Bidsketch may have created the webhook. After any
    /// other error it did not.
    pub async fn create_webhook(&self, event: &str, endpoint: &Endpoint) -> Result<String, BidsketchError> {
        let body = json!({ "event": event, "endpoint": endpoint.expose() });
        let create = async || {
            self.throttle.until_ready().await;
            let request = self.http.request(Method::POST, self.url("webhooks.json")).json(&body);
            let response = request.send().await.map_err(|error| BidsketchError::from_creation_error(&error))?;
            let status = response.status();
            if !status.is_success() {
                let answer = read_body(response).await.unwrap_or_default();
                // The answer may repeat the endpoint, which is a secret.
                let answer = endpoint.mask_in(&String::from_utf8_lossy(&answer));
                return Err(BidsketchError::from_creation_response(status, &answer));
            }
            // The webhook exists now, whatever the answer's body says.
            let answer = read_body(response).await.map_err(|error| BidsketchError::from_creation_error(&error))?;
            let CreateResponse { id } = serde_json::from_slice(&answer).map_err(|error| {
                BidsketchError::outcome_unknown(format!(
                    "Bidsketch answered {status}, but the body holds no webhook: {error}"
                ))
            })?;
            let id = match id {
                JsonId::Number(number) => number.to_string(),
                JsonId::Text(text) => text,
            };
            if !is_webhook_id(&id) {
                let problem = format!("Bidsketch answered {status}, but with an invalid id");
                return Err(BidsketchError::outcome_unknown(problem));
            }
            Ok(id)
        };
        // Only a request that was never sent may be repeated.
        create.retry(retry_policy()).when(BidsketchError::was_not_sent).await
    }

    /// Deletes a webhook with `DELETE /webhooks/{id}.json`. A failed call is repeated if that may
    /// help; a second deletion changes nothing at Bidsketch.
    ///
    /// # Errors
    ///
    /// After an error it is unknown whether the webhook is deleted, unless Bidsketch rejected the
    /// call.
    pub async fn delete_webhook(&self, id: &str) -> Result<Deletion, BidsketchError> {
        if !is_webhook_id(id) {
            return Err(BidsketchError::Rejected(format!(
                "{id:?} is not an id of Bidsketch's; an id is a number of up to 20 digits"
            )));
        }
        let path = format!("webhooks/{id}.json");
        let delete = async || {
            self.throttle.until_ready().await;
            let request = self.http.request(Method::DELETE, self.url(&path));
            let response = request.send().await.map_err(|error| BidsketchError::from_request_error(&error))?;
            match response.status() {
                StatusCode::NOT_FOUND => Ok(Deletion::NotFound),
                status if status.is_success() => Ok(Deletion::Deleted),
                status => {
                    let answer = read_body(response).await.unwrap_or_default();
                    Err(BidsketchError::from_response(status, &String::from_utf8_lossy(&answer)))
                }
            }
        };
        delete.retry(retry_policy()).when(BidsketchError::is_retryable).await
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }
}

fn retry_policy() -> ExponentialBuilder {
    ExponentialBuilder::default().with_min_delay(RETRY_DELAY_MIN).with_max_times(RETRIES_MAX).with_jitter()
}

/// Reads an answer, up to [`RESPONSE_BYTES_MAX`]. Every documented answer is shorter.
async fn read_body(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > RESPONSE_BYTES_MAX {
            body.truncate(RESPONSE_BYTES_MAX);
            break;
        }
    }
    Ok(body)
}

/// Whether a text is an id of Bidsketch's. It becomes part of a URL.
#[must_use]
pub fn is_webhook_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
