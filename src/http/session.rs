//! `/session`: a browser exchanges the token of a key for a session, whose token is in a cookie
//! that no script can read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chrono::TimeDelta;
use serde::Deserialize;

use super::access::access_error_response;
use super::body;
use super::error::HttpError;
use super::graphql::{APPLICATION_JSON, is_media_type};
use super::open_mode::AccessPolicy;
use super::server::Exchange;
use crate::auth::{AccessError, SignIn};
use crate::domain::Token;

/// The largest body of a sign-in. A token has about fifty characters.
const SIGN_IN_BYTES_MAX: usize = 4096;

/// The cookie of a session: its name and its attributes.
#[derive(Clone, Debug)]
pub struct SessionCookie(Arc<Attributes>);

#[derive(Debug)]
struct Attributes {
    name: &'static str,
    path: String,
    is_secure: bool,
    /// How long a session lasts at most.
    length: TimeDelta,
    /// Whether the log says already that the cookie travels unencrypted.
    has_warned: AtomicBool,
}

impl SessionCookie {
    /// The cookie for the pages at this URL, whose path it has. Without a URL they are at `/`.
    #[must_use]
    pub fn new(public_url: Option<&str>, length: TimeDelta) -> Self {
        let url: Option<url::Url> = public_url.and_then(|url| url.parse().ok());
        let is_secure = url.as_ref().is_some_and(|url| url.scheme() == "https");
        let path = url.map_or_else(|| "/".to_owned(), |url| url.path().to_owned());
        // A browser takes a cookie with such a prefix only over TLS and with these attributes, so
        // that a page of the same host over plain HTTP cannot plant one.
        let name = match (is_secure, &*path) {
            (true, "/") => "__Host-bidarc_session",
            (true, _) => "__Secure-bidarc_session",
            (false, _) => "bidarc_session",
        };
        Self(Arc::new(Attributes { name, path, is_secure, length, has_warned: AtomicBool::new(false) }))
    }

    /// The token in the cookie of a request. Two cookies of this name count as none that is known:
    /// one of them may be planted.
    pub(super) fn token(&self, headers: &HeaderMap) -> Result<Option<String>, AccessError> {
        let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut tokens = pairs.filter(|(name, _)| *name == self.0.name).map(|(_, token)| token.to_owned());
        match (tokens.next(), tokens.next()) {
            (Some(_), Some(_)) => Err(AccessError::SessionOver),
            (token, _) => Ok(token.filter(|token| !token.is_empty())),
        }
    }

    fn header(&self, token: &str, max_age: TimeDelta) -> HeaderValue {
        let Attributes { name, path, is_secure, .. } = &*self.0;
        let secure = if *is_secure { "; Secure" } else { "" };
        let seconds = max_age.num_seconds();
        let text = format!("{name}={token}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }

    /// The header that sets the cookie.
    fn set(&self, token: &Token, lifetime: TimeDelta) -> HeaderValue {
        if !self.0.is_secure && !self.0.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the cookie of a session has no attribute Secure, because server.public_url is not https; over a \
                 network, others could read it"
            );
        }
        self.header(token.expose(), lifetime)
    }

    /// The header that removes the cookie.
    fn clear(&self) -> HeaderValue {
        self.header("", TimeDelta::zero())
    }
}

/// `/session`.
pub(super) fn router(policy: AccessPolicy) -> Router {
    Router::new().route("/session", post(sign_in).delete(sign_out)).with_state(policy)
}

#[derive(Deserialize)]
struct SignInBody {
    token: String,
}

/// Answers 204 with the cookie. A page of another origin cannot sign a browser in with a key of its
/// own choice.
async fn sign_in(
    State(policy): State<AccessPolicy>,
    Extension(exchange): Extension<Arc<Exchange>>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let body = match body::read(body, SIGN_IN_BYTES_MAX).await {
        Ok(body) => body,
        Err(error) => return error.into_response(),
    };
    if policy.origins.is_foreign_page(&uri, &headers) {
        return access_error_response(AccessError::ForeignPage, &exchange);
    }
    // A page of another site can send JSON only after a preflight, which is refused.
    let media_type = headers.get(header::CONTENT_TYPE);
    if !media_type.is_some_and(|media_type| is_media_type(media_type, APPLICATION_JSON)) {
        return HttpError::UnsupportedMediaType.into_response();
    }
    let Ok(SignInBody { token }) = serde_json::from_slice(&body) else {
        return HttpError::BadRequest(r#"the body must be {"token": "<the token of a key>"}"#).into_response();
    };
    match policy.keys.sign_in(&token, policy.cookie.0.length).await {
        Ok(SignIn { token, lifetime }) => no_content(policy.cookie.set(&token, lifetime)),
        Err(denied) => access_error_response(denied, &exchange),
    }
}

/// Ends the session and removes the cookie: 204, also if there is none.
async fn sign_out(
    State(policy): State<AccessPolicy>,
    Extension(exchange): Extension<Arc<Exchange>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let refuse = || access_error_response(AccessError::ForeignPage, &exchange);
    if policy.origins.is_foreign_page(&uri, &headers) {
        return refuse();
    }
    let ended = match policy.cookie.token(&headers) {
        Ok(Some(_)) if !policy.origins.is_own_page(&uri, &headers) => return refuse(),
        Ok(Some(token)) => policy.keys.sign_out(&token).await,
        Ok(None) | Err(_) => Ok(()),
    };
    match ended {
        Ok(()) => no_content(policy.cookie.clear()),
        Err(denied) => access_error_response(denied, &exchange),
    }
}

fn no_content(cookie: HeaderValue) -> Response {
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie), no_store]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(public_url: Option<&str>) -> SessionCookie {
        SessionCookie::new(public_url, TimeDelta::days(30))
    }

    #[test]
    fn cookie_attributes_follow_the_public_url() {
        for (public_url, expected) in [
            (None, "bidarc_session=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"),
            (Some("http://office.example"), "bidarc_session=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"),
            (
                Some("https://office.example"),
                "__Host-bidarc_session=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure",
            ),
            (
                Some("https://office.example/bidarc"),
                "__Secure-bidarc_session=x; Path=/bidarc; Max-Age=60; HttpOnly; SameSite=Strict; Secure",
            ),
        ] {
            let header = cookie(public_url).header("x", TimeDelta::minutes(1));
            assert_eq!(header.to_str().unwrap(), expected, "{public_url:?}");
        }
    }

    #[test]
    fn cookie_is_found_among_others_and_refused_twice() {
        for (values, token) in [
            (&[][..], Ok(None)),
            (&["other=1"], Ok(None)),
            (&["bidarc_session="], Ok(None)),
            (&["bidarc_session=x"], Ok(Some("x"))),
            (&["a=b; bidarc_session=x;c=d"], Ok(Some("x"))),
            (&["a=b", "bidarc_session=x"], Ok(Some("x"))),
            (&["xbidarc_session=x; __Host-bidarc_session=y"], Ok(None)),
            (&["bidarc_session=x; bidarc_session=y"], Err(AccessError::SessionOver)),
            (&["bidarc_session=x", "bidarc_session=x"], Err(AccessError::SessionOver)),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::COOKIE, HeaderValue::from_static(value));
            }
            assert_eq!(cookie(None).token(&headers), token.map(|token| token.map(str::to_owned)), "{values:?}");
        }
    }
}
