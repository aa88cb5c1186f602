//! Authentication.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::account::Account;
use super::refusal::Refusal;

/// Checks the token, then the rate limit. The limit counts by token, so an unknown token uses none
/// of it.
pub(super) async fn authenticate(State(account): State<Arc<Account>>, request: Request, next: Next) -> Response {
    let refusal = match token_of(request.headers()) {
        None => Refusal::NoToken,
        Some(token) if token != account.token => Refusal::WrongToken,
        Some(_) if !account.rate().try_admit(Instant::now()) => Refusal::TooMany,
        Some(_) => return next.run(request).await,
    };
    refusal.into_response()
}

/// Reads the token of `Authorization: Token token="…"`, with or without quotes. Another scheme has
/// no token.
fn token_of(headers: &HeaderMap) -> Option<&str> {
    let token = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Token token=")?;
    let unquoted = token.strip_prefix('"').and_then(|token| token.strip_suffix('"')).unwrap_or(token);
    Some(unquoted).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization_in_undocumented_form_has_no_token() {
        let token_of = |value: &str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            token_of(&headers).map(str::to_owned)
        };
        assert_eq!(token_of(r#"Token token="abc 123""#).as_deref(), Some("abc 123"));
        assert_eq!(token_of("Token token=abc123").as_deref(), Some("abc123"));
        assert_eq!(
            token_of(r#"Token token="abc123"#).as_deref(),
            Some(r#""abc123"#),
            "an unpaired quotation mark stays"
        );
        for value in ["", "Bearer abc123", "abc123", "Token abc123", "Token token=", r#"Token token="""#] {
            assert_eq!(token_of(value), None, "{value}");
        }
        assert_eq!(super::token_of(&HeaderMap::new()), None);
    }
}
