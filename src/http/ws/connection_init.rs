//! Authenticates a socket by the payload of its `connection_init`, otherwise by the headers of the
//! request that opened it.

use axum::http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::auth::{Access, AccessError, Keys};
use crate::http::access;

/// The facts about a client that are known before its `connection_init`.
pub(super) struct ConnectionInit {
    keys: Keys,
    /// The token in the headers.
    header_token: Result<Option<SecretString>, AccessError>,
    /// Whether the request for the socket came directly from this machine. Open mode serves only
    /// those.
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

    /// The access of the socket, given the payload of its `connection_init`.
    pub(super) async fn authenticate(&self, payload: &Value) -> Result<Access, AccessError> {
        let token = match token_from_payload(payload)? {
            Some(token) => Some(token),
            None => self.header_token.as_ref().map_err(|denied| *denied)?.as_ref().map(ExposeSecret::expose_secret),
        };
        let access = self.keys.authenticate(token).await?;
        if access.is_open_mode() && !self.is_direct { Err(AccessError::NoToken) } else { Ok(access) }
    }
}

/// The token in a payload: `{"Authorization": "Bearer …"}`, in lower case as well, or
/// `{"token": "…"}`. A null counts as missing; any other value is checked.
fn token_from_payload(payload: &Value) -> Result<Option<&str>, AccessError> {
    let field = |name| payload.get(name).filter(|value| !value.is_null());
    if let Some(credentials) = field("Authorization").or_else(|| field("authorization")) {
        return credentials.as_str().and_then(access::parse_bearer).map(Some).ok_or(AccessError::WrongToken);
    }
    field("token").map(|token| token.as_str().ok_or(AccessError::WrongToken)).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn init_payload_accepts_three_token_names() {
        for (payload, token) in [
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
            assert_eq!(token_from_payload(&payload), token, "{payload}");
        }
    }
}
