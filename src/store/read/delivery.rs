//! Deliveries.

use crate::domain::{DeliveryOutcome, Provider, QuarantineReason, Seq};
use crate::store::read::Sort;
use crate::store::read::order::{Sortable, sortable};
use crate::store::read::value::{HexBytes, Micros};
use crate::store::sql::json_rows::row;

row! {
    /// A delivery that was answered 200.
    DeliveryRow from "delivery" with bytes in body with megabytes in body {
        keys {
            /// Its number.
            id: i64,
            /// The vendor that sent it.
            provider: Provider,
            /// Its outcome.
            outcome: DeliveryOutcome,
        }
        columns {
            vendor_type: Option<String>,
            received_at: Micros,
            quarantine_reason: Option<QuarantineReason>,
            detail: Option<String>,
            event_seq: Option<Seq>,
            /// The received bytes, unless the event has an equal body.
            body: Option<HexBytes>,
            /// The headers that matter, as JSON.
            headers: Option<String>,
            /// The number of bytes received; none if an earlier version stored it.
            size_bytes: Option<i64>,
        }
    }
}

sortable!(DeliveryRow by key id);

impl DeliveryRow {
    /// The order in which the deliveries of an event arrived.
    pub const ARRIVAL: Sort = Sort { descending: false, ..Self::DEFAULT_ORDER };
}
