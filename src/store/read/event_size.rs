//! The sizes of events.

use crate::domain::Seq;
use crate::store::sql::json_rows::row;

row! {
    /// The size of an event of the log.
    EventSizeRow from "event" {
        keys {
            /// Its seq.
            seq: Seq,
        }
        columns {
            body_bytes: u64,
        }
    }
}
