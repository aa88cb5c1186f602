//! Cursors: opaque to clients, and the same on every node. A cursor names its list, its order, its
//! log and a position. A cursor of another list, order or log is refused, and so is a text that is
//! not a cursor.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::domain::{LogId, Seq};
use crate::graphql::error::ApiError;
use crate::store::read::order::Sortable;
use crate::store::read::{EventRow, Position, Sort, SortValue};
use crate::store::sql::json_rows::ReadRow;

/// The list of a cursor: its table, its sort column, and the number of its tie breakers.
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

/// The log, for both the history and the live stream.
pub(crate) const LOG_LIST: ListId = ListId::new(EventRow::TABLE, EventRow::DEFAULT_ORDER);

/// The content of a cursor: table, sort column, log id, position.
#[derive(Serialize, Deserialize)]
struct CursorContent<'a>(&'a str, &'a str, &'a str, Position);

/// A position in a list. It is encoded only if a cursor is selected.
pub(crate) struct LazyCursor {
    pub(crate) log: LogId,
    pub(crate) list: ListId,
    /// `None` if the query selects no cursors.
    pub(crate) position: Option<Position>,
}

impl LazyCursor {
    /// Encodes the cursor.
    pub(crate) fn encode(&self) -> String {
        self.position.clone().map(|position| encode(self.list, &self.log, position)).unwrap_or_default()
    }
}

/// The cursor that an argument gives. The empty text means none, as null does: Apollo's
/// `relayStylePagination` sends it for the first page.
pub(crate) fn given<T: AsRef<str>>(argument: Option<T>) -> Option<T> {
    argument.filter(|cursor| !cursor.as_ref().is_empty())
}

fn encode(list: ListId, log: &LogId, position: Position) -> String {
    let content = CursorContent(list.table, list.sort_column, &log.0, position);
    // The content is text and numbers only, so encoding it as JSON cannot fail.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&content).unwrap_or_default())
}

/// Encodes the cursor of an event.
#[must_use]
pub fn encode_event(log: &LogId, seq: Seq) -> String {
    encode(LOG_LIST, log, Position { key: SortValue::Integer(seq.0), ties: Vec::new() })
}

/// Decodes the position that a cursor names.
pub(crate) fn decode(list: ListId, log: &LogId, cursor: &str) -> Result<Position, ApiError> {
    let refuse = |reason: &str| {
        let source =
            if list == LOG_LIST { "an event, an edge of `events` or `headCursor`" } else { "an edge of this list" };
        ApiError::BadUserInput(format!("this cursor {reason}; take one from {source}"))
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refuse("is malformed"))?;
    let CursorContent(table, sort_column, log_id, position) =
        serde_json::from_slice(&bytes).map_err(|_| refuse("is malformed"))?;
    if table != list.table {
        return Err(refuse("belongs to another list"));
    }
    if sort_column == FORMER_NAME_COLUMN && is_text_column(list.sort_column) {
        return Err(refuse("was made by an earlier version of bidarc, which sorted names differently"));
    }
    if sort_column != list.sort_column {
        return Err(refuse("belongs to another order of this list"));
    }
    if log_id != &*log.0 {
        return Err(refuse("belongs to another log, that of another database"));
    }
    // A forged cursor of another shape would make the database compare tuples of different types or
    // lengths.
    let has_shape_of_list = matches!(position.key, SortValue::Text(_)) == is_text_column(list.sort_column)
        && position.ties.len() == list.tie_breaker_count;
    // A position has exactly one cursor: any other encoding of it is refused.
    if !has_shape_of_list || encode(list, log, position.clone()) != cursor {
        return Err(refuse("is malformed"));
    }
    Ok(position)
}

/// The sort column of names in cursors of earlier versions, which folded names differently: such a
/// position has another place now.
const FORMER_NAME_COLUMN: &str = "name_order";

/// Whether a sort column holds text. All others hold numbers.
fn is_text_column(sort_column: &str) -> bool {
    sort_column == "name_sort"
}

/// Decodes the seq of the event that a cursor names.
pub(crate) fn decode_event(log: &LogId, cursor: &str) -> Result<Seq, ApiError> {
    match decode(LOG_LIST, log, cursor)? {
        Position { key: SortValue::Integer(seq), ties } if seq >= 0 && ties.is_empty() => Ok(Seq(seq)),
        _ => Err(ApiError::BadUserInput("this cursor is malformed; take one from an event or `headCursor`".to_owned())),
    }
}

/// The fuzz target of cursors.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(cursor: &str) {
    let log = LogId("0123456789abcdef".into());
    let names = ListId { table: "project", sort_column: "name_sort", tie_breaker_count: 1 };
    for list in [LOG_LIST, names] {
        if let Ok(position) = decode(list, &log, cursor) {
            assert_eq!(encode(list, &log, position), cursor);
        }
    }
    if let Ok(seq) = decode_event(&log, cursor) {
        assert_eq!(encode_event(&log, seq), cursor);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: ListId = ListId { table: "project", sort_column: "name_sort", tie_breaker_count: 1 };

    fn log() -> LogId {
        LogId("0123456789abcdef".into())
    }

    fn decode_error(list: ListId, cursor: &str) -> String {
        decode(list, &log(), cursor).unwrap_err().to_string()
    }

    #[test]
    fn cursor_of_other_list_order_or_log_is_refused() {
        let cursor = encode_event(&log(), Seq(7));
        assert_eq!(decode_event(&log(), &cursor), Ok(Seq(7)));
        assert!(decode_error(NAMES, &cursor).contains("another list"));
        assert!(decode_error(ListId { sort_column: "last_event_at", ..LOG_LIST }, &cursor).contains("another order"));
        let of_other_log = encode_event(&LogId("fedcba9876543210".into()), Seq(7));
        assert!(decode_error(LOG_LIST, &of_other_log).contains("another log"));
        let earlier = ListId { sort_column: FORMER_NAME_COLUMN, ..NAMES };
        let cursor_of_names =
            encode(earlier, &log(), Position { key: SortValue::Text("küche".to_owned()), ties: vec!["1".to_owned()] });
        assert!(decode_error(NAMES, &cursor_of_names).contains("earlier version"));
        let by_event = ListId { sort_column: "last_event_at", ..NAMES };
        assert!(decode_error(by_event, &cursor_of_names).contains("another order"));
        for cursor in ["", "7", "not a cursor", &format!("{cursor}="), &URL_SAFE_NO_PAD.encode("[]")] {
            assert!(decode_error(LOG_LIST, cursor).contains("malformed"), "{cursor}");
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
            assert!(decode_error(list, &cursor).contains("malformed"));
        }
    }

    proptest! {
        #[test]
        fn encoded_position_decodes_unchanged(name in ".{0,40}", id in ".{1,20}") {
            let position = Position { key: SortValue::Text(name), ties: vec![id] };
            let cursor = LazyCursor { log: log(), list: NAMES, position: Some(position.clone()) }.encode();
            prop_assert_eq!(decode(NAMES, &log(), &cursor), Ok(position));
        }

        #[test]
        fn decode_of_any_text_never_panics(cursor in ".{0,60}") {
            let _ = decode(LOG_LIST, &log(), &cursor);
        }
    }
}
