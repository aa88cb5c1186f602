//! The messages that only `graphql-transport-ws` has, as its `PROTOCOL.md` defines them.

use axum::extract::ws::{Message, Utf8Bytes};
use serde_json::value::RawValue;

use super::{ClientMessage, Envelope};
use crate::http::ws::close::CloseReason;

/// The sub-protocol's name.
pub(super) const NAME: &str = "graphql-transport-ws";

/// The ping that a client must answer with a pong.
pub(super) const PING: Message = Message::Text(Utf8Bytes::from_static(r#"{"type":"ping"}"#));

/// Parses a message. `None` if a client may not send one of this type.
pub(super) fn parse(message: Envelope<'_>) -> Result<Option<ClientMessage<'_>>, CloseReason> {
    Ok(Some(match &*message.message_type {
        "subscribe" => message.subscribe()?,
        "complete" => ClientMessage::Complete(message.id()?),
        "ping" => ClientMessage::Ping(message.payload_object()?),
        "pong" => message.payload_object().map(|_| ClientMessage::Pong)?,
        _ => return Ok(None),
    }))
}

/// The answer to a ping.
pub(super) fn pong(payload: Option<&RawValue>) -> Message {
    Message::Text(match payload {
        Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#).into(),
        None => Utf8Bytes::from_static(r#"{"type":"pong"}"#),
    })
}
