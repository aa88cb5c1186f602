//! Events.

use crate::domain::{EventKind, ProposalStatus, Provider, Seq, VendorId};
use crate::store::read::order::sortable;
use crate::store::read::value::Micros;
use crate::store::sql::json_rows::row;

row! {
    /// An event of the log.
    EventRow from "event" with megabytes in body {
        keys {
            /// Its seq.
            seq: Seq,
            /// The vendor that sent it.
            provider: Provider,
            /// Its kind.
            kind: EventKind,
        }
        columns {
            /// The vendor's type of its first delivery.
            vendor_type: String,
            /// The status of the proposal that the event states.
            status: Option<ProposalStatus>,
            occurred_at: Option<Micros>,
            received_at: Micros,
            proposal_vendor_id: Option<VendorId>,
            client_vendor_id: Option<VendorId>,
            project_vendor_id: Option<VendorId>,
            drawing_vendor_id: Option<VendorId>,
            /// The status that its proposal had just before.
            previous_status: Option<ProposalStatus>,
            /// The body of its first delivery.
            body: String,
        }
    }
}

sortable!(EventRow by key seq);
