//! The messages of `graphql-transport-ws`, as its `PROTOCOL.md` has them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use async_graphql::{Request, Variables};
use axum::extract::ws::Utf8Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::close::CloseReason;

/// The sub-protocol's name.
pub(super) const SUBPROTOCOL: &str = "graphql-transport-ws";

/// What tells the client that it is let in.
pub(super) const ACK: Utf8Bytes = Utf8Bytes::from_static(r#"{"type":"connection_ack"}"#);

/// What asks the client whether it is still there.
pub(super) const PING: Utf8Bytes = Utf8Bytes::from_static(r#"{"type":"ping"}"#);

/// What a client says.
#[derive(Debug)]
pub(super) enum ClientMessage<'a> {
    /// Who it is.
    ConnectionInit(Value),
    /// An operation to be executed, under an id of the client's.
    Subscribe(String, Box<Request>),
    /// The operation of this id is not wanted any longer.
    Complete(String),
    /// Whether the service is still there, with a payload to be given back as it is.
    Ping(Option<&'a RawValue>),
    /// That the client is still there.
    Pong,
}

/// What all messages have in common.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    message_type: Cow<'a, str>,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// An operation to be executed. The library's own type refuses `extensions` that are null, which the protocol allows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    query: String,
    operation_name: Option<String>,
    #[serde(default)]
    variables: Variables,
    #[serde(rename = "extensions")]
    _extensions: Option<BTreeMap<String, IgnoredAny>>,
}

impl From<Operation> for Request {
    fn from(operation: Operation) -> Self {
        let mut request = Self::new(operation.query).variables(operation.variables);
        request.operation_name = operation.operation_name;
        request
    }
}

impl<'a> ClientMessage<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`Close::InvalidMessage`] where it is none that a client may send: the protocol has the socket closed then.
    pub(super) fn parse(text: &'a str) -> Result<Self, CloseReason> {
        let message: Envelope<'a> = serde_json::from_str(text).map_err(invalid_message)?;
        match &*message.message_type {
            "connection_init" => {
                Ok(Self::ConnectionInit(message.payload_object()?.map_or(Ok(Value::Null), parse_payload)?))
            }
            "subscribe" => {
                let payload = message.payload.ok_or_else(|| invalid_message("`payload` is missing"))?;
                let operation: Operation = parse_payload(payload)?;
                Ok(Self::Subscribe(message.id()?, Box::new(operation.into())))
            }
            "complete" => Ok(Self::Complete(message.id()?)),
            "ping" => Ok(Self::Ping(message.payload_object()?)),
            "pong" => message.payload_object().map(|_| Self::Pong),
            other => Err(invalid_message(format_args!("a client sends no {other:?}"))),
        }
    }
}

impl<'a> Envelope<'a> {
    fn id(self) -> Result<String, CloseReason> {
        self.id.filter(|id| !id.is_empty()).ok_or_else(|| invalid_message("`id` is missing"))
    }

    /// The payload, which must be an object where there is one.
    fn payload_object(&self) -> Result<Option<&'a RawValue>, CloseReason> {
        self.payload
            .map(|payload| parse_payload::<BTreeMap<Cow<'_, str>, &RawValue>>(payload).map(|_| payload))
            .transpose()
    }
}

fn parse_payload<'a, T: Deserialize<'a>>(payload: &'a RawValue) -> Result<T, CloseReason> {
    serde_json::from_str(payload.get()).map_err(invalid_message)
}

fn invalid_message(problem: impl std::fmt::Display) -> CloseReason {
    CloseReason::InvalidMessage(problem.to_string())
}

/// One response of an operation.
pub(super) fn next(id: &str, response: &[u8]) -> Utf8Bytes {
    operation_message(id, "next", Some(response))
}

/// The errors of an operation that was refused before it was executed. Nothing follows.
pub(super) fn error(id: &str, errors: &[u8]) -> Utf8Bytes {
    operation_message(id, "error", Some(errors))
}

/// The end of an operation.
pub(super) fn complete(id: &str) -> Utf8Bytes {
    operation_message(id, "complete", None)
}

/// The answer to a ping.
pub(super) fn pong(payload: Option<&RawValue>) -> Utf8Bytes {
    match payload {
        Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#).into(),
        None => Utf8Bytes::from_static(r#"{"type":"pong"}"#),
    }
}

/// A message, put together from texts: a payload that may be long is written once, where it was made, and not looked into here.
fn operation_message(id: &str, of: &str, payload: Option<&[u8]>) -> Utf8Bytes {
    // JSON text is UTF-8: nothing is replaced here.
    let payload = payload.map(String::from_utf8_lossy);
    // Text alone: there is nothing that JSON cannot write.
    let id = serde_json::to_string(id).unwrap_or_default();
    let mut text = String::with_capacity(id.len() + payload.as_ref().map_or(0, |payload| payload.len()) + 48);
    text.push_str("{\"id\":");
    text.push_str(&id);
    text.push_str(",\"type\":\"");
    text.push_str(of);
    text.push('"');
    if let Some(payload) = payload {
        text.push_str(",\"payload\":");
        text.push_str(&payload);
    }
    text.push('}');
    text.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn client_message_valid_is_parsed() {
        for text in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"type":"connection_init","payload":{"token":"x"},"more":1}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"pong","payload":{}}"#,
            r#"{"type":"complete","id":"1"}"#,
            r#"{"payload":{"query":"{a}","variables":null,"operationName":null,"extensions":null},"id":"1","type":"subscribe"}"#,
        ] {
            ClientMessage::parse(text).unwrap_or_else(|close| panic!("{text}: {close}"));
        }
    }

    #[test]
    fn client_message_invalid_is_rejected() {
        for text in [
            "",
            "x",
            "{}",
            "[]",
            "null",
            r#"{"type":1}"#,
            r#"{"type":"connection_ack"}"#,
            r#"{"type":"next","id":"1","payload":{}}"#,
            r#"{"type":"start","id":"1","payload":{"query":"{a}"}}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
            r#"{"type":"ping","payload":[]}"#,
            r#"{"type":"pong","payload":1}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"complete","id":""}"#,
            r#"{"type":"complete","id":1}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
        ] {
            let parsed = ClientMessage::parse(text);
            assert!(matches!(&parsed, Err(CloseReason::InvalidMessage(_))), "{text}: {parsed:?}");
        }
    }

    #[test]
    fn payload_is_passed_on_verbatim() {
        let text = r#"{"type":"ping","payload":{"b": 1.0, "a":12345678901234567890123}}"#;
        let Ok(ClientMessage::Ping(payload)) = ClientMessage::parse(text) else { panic!("{text}") };
        let expected = r#"{"type":"pong","payload":{"b": 1.0, "a":12345678901234567890123}}"#;
        assert_eq!(pong(payload).as_str(), expected);
        let message = next("a\"b", b"{\"data\":{\"n\": 1.00}}");
        assert_eq!(message.as_str(), r#"{"id":"a\"b","type":"next","payload":{"data":{"n": 1.00}}}"#);
        for (message, of) in [(message, "next"), (error("a\"b", b"[]"), "error"), (complete("a\"b"), "complete")] {
            let read: Value = serde_json::from_str(&message).unwrap();
            assert_eq!((&read["id"], &read["type"]), (&json!("a\"b"), &json!(of)));
        }
    }
}
