//! The two formats of a stream, behind one interface.

use std::time::Duration;

use super::{event, part};
use crate::graphql::{OperationMessage, StreamItem};

/// How the messages of an operation are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum StreamFormat {
    /// The events of `graphql-sse`.
    EventStream,
    /// The parts of Apollo's multipart protocol for subscriptions, version 1.0.
    Multipart,
}

impl StreamFormat {
    /// The media type of the response.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::EventStream => "text/event-stream",
            Self::Multipart => part::CONTENT_TYPE,
        }
    }

    /// The bytes before the first message.
    pub(super) const fn start(self) -> &'static [u8] {
        match self {
            Self::EventStream => b"",
            Self::Multipart => part::START,
        }
    }

    /// How long a stream may be silent, and what breaks the silence. Proxies and browsers close a
    /// connection on which nothing arrives.
    pub(super) const fn keep_alive(self) -> (Duration, &'static [u8]) {
        match self {
            Self::EventStream => (Duration::from_secs(12), event::KEEP_ALIVE),
            Self::Multipart => (Duration::from_secs(5), part::HEARTBEAT),
        }
    }

    /// Appends a message.
    pub(super) fn push(self, batch: &mut Vec<u8>, item: &StreamItem) {
        let refused;
        let (response, cursor) = match &item.message {
            OperationMessage::Next(response) => (&response[..], item.cursor.as_deref()),
            // Both protocols send this as a message, too: a browser's EventSource does not show its
            // page the body of an error status.
            OperationMessage::Refused(errors) => {
                refused = [&b"{\"errors\":"[..], errors, b"}"].concat();
                (&refused[..], None)
            }
        };
        match self {
            Self::EventStream => event::push_next(batch, cursor, response),
            Self::Multipart => part::push_next(batch, response),
        }
    }

    /// The bytes after the last message of an operation that has ended. A client takes a stream
    /// without them for interrupted.
    pub(super) const fn end(self) -> &'static [u8] {
        match self {
            Self::EventStream => event::COMPLETE,
            Self::Multipart => part::END,
        }
    }
}
