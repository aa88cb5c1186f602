//! The messages of a socket in its two protocols: `graphql-transport-ws`, and the older
//! `graphql-ws`. They differ in the names of messages, in the keep-alive, and in the errors of an
//! operation. The session uses them through [`Protocol`] and does not know which one it speaks.

use std::borrow::Cow;
use std::collections::BTreeMap;

use async_graphql::Request;
use axum::extract::ws::{Message, Utf8Bytes};
use axum::http::HeaderMap;
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::close::CloseReason;
use crate::http::graphql::Parameters;

mod older;
mod transport_ws;

/// The names of the sub-protocols, the preferred one first.
pub(super) const SUBPROTOCOLS: [&str; 2] = [transport_ws::NAME, older::NAME];

/// The protocol that a socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `graphql-transport-ws`.
    TransportWs,
    /// `graphql-transport-ws`, to a client that has offered both and may take the answer for the
    /// older one: Python's gql does so if it finds no header in the spelling
    /// `Sec-WebSocket-Protocol`. Its first operation decides. Until then the socket sends nothing
    /// that only one of them knows.
    Undecided,
    /// The older `graphql-ws`.
    Older,
}

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
    /// Closes the socket.
    Terminate,
}

impl Protocol {
    /// The protocol of a socket, for which this sub-protocol was selected.
    pub(super) fn of_socket(selected: &[u8], headers: &HeaderMap) -> Option<Self> {
        let offers_older = || {
            let offers = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
            offers.flat_map(|value| value.split(',')).any(|name| name.trim() == older::NAME)
        };
        match str::from_utf8(selected).ok()? {
            older::NAME => Some(Self::Older),
            transport_ws::NAME if offers_older() => Some(Self::Undecided),
            transport_ws::NAME => Some(Self::TransportWs),
            _ => None,
        }
    }

    /// Parses a message. On an acknowledged socket, `start` and `connection_terminate` switch from
    /// `graphql-transport-ws` to the older protocol for good.
    ///
    /// # Errors
    ///
    /// [`CloseReason::InvalidMessage`] if a client may not send it. `graphql-transport-ws` requires
    /// the socket to be closed then.
    pub(super) fn parse<'a>(&mut self, text: &'a str, is_acknowledged: bool) -> Result<ClientMessage<'a>, CloseReason> {
        let message: Envelope<'a> = serde_json::from_str(text).map_err(invalid_message)?;
        let message_type = Cow::clone(&message.message_type);
        match self {
            Self::Older => {}
            Self::TransportWs | Self::Undecided if is_acknowledged && older::SWITCHING.contains(&&*message_type) => {
                *self = Self::Older;
            }
            Self::Undecided if message_type != "connection_init" => *self = Self::TransportWs,
            Self::TransportWs | Self::Undecided => {}
        }
        let parsed = match (&*message_type, &*self) {
            ("connection_init", _) => {
                let payload = message.payload_object()?.map_or(Ok(Value::Null), parse_payload)?;
                Some(ClientMessage::ConnectionInit(payload))
            }
            (_, Self::Older) => older::parse(message)?,
            (_, Self::TransportWs | Self::Undecided) => transport_ws::parse(message)?,
        };
        parsed.ok_or_else(|| invalid_message(format_args!("a client must not send {message_type:?}")))
    }

    /// The acknowledgement of `connection_init`.
    pub(super) fn acknowledgement(self) -> Vec<Message> {
        const ACK: Message = Message::Text(Utf8Bytes::from_static(r#"{"type":"connection_ack"}"#));
        match self {
            Self::TransportWs | Self::Undecided => vec![ACK],
            Self::Older => vec![ACK, older::KEEP_ALIVE],
        }
    }

    /// The messages of a keep-alive. The peer answers one of them.
    pub(super) fn keep_alive(self) -> Vec<Message> {
        // A WebSocket library answers this ping by itself.
        let ping = Message::Ping(bytes::Bytes::new());
        match self {
            Self::TransportWs => vec![transport_ws::PING],
            Self::Undecided => vec![ping],
            Self::Older => vec![older::KEEP_ALIVE, ping],
        }
    }

    /// One response of an operation.
    pub(super) fn next(self, id: &str, response: &[u8]) -> Message {
        let message_type = match self {
            Self::TransportWs | Self::Undecided => "next",
            Self::Older => "data",
        };
        operation_message(id, message_type, Some(response))
    }

    /// The errors of an operation that was refused before its execution. No other message follows.
    pub(super) fn error(self, id: &str, errors: &[u8]) -> Message {
        match self {
            Self::TransportWs | Self::Undecided => operation_message(id, "error", Some(errors)),
            Self::Older => operation_message(id, "error", Some(&older::first_error(errors))),
        }
    }

    /// The end of an operation.
    pub(super) fn complete(self, id: &str) -> Message {
        operation_message(id, "complete", None)
    }

    /// The answer to a client that has stopped an operation. The older protocol has one: Python's
    /// gql waits for it.
    pub(super) fn stopped(self, id: &str) -> Option<Message> {
        match self {
            Self::TransportWs | Self::Undecided => None,
            Self::Older => Some(self.complete(id)),
        }
    }

    /// The answer to a ping.
    pub(super) fn pong(self, payload: Option<&RawValue>) -> Message {
        transport_ws::pong(payload)
    }
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

impl<'a> Envelope<'a> {
    /// The start of an operation.
    fn subscribe(self) -> Result<ClientMessage<'a>, CloseReason> {
        let payload = self.payload.ok_or_else(|| invalid_message("`payload` is missing"))?;
        let request = Parameters::from_json(payload.get()).and_then(Parameters::into_request);
        Ok(ClientMessage::Subscribe(self.id()?, Box::new(request.map_err(invalid_message)?)))
    }

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

/// Assembles a message as text. The payload may be long: it was serialised once elsewhere, and is
/// not parsed here.
fn operation_message(id: &str, message_type: &str, payload: Option<&[u8]>) -> Message {
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
    Message::Text(text.into())
}

/// The fuzz target of messages: parses one in each state of a socket. The answers to it are JSON.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(text: &str) {
    for mut protocol in [Protocol::TransportWs, Protocol::Undecided, Protocol::Older] {
        for is_acknowledged in [false, true] {
            let answer = match protocol.parse(text, is_acknowledged) {
                Ok(ClientMessage::Subscribe(id, _)) => protocol.next(&id, b"{}"),
                Ok(ClientMessage::Complete(id)) => protocol.complete(&id),
                Ok(ClientMessage::Ping(payload)) => protocol.pong(payload),
                Ok(ClientMessage::ConnectionInit(_) | ClientMessage::Pong | ClientMessage::Terminate) | Err(_) => {
                    continue;
                }
            };
            let Message::Text(answer) = answer else { unreachable!("the answers are texts") };
            assert!(serde_json::from_str::<&RawValue>(&answer).is_ok(), "{answer}");
        }
    }
}

#[cfg(test)]
mod tests;
