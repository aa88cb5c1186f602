//! Close codes of a socket: those of `graphql-transport-ws`, those of WebSocket itself (RFC 6455),
//! and two that bidarc defines (4010, 4011).

use std::time::Duration;

use axum::extract::ws::{CloseFrame, close_code};

use crate::auth::AccessError;
use crate::http::access;
use crate::http::stream_caps::CapReached;

/// The longest reason that fits into a close frame, in bytes (RFC 6455, 5.5).
const REASON_BYTES_MAX: usize = 123;

/// Why the service closes a socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CloseReason {
    /// A message that the protocol does not allow.
    #[error("Invalid message: {0}")]
    InvalidMessage(String),
    /// An operation before the connection was acknowledged.
    #[error("Unauthorized")]
    Unauthorized,
    /// The client is not authenticated, or its access was revoked.
    #[error("Forbidden: {0}")]
    Forbidden(AccessError),
    /// The client's token is wrong, and its peer has sent too many wrong ones. It should wait for
    /// this long.
    #[error("{}", access::too_many_failures(*.0))]
    TooManyFailures(Duration),
    /// The client did not request the sub-protocol.
    #[error("Subprotocol not acceptable")]
    UnsupportedSubprotocol,
    /// The client did not send `connection_init` in time.
    #[error("Connection initialisation timeout")]
    InitTimeout,
    /// A `subscribe` with the id of a running operation.
    #[error("Subscriber for {0} already exists")]
    SubscriberExists(String),
    /// A second `connection_init`.
    #[error("Too many initialisation requests")]
    TooManyInits,
    /// A message larger than the limit.
    #[error("the message is larger than {0} bytes")]
    MessageTooLarge(usize),
    /// A text that is not UTF-8.
    #[error("the message is not UTF-8")]
    NotUtf8,
    /// A frame that violates the WebSocket protocol.
    #[error("WebSocket protocol error")]
    BadFrame,
    /// The client does not receive its messages, or has fallen too far behind.
    #[error("too slow; reconnect with the cursor of the last event that you received")]
    TooSlow,
    /// The key of the socket has reached a cap, or all keys together have.
    #[error("{0}")]
    CapReached(CapReached),
    /// The client has sent nothing for too long, not even an answer to a ping.
    #[error("the client did not answer pings")]
    KeepAliveTimeout,
    /// The client has ended the socket, as the older protocol does.
    #[error("the client ended the connection")]
    Terminated,
    /// The service stops.
    #[error("the service is stopping")]
    ShuttingDown,
}

impl CloseReason {
    /// The table of codes. The client `graphql-ws` reconnects after all of these except 4400, 4401,
    /// 4406, 4409, 4429, and 1002 to 1009.
    pub(super) const fn code(&self) -> u16 {
        match self {
            Self::InvalidMessage(_) => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden(
                AccessError::NoToken
                | AccessError::WrongToken
                | AccessError::ExpiredKey
                | AccessError::SessionOver
                | AccessError::ForeignPage,
            ) => 4403,
            Self::UnsupportedSubprotocol => 4406,
            Self::InitTimeout => 4408,
            Self::SubscriberExists(_) => 4409,
            Self::TooManyInits | Self::TooManyFailures(_) => 4429,
            Self::MessageTooLarge(_) => close_code::SIZE,
            Self::NotUtf8 => close_code::INVALID,
            Self::BadFrame => close_code::PROTOCOL,
            // Of all sockets of the key, this one does not receive what waits for it.
            Self::TooSlow | Self::CapReached(CapReached::Bytes) => 4010,
            Self::KeepAliveTimeout => 4011,
            // The client has done nothing wrong: it may reconnect.
            Self::Forbidden(AccessError::Unavailable)
            | Self::CapReached(CapReached::AllStreams | CapReached::Streams | CapReached::Operations) => {
                close_code::AGAIN
            }
            Self::Terminated => close_code::NORMAL,
            Self::ShuttingDown => close_code::AWAY,
        }
    }

    /// The close frame for this reason.
    pub(super) fn frame(&self) -> CloseFrame {
        let mut reason = self.to_string();
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        CloseFrame { code: self.code(), reason: reason.into() }
    }
}

impl From<CapReached> for CloseReason {
    fn from(cap: CapReached) -> Self {
        Self::CapReached(cap)
    }
}

impl From<AccessError> for CloseReason {
    /// Counts the refusal as well, because every refused socket passes through here.
    fn from(denied: AccessError) -> Self {
        access::count_denied(denied);
        Self::Forbidden(denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_reason_too_long_is_cut_to_frame() {
        for text in ["x".repeat(500), "é".repeat(500), "€".repeat(500)] {
            let frame = CloseReason::InvalidMessage(text).frame();
            assert!(
                frame.reason.len() <= REASON_BYTES_MAX && frame.reason.len() > REASON_BYTES_MAX - 3,
                "{}",
                frame.reason
            );
        }
        assert_eq!(
            CloseReason::SubscriberExists("1".to_owned()).frame().reason.as_str(),
            "Subscriber for 1 already exists"
        );
    }
}
