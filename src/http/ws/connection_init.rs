//! Authenticates a socket by the payload of its `connection_init`, otherwise by the headers of the
//! request that opened it.

use std::borrow::Cow;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use serde_json::Value;

use crate::auth::{Access, AccessError, Keys};
use crate::http::access::{self, Credentials};
use crate::http::open_mode::AccessPolicy;

/// The facts about a client that are known before its `connection_init`.
pub(super) struct ConnectionInit {
    keys: Keys,
    /// The credentials in the headers.
    credentials: Result<Credentials, AccessError>,
    /// Whether the request for the socket came directly from this machine. Open mode serves only
    /// those.
    is_direct: bool,
}

impl ConnectionInit {
    pub(super) fn new(policy: &AccessPolicy, uri: &Uri, headers: &HeaderMap, is_direct: bool) -> Self {
        Self { keys: policy.keys.clone(), credentials: Credentials::read(policy, uri, headers), is_direct }
    }

    /// The access of the socket, given the payload of its `connection_init`.
    pub(super) async fn authenticate(&self, payload: &Value) -> Result<Access, AccessError> {
        let access = match token_from_payload(payload)? {
            Some(token) => self.keys.authenticate(Some(&token)).await?,
            None => self.credentials.as_ref().map_err(|denied| *denied)?.authenticate(&self.keys).await?,
        };
        if access.is_open_mode() && !self.is_direct { Err(AccessError::NoToken) } else { Ok(access) }
    }
}

/// The token in a payload: that of `Authorization` in any case, in the payload itself or in its
/// `headers`, or else its `token`. A null counts as missing; any other value is checked.
fn token_from_payload(payload: &Value) -> Result<Option<Cow<'_, str>>, AccessError> {
    if let Some(credentials) = authorization(payload).or_else(|| authorization(payload.get("headers")?)) {
        return credentials.as_str().and_then(access::parse_credentials).map(Some).ok_or(AccessError::WrongToken);
    }
    let token = payload.get("token").filter(|token| !token.is_null());
    token.map(|token| token.as_str().map(Cow::from).ok_or(AccessError::WrongToken)).transpose()
}

/// The member `Authorization` of an object.
fn authorization(object: &Value) -> Option<&Value> {
    let mut members = object.as_object()?.iter();
    members
        .find(|(name, value)| name.eq_ignore_ascii_case(AUTHORIZATION.as_str()) && !value.is_null())
        .map(|(_, it)| it)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn init_payload_yields_its_token() {
        for (payload, token) in [
            (json!({ "Authorization": "Bearer x" }), Ok(Some("x"))),
            (json!({ "authorization": "bearer x" }), Ok(Some("x"))),
            (json!({ "token": "x" }), Ok(Some("x"))),
            (json!({ "AUTHORIZATION": "Bearer x" }), Ok(Some("x"))),
            (json!({ "Authorization": "Basic dXNlcjp4" }), Ok(Some("x"))),
            (json!({ "headers": { "Authorization": "Bearer x" } }), Ok(Some("x"))),
            (json!({ "headers": { "authorization": "Basic dXNlcjp4", "Other": 1 } }), Ok(Some("x"))),
            (json!({ "headers": { "Authorization": "Bearer y" }, "authorization": "Bearer x" }), Ok(Some("x"))),
            (json!({ "headers": { "Authorization": "Bearer x" }, "token": "y" }), Ok(Some("x"))),
            (json!({ "headers": { "Authorization": null }, "token": "x" }), Ok(Some("x"))),
            (json!({ "headers": null, "token": "x" }), Ok(Some("x"))),
            (json!({ "headers": { "Authorization": "x" } }), Err(AccessError::WrongToken)),
            (json!({ "headers": { "Authorization": 1 }, "token": "x" }), Err(AccessError::WrongToken)),
            (json!({ "headers": [["Authorization", "Bearer x"]] }), Ok(None)),
            (json!({ "headers": { "token": "x" } }), Ok(None)),
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
            assert_eq!(token_from_payload(&payload), token.map(|token| token.map(Cow::from)), "{payload}");
        }
    }
}
