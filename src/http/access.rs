//! Who sends a request: the token in its `Authorization` header, and what is told to whom it does not let in.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::error::RETRY_AFTER;
use super::graphql;
use super::open_mode::{self, OpenMode};
use crate::auth::{Access, Denied, Keys};
use crate::metrics::DENIED;

/// The scheme of RFC 6750.
const SCHEME: &str = "Bearer";

/// Lets a request through that has a key, or needs none: in open mode one that was sent directly, from this machine. What it
/// may do goes with it, as an [`Access`].
pub(super) async fn authenticate(State(open): State<OpenMode>, mut request: Request, next: Next) -> Response {
    let access = match access(&open.keys, request.headers()).await {
        Ok(access) => access,
        Err(denied) => return refuse(denied),
    };
    if access.is_open_mode()
        && let Err(problem) = open_mode::from_this_machine(&request, &open.origins)
    {
        return graphql::forbidden(open_mode::refusal(request.uri().path(), problem));
    }
    request.extensions_mut().insert(access);
    next.run(request).await
}

/// What a request with these headers may do.
pub(super) async fn access(keys: &Keys, headers: &HeaderMap) -> Result<Access, Denied> {
    keys.access(token(headers)?).await
}

/// The token of a request. A header that is there and has none in it is a wrong token, not none: what is given is checked.
pub(super) fn token(headers: &HeaderMap) -> Result<Option<&str>, Denied> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(bearer).map(Some).ok_or(Denied::WrongToken),
        (Some(_), Some(_)) => Err(Denied::WrongToken),
    }
}

/// The token in `Bearer <token>`.
pub(super) fn bearer(credentials: &str) -> Option<&str> {
    let (scheme, token) = credentials.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| token.trim_start())
}

/// A stream whose items are held back while it is not known whether the access stands that they are for.
pub(super) fn while_it_stands<T: Send + 'static>(
    keys: &Keys,
    access: Access,
    items: BoxStream<'static, T>,
) -> BoxStream<'static, T> {
    let keys = keys.clone();
    let held = items.then(move |item| {
        let keys = keys.clone();
        async move {
            keys.stands(access).await;
            item
        }
    });
    held.boxed()
}

/// What is told to a request that is not let in.
pub(super) fn refuse(denied: Denied) -> Response {
    let (status, code) = match denied {
        Denied::NoToken | Denied::WrongToken => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
        Denied::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
    };
    count(denied);
    let mut response = (status, graphql::problem(&denied.to_string(), code)).into_response();
    let headers = response.headers_mut();
    match denied {
        Denied::NoToken | Denied::WrongToken => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(SCHEME));
        }
        Denied::Unavailable => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
    }
    response
}

/// Counts whom the API did not let in.
pub(super) fn count(denied: Denied) {
    let reason = match denied {
        Denied::NoToken => "no_token",
        Denied::WrongToken => "wrong_token",
        Denied::Unavailable => "unavailable",
    };
    metrics::counter!(DENIED, "reason" => reason).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_follows_the_scheme() {
        for (credentials, token) in [
            ("Bearer x", Some("x")),
            ("bearer x", Some("x")),
            ("BEARER   x ", Some("x")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Basic eDp5", None),
            ("Bearerx", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(bearer(credentials), token, "{credentials:?}");
        }
    }

    #[test]
    fn what_is_given_is_checked() {
        let mut headers = HeaderMap::new();
        assert_eq!(token(&headers), Ok(None));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        assert_eq!(token(&headers), Ok(Some("x")));
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer y"));
        assert_eq!(token(&headers), Err(Denied::WrongToken));
        for wrong in [&b"Basic eDp5"[..], b"", b"Bearer \xff"] {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(wrong).unwrap());
            assert_eq!(token(&headers), Err(Denied::WrongToken), "{wrong:?}");
        }
    }
}
