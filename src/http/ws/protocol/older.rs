//! The messages that only the older protocol `graphql-ws` has, that of the library
//! `subscriptions-transport-ws`, as its `PROTOCOL.md` defines them. Close codes are those of
//! `graphql-transport-ws`; the older protocol has none.

use axum::extract::ws::{Message, Utf8Bytes};
use serde_json::value::RawValue;

use super::{ClientMessage, Envelope};
use crate::http::ws::close::CloseReason;

/// The sub-protocol's name.
pub(super) const NAME: &str = "graphql-ws";

/// The types of the messages that start an operation, and end the socket.
const START: &str = "start";
const TERMINATE: &str = "connection_terminate";

/// The messages by which a client shows that it speaks this protocol.
pub(super) const SWITCHING: [&str; 2] = [START, TERMINATE];

/// The keep-alive, which a client does not answer.
pub(super) const KEEP_ALIVE: Message = Message::Text(Utf8Bytes::from_static(r#"{"type":"ka"}"#));

/// Parses a message. `None` if a client may not send one of this type.
pub(super) fn parse(message: Envelope<'_>) -> Result<Option<ClientMessage<'_>>, CloseReason> {
    Ok(Some(match &*message.message_type {
        START => message.subscribe()?,
        "stop" => ClientMessage::Complete(message.id()?),
        TERMINATE => ClientMessage::Terminate,
        _ => return Ok(None),
    }))
}

/// The first of several errors. The payload of `error` is one error in this protocol.
pub(super) fn first_error(errors: &[u8]) -> Vec<u8> {
    let errors = serde_json::from_slice::<Vec<&RawValue>>(errors).unwrap_or_default();
    errors.first().map_or("{}", |error| error.get()).as_bytes().to_vec()
}
