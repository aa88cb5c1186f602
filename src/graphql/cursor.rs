//! Cursors: opaque to clients, and the same on every node. One holds what kind of list it belongs to, the log's id and a
//! place; a cursor of another list, another log, or none at all is told apart and refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::ApiError;
use crate::domain::{LogId, Seq};

/// The list whose places a cursor names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CursorKind {
    /// The log: events, in history and live.
    Event,
    /// The deliveries in quarantine.
    Delivery,
}

impl CursorKind {
    const fn letter(self) -> char {
        match self {
            Self::Event => 'e',
            Self::Delivery => 'd',
        }
    }

    const fn source(self) -> &'static str {
        match self {
            Self::Event => "an event, an edge or `headCursor`",
            Self::Delivery => "an edge of `quarantinedDeliveries`",
        }
    }
}

/// The cursor of a place.
pub(crate) fn encode(kind: CursorKind, log: &LogId, place: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{}:{place}", kind.letter(), log.0))
}

/// The cursor of an event.
pub(crate) fn of_event(log: &LogId, seq: Seq) -> String {
    encode(CursorKind::Event, log, seq.0)
}

/// The place that a cursor names. The same place has one cursor: what was not encoded here is refused.
pub(crate) fn decode(kind: CursorKind, log: &LogId, cursor: &str) -> Result<i64, ApiError> {
    let wrong = |what: &str| {
        ApiError::BadUserInput(format!("this cursor {what}; take one from {} of this service", kind.source()))
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong("is malformed"))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("is malformed"))?;
    let mut parts = text.splitn(3, ':');
    let (Some(letter), Some(of), Some(place)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong("is malformed"));
    };
    let place = place.parse::<i64>().ok().filter(|number| *number >= 0 && number.to_string() == place);
    match place {
        Some(_) if letter != kind.letter().to_string() => Err(wrong("belongs to another list")),
        Some(_) if of != log.0 => Err(wrong("belongs to another log")),
        Some(place) => Ok(place),
        None => Err(wrong("is malformed")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log() -> LogId {
        LogId("0123456789abcdef".to_owned())
    }

    fn refusal(kind: CursorKind, cursor: &str) -> String {
        decode(kind, &log(), cursor).unwrap_err().to_string()
    }

    #[test]
    fn a_cursor_of_another_list_or_log_is_told_apart() {
        let cursor = of_event(&log(), Seq(7));
        assert_eq!(decode(CursorKind::Event, &log(), &cursor), Ok(7));
        assert!(refusal(CursorKind::Delivery, &cursor).contains("another list"));
        let elsewhere = of_event(&LogId("fedcba9876543210".to_owned()), Seq(7));
        assert!(refusal(CursorKind::Event, &elsewhere).contains("another log"));
        for cursor in ["", "7", "not a cursor", &URL_SAFE_NO_PAD.encode("e:0123456789abcdef:-1")] {
            assert!(refusal(CursorKind::Event, cursor).contains("malformed"), "{cursor}");
        }
    }

    proptest! {
        #[test]
        fn what_it_encodes_it_decodes(place in 0..i64::MAX) {
            let cursor = encode(CursorKind::Delivery, &log(), place);
            prop_assert_eq!(decode(CursorKind::Delivery, &log(), &cursor), Ok(place));
        }

        #[test]
        fn never_panics(cursor in ".{0,60}") {
            let _ = decode(CursorKind::Event, &log(), &cursor);
        }
    }
}
