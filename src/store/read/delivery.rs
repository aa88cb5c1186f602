//! Deliveries.

use crate::domain::{Outcome, Provider, QuarantineReason, Seq};
use crate::store::read::value::{HexBytes, Micros};
use crate::store::sql::json_rows::row;

row! {
    /// A delivery that was answered 200.
    DeliveryRow from "delivery" with bytes in body {
        keys {
            /// Its number.
            id: i64,
            /// Who sent it.
            provider: Provider,
            /// What became of it.
            outcome: Outcome,
        }
        columns {
            vendor_type: Option<String>,
            received_at: Micros,
            quarantine_reason: Option<QuarantineReason>,
            detail: Option<String>,
            event_seq: Option<Seq>,
            /// Its bytes, where they are not those of its event's body.
            body: Option<HexBytes>,
        }
    }
}
