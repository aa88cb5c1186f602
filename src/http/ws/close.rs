//! How a socket is closed: the codes of `graphql-transport-ws`, of WebSocket itself (RFC 6455), and two of our own.

use axum::extract::ws::{CloseFrame, close_code};

use crate::auth::AccessError;
use crate::http::access;

/// The longest reason that a close frame has room for, in bytes (RFC 6455, 5.5).
const REASON_BYTES_MAX: usize = 123;

/// Why the service closes a socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CloseReason {
    /// A message that is none of the protocol.
    #[error("Invalid message: {0}")]
    InvalidMessage(String),
    /// An operation before the connection was acknowledged.
    #[error("Unauthorized")]
    Unauthorized,
    /// Whoever opens it is not let in, or no longer.
    #[error("Forbidden: {0}")]
    Forbidden(AccessError),
    /// It was asked for without the sub-protocol.
    #[error("Subprotocol not acceptable")]
    UnsupportedSubprotocol,
    /// It was not said in time who opens it.
    #[error("Connection initialisation timeout")]
    InitTimeout,
    /// The id of an operation that is under way.
    #[error("Subscriber for {0} already exists")]
    SubscriberExists(String),
    /// A second `connection_init`.
    #[error("Too many initialisation requests")]
    TooManyInits,
    /// A message larger than the limit.
    #[error("the message is larger than {0} bytes")]
    MessageTooLarge(usize),
    /// A text that is no UTF-8.
    #[error("the message is no UTF-8")]
    NotUtf8,
    /// Frames that are none of WebSocket's.
    #[error("WebSocket protocol error")]
    BadFrame,
    /// It does not receive what waits for it, or has fallen too far behind.
    #[error("too slow: come again with the cursor of the last event seen")]
    TooSlow,
    /// Nothing has come from it for long, not even an answer to our pings.
    #[error("nothing was heard of the client")]
    KeepAliveTimeout,
    /// The service stops.
    #[error("the service is stopping")]
    ShuttingDown,
}

impl CloseReason {
    /// The table. `graphql-ws`, the client, comes again after all of these but 4400, 4401, 4406, 4409, 4429, and those of
    /// 1002 to 1009.
    pub(super) const fn code(&self) -> u16 {
        match self {
            Self::InvalidMessage(_) => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden(AccessError::NoToken | AccessError::WrongToken) => 4403,
            Self::UnsupportedSubprotocol => 4406,
            Self::InitTimeout => 4408,
            Self::SubscriberExists(_) => 4409,
            Self::TooManyInits => 4429,
            Self::MessageTooLarge(_) => close_code::SIZE,
            Self::NotUtf8 => close_code::INVALID,
            Self::BadFrame => close_code::PROTOCOL,
            Self::TooSlow => 4010,
            Self::KeepAliveTimeout => 4011,
            // The client has done nothing wrong: it may come again.
            Self::Forbidden(AccessError::Unavailable) => close_code::AGAIN,
            Self::ShuttingDown => close_code::AWAY,
        }
    }

    /// The frame that says so.
    pub(super) fn frame(&self) -> CloseFrame {
        let mut reason = self.to_string();
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        CloseFrame { code: self.code(), reason: reason.into() }
    }
}

impl From<AccessError> for CloseReason {
    /// Counts it as well: this is where a socket that is not let in is turned away.
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
