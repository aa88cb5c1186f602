//! Cursors: opaque to clients, and the same on every node. One names the list and the order it belongs to, the log, and a
//! place; a cursor of another list, order or log, or none at all, is told apart and refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::domain::{LogId, Seq};
use crate::graphql::error::ApiError;
use crate::store::read::{LOG_ORDER, Position, Sort, SortValue};

/// The list whose places a cursor names: its table, the column it is ordered by, and how many ids tell equals apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListId {
    table: &'static str,
    sort_column: &'static str,
    tie_breaker_count: usize,
}

impl ListId {
    /// The list of a table in an order.
    pub(crate) const fn new(table: &'static str, sort: Sort) -> Self {
        Self { table, sort_column: sort.column, tie_breaker_count: sort.tie_breakers.len() }
    }
}

/// The log: events, in history and live.
pub(crate) const LOG_LIST: ListId = ListId::new("event", LOG_ORDER);

/// What a cursor holds.
#[derive(Serialize, Deserialize)]
struct CursorContent<'a>(&'a str, &'a str, &'a str, Position);

/// A place in a list, which is made a cursor only when one is asked for.
pub(crate) struct LazyCursor {
    pub(crate) log: LogId,
    pub(crate) list: ListId,
    /// The place; none where nobody asked for cursors.
    pub(crate) position: Option<Position>,
}

impl LazyCursor {
    /// The cursor.
    pub(crate) fn encode(&self) -> String {
        self.position.clone().map(|place| encode(self.list, &self.log, place)).unwrap_or_default()
    }
}

fn encode(list: ListId, log: &LogId, place: Position) -> String {
    let content = CursorContent(list.table, list.sort_column, &log.0, place);
    // Texts and numbers alone: there is nothing that JSON cannot write.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&content).unwrap_or_default())
}

/// The cursor of an event.
pub(crate) fn encode_event(log: &LogId, seq: Seq) -> String {
    encode(LOG_LIST, log, Position { key: SortValue::Integer(seq.0), ties: Vec::new() })
}

/// The place that a cursor names.
pub(crate) fn decode(list: ListId, log: &LogId, cursor: &str) -> Result<Position, ApiError> {
    let wrong = |what: &str| {
        let source = if list == LOG_LIST {
            "an event, an edge of `events` or `headCursor`"
        } else {
            "an edge of this very list"
        };
        ApiError::BadUserInput(format!("this cursor {what}; take one from {source}"))
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong("is malformed"))?;
    let CursorContent(table, order, of, place) = serde_json::from_slice(&bytes).map_err(|_| wrong("is malformed"))?;
    if table != list.table {
        return Err(wrong("belongs to another list"));
    }
    if order != list.sort_column {
        return Err(wrong("belongs to another order of this list"));
    }
    if of != &*log.0 {
        return Err(wrong("belongs to another log: that of another database"));
    }
    // Whoever forges a cursor gets no further: the database would compare a tuple with another form of tuple.
    let is_of_the_order = matches!(place.key, SortValue::Text(_)) == is_text_column(list.sort_column)
        && place.ties.len() == list.tie_breaker_count;
    // One place has one cursor: what was not encoded here is refused.
    if !is_of_the_order || encode(list, log, place.clone()) != cursor {
        return Err(wrong("is malformed"));
    }
    Ok(place)
}

/// Whether an order is one of texts; all others are of numbers.
fn is_text_column(order: &str) -> bool {
    order == "name_order"
}

/// The event's place that a cursor names.
pub(crate) fn decode_event(log: &LogId, cursor: &str) -> Result<Seq, ApiError> {
    match decode(LOG_LIST, log, cursor)? {
        Position { key: SortValue::Integer(seq), ties } if seq >= 0 && ties.is_empty() => Ok(Seq(seq)),
        _ => Err(ApiError::BadUserInput("this cursor is malformed; take one from an event or `headCursor`".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: ListId = ListId { table: "project", sort_column: "name_order", tie_breaker_count: 1 };

    fn log() -> LogId {
        LogId("0123456789abcdef".into())
    }

    fn refusal(list: ListId, cursor: &str) -> String {
        decode(list, &log(), cursor).unwrap_err().to_string()
    }

    #[test]
    fn cursor_of_other_list_order_or_log_is_refused() {
        let cursor = encode_event(&log(), Seq(7));
        assert_eq!(decode_event(&log(), &cursor), Ok(Seq(7)));
        assert!(refusal(NAMES, &cursor).contains("another list"));
        assert!(refusal(ListId { sort_column: "last_event_at", ..LOG_LIST }, &cursor).contains("another order"));
        let elsewhere = encode_event(&LogId("fedcba9876543210".into()), Seq(7));
        assert!(refusal(LOG_LIST, &elsewhere).contains("another log"));
        for cursor in ["", "7", "not a cursor", &format!("{cursor}="), &URL_SAFE_NO_PAD.encode("[]")] {
            assert!(refusal(LOG_LIST, cursor).contains("malformed"), "{cursor}");
        }
        assert!(decode_event(&log(), &encode_event(&log(), Seq(-1))).is_err());
    }

    #[test]
    fn forged_cursor_is_refused() {
        let text = || SortValue::Text("a".to_owned());
        for (list, key, ties) in [
            (NAMES, SortValue::Integer(1), vec!["1".to_owned()]),
            (NAMES, text(), Vec::new()),
            (NAMES, text(), vec!["1".to_owned(); 40_000]),
            (LOG_LIST, text(), Vec::new()),
            (LOG_LIST, SortValue::Integer(1), vec!["1".to_owned()]),
        ] {
            let cursor = encode(list, &log(), Position { key, ties });
            assert!(refusal(list, &cursor).contains("malformed"));
        }
    }

    proptest! {
        #[test]
        fn encoded_position_decodes_unchanged(name in ".{0,40}", id in ".{1,20}") {
            let place = Position { key: SortValue::Text(name), ties: vec![id] };
            let cursor = LazyCursor { log: log(), list: NAMES, position: Some(place.clone()) }.encode();
            prop_assert_eq!(decode(NAMES, &log(), &cursor), Ok(place));
        }

        #[test]
        fn decode_of_any_text_never_panics(cursor in ".{0,60}") {
            let _ = decode(LOG_LIST, &log(), &cursor);
        }
    }
}
