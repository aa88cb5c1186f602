//! Cursors: opaque to clients, and the same on every node. One names the list and the order it belongs to, the log, and a
//! place; a cursor of another list, order or log, or none at all, is told apart and refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::domain::{LogId, Seq};
use crate::graphql::error::ApiError;
use crate::store::read::{Key, LOG_ORDER, Place, Sort};

/// The list whose places a cursor names: its table, the column it is ordered by, and how many ids tell equals apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List {
    table: &'static str,
    order: &'static str,
    ties: usize,
}

impl List {
    /// The list of a table in an order.
    pub(crate) const fn new(table: &'static str, sort: Sort) -> Self {
        Self { table, order: sort.column, ties: sort.ties.len() }
    }
}

/// The log: events, in history and live.
pub(crate) const LOG: List = List::new("event", LOG_ORDER);

/// What a cursor holds.
#[derive(Serialize, Deserialize)]
struct Content<'a>(&'a str, &'a str, &'a str, Place);

/// A place in a list, which is made a cursor only when one is asked for.
pub(crate) struct LazyCursor {
    pub(crate) log: LogId,
    pub(crate) list: List,
    /// The place; none where nobody asked for cursors.
    pub(crate) place: Option<Place>,
}

impl LazyCursor {
    /// The cursor.
    pub(crate) fn encode(&self) -> String {
        self.place.clone().map(|place| encode(self.list, &self.log, place)).unwrap_or_default()
    }
}

fn encode(list: List, log: &LogId, place: Place) -> String {
    let content = Content(list.table, list.order, &log.0, place);
    // Texts and numbers alone: there is nothing that JSON cannot write.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&content).unwrap_or_default())
}

/// The cursor of an event.
pub(crate) fn of_event(log: &LogId, seq: Seq) -> String {
    encode(LOG, log, Place { key: Key::Integer(seq.0), ties: Vec::new() })
}

/// The place that a cursor names.
pub(crate) fn decode(list: List, log: &LogId, cursor: &str) -> Result<Place, ApiError> {
    let wrong = |what: &str| {
        let source =
            if list == LOG { "an event, an edge of `events` or `headCursor`" } else { "an edge of this very list" };
        ApiError::BadUserInput(format!("this cursor {what}; take one from {source}"))
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong("is malformed"))?;
    let Content(table, order, of, place) = serde_json::from_slice(&bytes).map_err(|_| wrong("is malformed"))?;
    if table != list.table {
        return Err(wrong("belongs to another list"));
    }
    if order != list.order {
        return Err(wrong("belongs to another order of this list"));
    }
    if of != &*log.0 {
        return Err(wrong("belongs to another log: that of another database"));
    }
    // Whoever forges a cursor gets no further: the database would compare a tuple with another form of tuple.
    let is_of_the_order = matches!(place.key, Key::Text(_)) == is_text(list.order) && place.ties.len() == list.ties;
    // One place has one cursor: what was not encoded here is refused.
    if !is_of_the_order || encode(list, log, place.clone()) != cursor {
        return Err(wrong("is malformed"));
    }
    Ok(place)
}

/// Whether an order is one of texts; all others are of numbers.
fn is_text(order: &str) -> bool {
    order == "name_order"
}

/// The event's place that a cursor names.
pub(crate) fn decode_event(log: &LogId, cursor: &str) -> Result<Seq, ApiError> {
    match decode(LOG, log, cursor)? {
        Place { key: Key::Integer(seq), ties } if seq >= 0 && ties.is_empty() => Ok(Seq(seq)),
        _ => Err(ApiError::BadUserInput("this cursor is malformed; take one from an event or `headCursor`".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: List = List { table: "project", order: "name_order", ties: 1 };

    fn log() -> LogId {
        LogId("0123456789abcdef".into())
    }

    fn refusal(list: List, cursor: &str) -> String {
        decode(list, &log(), cursor).unwrap_err().to_string()
    }

    #[test]
    fn a_cursor_of_another_list_order_or_log_is_told_apart() {
        let cursor = of_event(&log(), Seq(7));
        assert_eq!(decode_event(&log(), &cursor), Ok(Seq(7)));
        assert!(refusal(NAMES, &cursor).contains("another list"));
        assert!(refusal(List { order: "last_event_at", ..LOG }, &cursor).contains("another order"));
        let elsewhere = of_event(&LogId("fedcba9876543210".into()), Seq(7));
        assert!(refusal(LOG, &elsewhere).contains("another log"));
        for cursor in ["", "7", "not a cursor", &format!("{cursor}="), &URL_SAFE_NO_PAD.encode("[]")] {
            assert!(refusal(LOG, cursor).contains("malformed"), "{cursor}");
        }
        assert!(decode_event(&log(), &of_event(&log(), Seq(-1))).is_err());
    }

    #[test]
    fn a_forged_cursor_is_refused() {
        let text = || Key::Text("a".to_owned());
        for (list, key, ties) in [
            (NAMES, Key::Integer(1), vec!["1".to_owned()]),
            (NAMES, text(), Vec::new()),
            (NAMES, text(), vec!["1".to_owned(); 40_000]),
            (LOG, text(), Vec::new()),
            (LOG, Key::Integer(1), vec!["1".to_owned()]),
        ] {
            let cursor = encode(list, &log(), Place { key, ties });
            assert!(refusal(list, &cursor).contains("malformed"));
        }
    }

    proptest! {
        #[test]
        fn what_it_encodes_it_decodes(name in ".{0,40}", id in ".{1,20}") {
            let place = Place { key: Key::Text(name), ties: vec![id] };
            let cursor = LazyCursor { log: log(), list: NAMES, place: Some(place.clone()) }.encode();
            prop_assert_eq!(decode(NAMES, &log(), &cursor), Ok(place));
        }

        #[test]
        fn never_panics(cursor in ".{0,60}") {
            let _ = decode(LOG, &log(), &cursor);
        }
    }
}
