//! The headers that bound what a browser does with an answer, and the refusal of secrets in URLs.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

use super::graphql;
use super::hooks::HOOK_PATH_PREFIX;
use crate::domain::token::KEY_TOKEN_PREFIX;
use crate::graphql::error::BAD_USER_INPUT;
use crate::metrics::DENIED;

/// The headers of every answer, except where a page has its own: nothing in it runs or loads, no
/// other site frames it, opens it with a handle or embeds it, and its URL goes to no other site.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Names under which programs put a token into a URL.
const TOKEN_PARAMETERS: [&str; 10] =
    ["access_token", "api_key", "api_token", "apikey", "auth", "auth_token", "authorization", "key", "secret", "token"];

/// Where a token belongs.
const TOKEN_IN_URL: &str = "a token does not belong in a URL, which proxies and browsers store: send it in the header \
     `Authorization: Bearer <token>`, on a WebSocket also in the payload of connection_init, and revoke this one";

/// Adds the headers that an answer does not have.
pub(super) fn protect<B>(mut response: Response<B>) -> Response<B> {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// Refuses a request whose query has a token, outside of hooks. A vendor may add parameters to the
/// URL of a hook, and reads no message.
pub(super) async fn refuse_token_in_url(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.path().starts_with(HOOK_PATH_PREFIX) || !has_token(uri) {
        return next.run(request).await;
    }
    metrics::counter!(DENIED, "reason" => "token_in_url").increment(1);
    (StatusCode::BAD_REQUEST, graphql::error_response(TOKEN_IN_URL, BAD_USER_INPUT)).into_response()
}

fn has_token(uri: &Uri) -> bool {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).any(|(name, value)| {
        TOKEN_PARAMETERS.iter().any(|token| name.eq_ignore_ascii_case(token)) || value.starts_with(KEY_TOKEN_PREFIX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_in_query_is_found_by_name_or_value() {
        for (uri, expected) in [
            ("/graphql?token=x", true),
            ("/graphql?query=%7Ba%7D&Access_Token=x", true),
            ("/graphql?%74oken=x", true),
            ("/graphql?key", true),
            ("/graphql?session=bidarc_abc", true),
            ("/graphql?session=Bearer+x", false),
            ("/graphql?query=%7Btoken%7D&variables=%7B%22token%22%3A1%7D", false),
            ("/graphql?tokens=x", false),
            ("/graphql?", false),
            ("/graphql", false),
        ] {
            assert_eq!(has_token(&uri.parse().unwrap()), expected, "{uri}");
        }
    }
}
