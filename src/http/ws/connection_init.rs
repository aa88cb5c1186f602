//! Who opens a socket: by the payload of its `connection_init`, else by the headers of the request for it.

use axum::http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::auth::{Access, AccessError, Keys};
use crate::http::access;

/// What is known of who opens a socket before it says so.
pub(super) struct ConnectionInit {
    keys: Keys,
    /// The token in the headers.
    header_token: Result<Option<SecretString>, AccessError>,
    /// Whether the request for the socket came directly, from this machine: else open mode is not for it.
    is_direct: bool,
}

impl ConnectionInit {
    pub(super) fn new(keys: Keys, headers: &HeaderMap, is_direct: bool) -> Self {
        Self {
            keys,
            header_token: access::token_from_headers(headers).map(|token| token.map(SecretString::from)),
            is_direct,
        }
    }

    /// What the socket may do, now that its `connection_init` has come.
    pub(super) async fn authenticate(&self, payload: &Value) -> Result<Access, AccessError> {
        let token = match token_from_payload(payload)? {
            Some(token) => Some(token),
            None => self.header_token.as_ref().map_err(|denied| *denied)?.as_ref().map(ExposeSecret::expose_secret),
        };
        let access = self.keys.authenticate(token).await?;
        if access.is_open_mode() && !self.is_direct { Err(AccessError::NoToken) } else { Ok(access) }
    }
}

/// The token in a payload: `{"Authorization": "Bearer …"}`, in lower case as well, or `{"token": "…"}`. One that is null is
/// none; whatever else is given is checked.
fn token_from_payload(payload: &Value) -> Result<Option<&str>, AccessError> {
    let given = |name| payload.get(name).filter(|value| !value.is_null());
    if let Some(credentials) = given("Authorization").or_else(|| given("authorization")) {
        return credentials.as_str().and_then(access::parse_bearer).map(Some).ok_or(AccessError::WrongToken);
    }
    given("token").map(|token| token.as_str().ok_or(AccessError::WrongToken)).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn init_payload_accepts_three_token_names() {
        for (payload, found) in [
            (json!({ "Authorization": "Bearer x" }), Ok(Some("x"))),
            (json!({ "authorization": "bearer x" }), Ok(Some("x"))),
            (json!({ "token": "x" }), Ok(Some("x"))),
            (json!({ "Authorization": null, "token": "x" }), Ok(Some("x"))),
            (json!({ "Authorization": "Bearer x", "token": "y" }), Ok(Some("x"))),
            (json!({ "Authorization": "x" }), Err(AccessError::WrongToken)),
            (json!({ "Authorization": "" }), Err(AccessError::WrongToken)),
            (json!({ "Authorization": ["Bearer x"] }), Err(AccessError::WrongToken)),
            (json!({ "token": 1 }), Err(AccessError::WrongToken)),
            (json!({ "token": null }), Ok(None)),
            (json!({}), Ok(None)),
            (json!(null), Ok(None)),
            (json!("x"), Ok(None)),
        ] {
            assert_eq!(token_from_payload(&payload), found, "{payload}");
        }
    }
}
