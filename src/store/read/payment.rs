//! Payments.

use chrono::NaiveDate;

use crate::domain::{Money, Seq, VendorId};
use crate::store::read::Sort;
use crate::store::read::order::{Sortable, sortable};
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
            proposal_vendor_id: VendorId,
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

sortable!(PaymentRow by key event_seq);

impl PaymentRow {
    /// The order in which the payments on a proposal arrived.
    pub const ARRIVAL: Sort = Sort { descending: false, ..Self::DEFAULT_ORDER };
}
