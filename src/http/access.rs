//! Authenticates a request by the token in its `Authorization` header, else by the cookie of a
//! browser's session, and builds the response of a refusal.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use secrecy::{ExposeSecret, SecretString};

use super::error::{RETRY_AFTER_SECONDS, end_connection, whole_seconds};
use super::graphql;
use super::open_mode::{self, AccessPolicy};
use super::server::Exchange;
use crate::auth::{Access, AccessError, Keys};
use crate::graphql::error::{FORBIDDEN, LIMIT_EXCEEDED, UNAUTHENTICATED, UNAVAILABLE};
use crate::metrics::DENIED;

/// The scheme of RFC 6750.
const AUTH_SCHEME: &str = "Bearer";

/// Passes on a request that has a key. In open mode it passes on a request without one if that was
/// sent directly from this machine. The handler gets the request's [`Access`] as an extension.
pub(super) async fn authenticate(
    State(policy): State<AccessPolicy>,
    Extension(exchange): Extension<Arc<Exchange>>,
    mut request: Request,
    next: Next,
) -> Response {
    let access = match authenticate_headers(&policy, request.uri(), request.headers()).await {
        Ok(access) => access,
        Err(denied) => return access_error_response(denied, &exchange),
    };
    if access.is_open_mode()
        && let Err(problem) = open_mode::check_local_request(&request, &policy.origins)
    {
        return graphql::forbidden_response(open_mode::refusal_message(&exchange, problem));
    }
    request.extensions_mut().insert(access);
    next.run(request).await
}

/// How a request proves who sends it.
#[derive(Debug)]
pub(super) enum Credentials {
    /// Not at all.
    None,
    /// By the token of a key.
    Token(SecretString),
    /// By the token of a session, in the cookie of a request that one of our own pages sent.
    Session(SecretString),
}

impl Credentials {
    /// The credentials in the headers of a request. `Authorization` makes a cookie irrelevant. A
    /// browser adds a cookie by itself, also where another site's page asks it to, so a cookie
    /// counts only in a request of our own pages. In open mode there is no session, so a cookie is
    /// left over, or is that of a service on another port.
    pub(super) fn read(policy: &AccessPolicy, uri: &Uri, headers: &HeaderMap) -> Result<Self, AccessError> {
        if let Some(token) = token_from_headers(headers)? {
            return Ok(Self::Token(token.into_owned().into()));
        }
        if policy.keys.is_open_mode() {
            return Ok(Self::None);
        }
        let Some(token) = policy.cookie.token(headers)? else { return Ok(Self::None) };
        if policy.origins.is_own_page(uri, headers) {
            Ok(Self::Session(token.into()))
        } else {
            Err(AccessError::ForeignPage)
        }
    }

    /// The access that they give.
    pub(super) async fn authenticate(&self, keys: &Keys) -> Result<Access, AccessError> {
        match self {
            Self::None => keys.authenticate(None).await,
            Self::Token(token) => keys.authenticate(Some(token.expose_secret())).await,
            Self::Session(token) => keys.authenticate_session(token.expose_secret()).await,
        }
    }
}

/// The access of a request with these headers.
pub(super) async fn authenticate_headers(
    policy: &AccessPolicy,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Access, AccessError> {
    Credentials::read(policy, uri, headers)?.authenticate(&policy.keys).await
}

/// The token of a request. A malformed or repeated header is a wrong token, not a missing one.
pub(super) fn token_from_headers(headers: &HeaderMap) -> Result<Option<Cow<'_, str>>, AccessError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(parse_credentials).map(Some).ok_or(AccessError::WrongToken),
        (Some(_), Some(_)) => Err(AccessError::WrongToken),
    }
}

/// The token in `Bearer <token>`, or the password in `Basic <user and password>` (RFC 7617), which
/// programs send that know no other scheme. The user may be any.
pub(super) fn parse_credentials(credentials: &str) -> Option<Cow<'_, str>> {
    let (scheme, value) = credentials.trim().split_once(' ')?;
    let value = value.trim_start();
    if scheme.eq_ignore_ascii_case(AUTH_SCHEME) {
        return Some(value.into());
    }
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned().into())
}

/// Delays each item of a stream until the snapshot of the keys confirms the access that it is for.
pub(super) fn gate_on_access<T: Send + 'static>(
    keys: &Keys,
    access: Access,
    items: BoxStream<'static, T>,
) -> BoxStream<'static, T> {
    let keys = keys.clone();
    let gated = items.then(move |item| {
        let keys = keys.clone();
        async move {
            keys.wait_until_confirmed(access).await;
            item
        }
    });
    gated.boxed()
}

/// The response to a request that is refused.
pub(super) fn access_error_response(denied: AccessError, exchange: &Exchange) -> Response {
    count_denied(denied);
    if let Err(wait) = record_failure(denied, exchange) {
        let problem = too_many_failures(wait);
        let mut response =
            (StatusCode::TOO_MANY_REQUESTS, graphql::error_response(&problem, LIMIT_EXCEEDED)).into_response();
        end_connection(&mut response, wait);
        return response;
    }
    let (status, code) = match denied {
        AccessError::NoToken | AccessError::WrongToken | AccessError::ExpiredKey | AccessError::SessionOver => {
            (StatusCode::UNAUTHORIZED, UNAUTHENTICATED)
        }
        AccessError::ForeignPage => (StatusCode::FORBIDDEN, FORBIDDEN),
        AccessError::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
    };
    let mut response = (status, graphql::error_response(&denied.to_string(), code)).into_response();
    let headers = response.headers_mut();
    match denied {
        AccessError::NoToken | AccessError::WrongToken | AccessError::ExpiredKey | AccessError::SessionOver => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(AUTH_SCHEME));
        }
        AccessError::Unavailable => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        AccessError::ForeignPage => {}
    }
    response
}

/// Records a refusal. A token that is wrong or has expired is a failure of its peer; an error says
/// how long the peer should wait. A request without a token is no failure, and neither is one whose
/// session is over: browsers send both by themselves, before their users sign in.
pub(super) fn record_failure(denied: AccessError, exchange: &Exchange) -> Result<(), Duration> {
    let refusal = ("API", reason(denied));
    match denied {
        AccessError::WrongToken | AccessError::ExpiredKey => return exchange.record_failure(refusal),
        AccessError::NoToken | AccessError::SessionOver => exchange.count_refusal(refusal),
        AccessError::ForeignPage => exchange.note_refusal(refusal),
        AccessError::Unavailable => {}
    }
    Ok(())
}

/// The message for a peer that has sent too many wrong tokens.
pub(super) fn too_many_failures(wait: Duration) -> String {
    format!("too many wrong tokens; try again in {} s with the token of a key", whole_seconds(wait))
}

/// Counts a request or socket that the API refused.
pub(super) fn count_denied(denied: AccessError) {
    metrics::counter!(DENIED, "reason" => reason(denied)).increment(1);
}

/// The reason of a refusal, as metrics and the audit have it.
const fn reason(denied: AccessError) -> &'static str {
    match denied {
        AccessError::NoToken => "no_token",
        AccessError::WrongToken => "wrong_token",
        AccessError::ExpiredKey => "expired_key",
        AccessError::SessionOver => "session_over",
        AccessError::ForeignPage => "foreign_page",
        AccessError::Unavailable => "unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_yield_their_token() {
        for (credentials, token) in [
            ("Bearer x", Some("x")),
            ("bearer x", Some("x")),
            ("BEARER   x ", Some("x")),
            ("Bearer", None),
            ("Bearer ", None),
            // user:token, :token, user:to:ken, user:
            ("Basic dXNlcjp0b2tlbg==", Some("token")),
            ("basic  OnRva2Vu ", Some("token")),
            ("Basic dXNlcjp0bzprZW4=", Some("to:ken")),
            ("Basic dXNlcjo=", Some("")),
            // token without a colon, padding that is missing, and bytes that are not UTF-8
            ("Basic dG9rZW4=", None),
            ("Basic dXNlcjp0b2tlbg", None),
            ("Basic dTr/", None),
            ("Basic", None),
            ("Basic user:token", None),
            ("Digest eDp5", None),
            ("Bearerx", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(parse_credentials(credentials).as_deref(), token, "{credentials:?}");
        }
    }

    #[test]
    fn authorization_header_malformed_is_wrong_token() {
        let mut headers = HeaderMap::new();
        assert_eq!(token_from_headers(&headers), Ok(None));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        assert_eq!(token_from_headers(&headers), Ok(Some("x".into())));
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer y"));
        assert_eq!(token_from_headers(&headers), Err(AccessError::WrongToken));
        for wrong in [&b"Basic eDp5="[..], b"Digest x", b"", b"Bearer \xff"] {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(wrong).unwrap());
            assert_eq!(token_from_headers(&headers), Err(AccessError::WrongToken), "{wrong:?}");
        }
    }
}
