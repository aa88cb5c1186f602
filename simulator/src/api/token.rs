//! Who is let in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::account::Account;
use super::refusal::Refusal;

/// The token first, then the limit of requests, which counts by token: one that is unknown has no count.
pub(super) async fn admit(State(account): State<Arc<Account>>, request: Request, next: Next) -> Response {
    let refusal = match given(request.headers()) {
        None => Refusal::NoToken,
        Some(token) if token != account.token => Refusal::WrongToken,
        Some(_) if !account.rate().admit(Instant::now()) => Refusal::TooMany,
        Some(_) => return next.run(request).await,
    };
    refusal.into_response()
}

/// The token of `Authorization: Token token="…"`, with quotes or without. Another scheme is no token.
fn given(headers: &HeaderMap) -> Option<&str> {
    let token = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Token token=")?;
    let unquoted = token.strip_prefix('"').and_then(|token| token.strip_suffix('"')).unwrap_or(token);
    Some(unquoted).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_form_gives_a_token() {
        let given = |value: &str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            given(&headers).map(str::to_owned)
        };
        assert_eq!(given(r#"Token token="abc 123""#).as_deref(), Some("abc 123"));
        assert_eq!(given("Token token=abc123").as_deref(), Some("abc123"));
        assert_eq!(given(r#"Token token="abc123"#).as_deref(), Some(r#""abc123"#), "half a pair is no quotes");
        for none in ["", "Bearer abc123", "abc123", "Token abc123", "Token token=", r#"Token token="""#] {
            assert_eq!(given(none), None, "{none}");
        }
        assert_eq!(super::given(&HeaderMap::new()), None);
    }
}
