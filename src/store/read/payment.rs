//! Payments.

use chrono::NaiveDate;

use crate::domain::{Money, Seq};
use crate::store::read::value::Micros;
use crate::store::sql::json_rows::row;

row! {
    /// A payment on an ArcSite proposal.
    PaymentRow from "payment" {
        keys {
            /// The seq of its event.
            event_seq: Seq,
        }
        columns {
            proposal_vendor_id: String,
            amount: Money,
            channel: String,
            method: Option<String>,
            paid_at: Option<Micros>,
            /// A bare date, `YYYY-MM-DD`.
            paid_on: Option<NaiveDate>,
            received_at: Micros,
        }
    }
}
