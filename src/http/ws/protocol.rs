//! The messages of `graphql-transport-ws`, as its `PROTOCOL.md` defines them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use async_graphql::Request;
use axum::extract::ws::Utf8Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::close::CloseReason;
use crate::http::graphql::Parameters;

/// The sub-protocol's name.
pub(super) const SUBPROTOCOL: &str = "graphql-transport-ws";

/// The acknowledgement of `connection_init`.
pub(super) const ACK: Utf8Bytes = Utf8Bytes::from_static(r#"{"type":"connection_ack"}"#);

/// The ping that a client must answer with a pong.
pub(super) const PING: Utf8Bytes = Utf8Bytes::from_static(r#"{"type":"ping"}"#);

/// A message from a client.
#[derive(Debug)]
pub(super) enum ClientMessage<'a> {
    /// Authenticates the client by its payload.
    ConnectionInit(Value),
    /// Starts an operation under an id that the client chose.
    Subscribe(String, Box<Request>),
    /// Stops the operation with this id.
    Complete(String),
    /// Asks for a pong with the same payload.
    Ping(Option<&'a RawValue>),
    /// Answers a ping.
    Pong,
}

/// The fields that all messages share.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    message_type: Cow<'a, str>,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl<'a> ClientMessage<'a> {
    /// Parses a message.
    ///
    /// # Errors
    ///
    /// [`CloseReason::InvalidMessage`] if a client may not send it. The protocol requires the
    /// socket to be closed then.
    pub(super) fn parse(text: &'a str) -> Result<Self, CloseReason> {
        let message: Envelope<'a> = serde_json::from_str(text).map_err(invalid_message)?;
        match &*message.message_type {
            "connection_init" => {
                Ok(Self::ConnectionInit(message.payload_object()?.map_or(Ok(Value::Null), parse_payload)?))
            }
            "subscribe" => {
                let payload = message.payload.ok_or_else(|| invalid_message("`payload` is missing"))?;
                let request = Parameters::from_json(payload.get()).and_then(Parameters::into_request);
                Ok(Self::Subscribe(message.id()?, Box::new(request.map_err(invalid_message)?)))
            }
            "complete" => Ok(Self::Complete(message.id()?)),
            "ping" => Ok(Self::Ping(message.payload_object()?)),
            "pong" => message.payload_object().map(|_| Self::Pong),
            other => Err(invalid_message(format_args!("a client must not send {other:?}"))),
        }
    }
}

impl<'a> Envelope<'a> {
    fn id(self) -> Result<String, CloseReason> {
        self.id.filter(|id| !id.is_empty()).ok_or_else(|| invalid_message("`id` is missing"))
    }

    /// The payload, which must be an object if it is present.
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

/// The errors of an operation that was refused before its execution. No other message follows.
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

/// Assembles a message as text. The payload may be long: it was serialised once elsewhere, and is
/// not parsed here.
fn operation_message(id: &str, message_type: &str, payload: Option<&[u8]>) -> Utf8Bytes {
    // JSON is UTF-8, so this replaces nothing.
    let payload = payload.map(String::from_utf8_lossy);
    // A string always serialises.
    let id = serde_json::to_string(id).unwrap_or_default();
    let mut text = String::with_capacity(id.len() + payload.as_ref().map_or(0, |payload| payload.len()) + 48);
    text.push_str("{\"id\":");
    text.push_str(&id);
    text.push_str(",\"type\":\"");
    text.push_str(message_type);
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
            r#"{"type":"subscribe","id":"1","payload":["{a}"]}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[1]}}"#,
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
        for (message, message_type) in
            [(message, "next"), (error("a\"b", b"[]"), "error"), (complete("a\"b"), "complete")]
        {
            let parsed: Value = serde_json::from_str(&message).unwrap();
            assert_eq!((&parsed["id"], &parsed["type"]), (&json!("a\"b"), &json!(message_type)));
        }
    }
}
