//! A typed client of the part of Bidsketch's REST API that manages webhooks, by its public documentation ("Webhooks", and
//! "Authentication" and "Rate limiting" of its overview).
//!
//! There is no call that lists webhooks, and creating one twice makes two: so nothing here repeats a creation that Bidsketch
//! may have seen.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::domain::endpoint::{self, Endpoint};

mod error;
mod throttle;

pub use error::ApiError;
use throttle::Rate;

/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How often a call that may be repeated is.
const REPEATS: usize = 3;
/// How long the first wait between two of them is; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// How much of an answer is read.
const MOST_BYTES: usize = 64 * 1024;

/// Bidsketch's API, for the account of one token.
#[derive(Debug)]
pub struct Api {
    http: reqwest::Client,
    base: Url,
    rate: Rate,
}

/// Why the client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The URL is none, or of no kind that is spoken.
    #[error("bidsketch.api_url must be an https URL (or http for a loopback address), it is {0:?}")]
    Url(String),
    /// The token holds what no header can.
    #[error("bidsketch.api_token holds characters that no HTTP header can carry")]
    Token,
    /// TLS cannot be set up.
    #[error("a client of Bidsketch's API cannot be made: {0}")]
    Client(reqwest::Error),
}

/// Whether a webhook is there to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It is deleted now.
    Deleted,
    /// There was none.
    WasGone,
}

#[derive(Deserialize)]
struct Created {
    id: Id,
}

/// An id: a number by the documentation, of any size; a text is taken as well.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(serde_json::Number),
    Text(String),
}

impl Api {
    /// A client for the API at `url`, as in `https://bidsketch.com/api/v1`. A call must be answered within `timeout`; the wait for our
    /// turn by Bidsketch's rate is not counted.
    ///
    /// # Errors
    ///
    /// [`Unusable`] names the setting at fault.
    pub fn new(url: &str, token: &SecretString, timeout: Duration) -> Result<Self, Unusable> {
        let base: Url = url.parse().map_err(|_| Unusable::Url(url.to_owned()))?;
        let is_loopback = endpoint::is_loopback(base.host_str().unwrap_or_default());
        if base.cannot_be_a_base() || !(base.scheme() == "https" || base.scheme() == "http" && is_loopback) {
            return Err(Unusable::Url(url.to_owned()));
        }
        let mut authorization = HeaderValue::from_str(&format!("Token token=\"{}\"", token.expose_secret()))
            .map_err(|_| Unusable::Token)?;
        authorization.set_sensitive(true);
        let http = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, authorization)]))
            .user_agent(concat!("bidarc/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            .connect_timeout(CONNECT_WITHIN.min(timeout))
            // The token goes where the setting says, and nowhere else.
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(Unusable::Client)?;
        Ok(Self { http, base, rate: Rate::default() })
    }

    /// Creates a webhook: `POST /webhooks.json`. Gives Bidsketch's id of it.
    ///
    /// # Errors
    ///
    /// [`ApiError::OutcomeUnknown`] where Bidsketch may have created it all the same. Any other error says that it has not.
    pub async fn create_webhook(&self, event: &str, endpoint: &Endpoint) -> Result<String, ApiError> {
        let body = json!({ "event": event, "endpoint": endpoint.whole() });
        let create = async || {
            self.rate.turn().await;
            let request = self.http.request(Method::POST, self.url("webhooks.json")).json(&body);
            let response = request.send().await.map_err(|error| ApiError::of_creation(&error))?;
            let status = response.status();
            if !status.is_success() {
                let answer = read(response).await.unwrap_or_default();
                // It may say the endpoint again, and that is a secret.
                let answer = endpoint.mask_in(&String::from_utf8_lossy(&answer));
                return Err(ApiError::of_failed_creation(status, &answer));
            }
            // It is created: whatever its answer says.
            let answer = read(response).await.map_err(|error| ApiError::of_creation(&error))?;
            let Created { id } = serde_json::from_slice(&answer).map_err(|error| {
                ApiError::unreadable(format!("Bidsketch answered {status} with a body that is no webhook: {error}"))
            })?;
            let id = match id {
                Id::Number(number) => number.to_string(),
                Id::Text(text) => text,
            };
            if !is_id(&id) {
                let problem = format!("Bidsketch answered {status} with an id that is none");
                return Err(ApiError::unreadable(problem));
            }
            Ok(id)
        };
        // A connection that was never made carried nothing: that alone may be tried again.
        create.retry(back_off()).when(ApiError::was_not_sent).await
    }

    /// Deletes a webhook: `DELETE /webhooks/{id}.json`. Repeated where that may help, which changes nothing at Bidsketch.
    ///
    /// # Errors
    ///
    /// [`ApiError`]; whether it is deleted is unknown then, unless Bidsketch has refused.
    pub async fn delete_webhook(&self, id: &str) -> Result<Deletion, ApiError> {
        if !is_id(id) {
            return Err(ApiError::Rejected(format!("{id:?} is no id of Bidsketch's: they are numbers")));
        }
        let path = format!("webhooks/{id}.json");
        let delete = async || {
            self.rate.turn().await;
            let request = self.http.request(Method::DELETE, self.url(&path));
            let response = request.send().await.map_err(|error| ApiError::unreachable(&error))?;
            match response.status() {
                StatusCode::NOT_FOUND => Ok(Deletion::WasGone),
                status if status.is_success() => Ok(Deletion::Deleted),
                status => {
                    let answer = read(response).await.unwrap_or_default();
                    Err(ApiError::of_answer(status, &String::from_utf8_lossy(&answer)))
                }
            }
        };
        delete.retry(back_off()).when(ApiError::is_passing).await
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }
}

fn back_off() -> ExponentialBuilder {
    ExponentialBuilder::default().with_min_delay(FIRST_PAUSE).with_max_times(REPEATS).with_jitter()
}

/// Reads an answer, as much of it as any documented one has.
async fn read(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            body.truncate(MOST_BYTES);
            break;
        }
    }
    Ok(body)
}

/// Whether a text is an id as Bidsketch gives them: it becomes a part of a URL.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
