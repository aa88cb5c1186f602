//! A response, and its JSON text by the GraphQL-over-HTTP specification: `data` if the operation
//! was executed, and `errors`.

use async_graphql::{ServerError, Value};

use super::selection::JsonText;
use crate::graphql::error::UNAVAILABLE;

/// The response to a request.
#[derive(Debug)]
pub enum Response {
    /// The operation was executed; at least its root began.
    Executed {
        /// The values of the root's fields, or null if one failed that must not be null.
        data: Value,
        /// The errors of fields, in no order.
        errors: Vec<ServerError>,
    },
    /// The request was refused before execution: nothing was read or changed.
    Refused(Vec<ServerError>),
}

impl Response {
    fn errors(&self) -> &[ServerError] {
        match self {
            Self::Executed { errors, .. } | Self::Refused(errors) => errors,
        }
    }
}

/// The text of a response. A request that was refused before execution has no `data`.
///
/// # Errors
///
/// A value cannot be serialised. That is a defect.
pub fn to_json(response: &Response) -> serde_json::Result<Vec<u8>> {
    let mut text = vec![b'{'];
    match response {
        Response::Executed { data, .. } => {
            text.extend_from_slice(b"\"data\":");
            JsonText::append_value(&mut text, data)?;
        }
        Response::Refused(_) => {}
    }
    if !response.errors().is_empty() {
        if text.len() > 1 {
            text.push(b',');
        }
        text.extend_from_slice(b"\"errors\":");
        serde_json::to_writer(&mut text, response.errors())?;
    }
    text.push(b'}');
    Ok(text)
}

/// Whether a response has no data because the database is not available. A retry may succeed.
#[must_use]
pub fn is_unavailable(response: &Response) -> bool {
    if matches!(response, Response::Executed { data, .. } if *data != Value::Null) {
        return false;
    }
    let unavailable = Value::from(UNAVAILABLE);
    let codes = response.errors().iter().filter_map(|error| error.extensions.as_ref()?.get("code"));
    codes.into_iter().any(|code| *code == unavailable)
}

/// Whether a request was refused before it was executed.
#[must_use]
pub const fn is_refused(response: &Response) -> bool {
    matches!(response, Response::Refused(_))
}
