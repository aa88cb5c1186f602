//! A response as JSON text, by the GraphQL-over-HTTP specification: `data` if the operation was
//! executed, and `errors`.

use async_graphql::{Response, Value};

use super::selection::JsonText;
use crate::graphql::error::UNAVAILABLE;

/// The text of a response. A request that was refused before execution has no `data`.
///
/// # Errors
///
/// A value cannot be serialised. That is a defect.
pub fn to_json(response: &Response) -> serde_json::Result<Vec<u8>> {
    let data = if is_refused(response) { None } else { Some(JsonText::encode_value(&response.data)?) };
    let mut text = Vec::with_capacity(data.as_ref().map_or(0, Vec::len) + 64);
    text.push(b'{');
    if let Some(data) = data {
        text.extend_from_slice(b"\"data\":");
        text.extend_from_slice(&data);
    }
    if !response.errors.is_empty() {
        if text.len() > 1 {
            text.push(b',');
        }
        text.extend_from_slice(b"\"errors\":");
        serde_json::to_writer(&mut text, &response.errors)?;
    }
    text.push(b'}');
    Ok(text)
}

/// Whether a response has no data because the database is not available. A retry may succeed.
#[must_use]
pub fn is_unavailable(response: &Response) -> bool {
    if response.data != Value::Null {
        return false;
    }
    let unavailable = Value::from(UNAVAILABLE);
    let codes = response.errors.iter().filter_map(|error| error.extensions.as_ref()?.get("code"));
    codes.into_iter().any(|code| *code == unavailable)
}

/// Whether a request was refused before it was executed: the response has no data, and an error has
/// no path.
#[must_use]
pub fn is_refused(response: &Response) -> bool {
    response.data == Value::Null && response.errors.iter().any(|error| error.path.is_empty())
}
