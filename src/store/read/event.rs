//! Events.

use crate::domain::{EventKind, ProposalStatus, Provider, Seq, VendorId};
use crate::store::read::value::Micros;
use crate::store::sql::json_rows::row;

row! {
    /// An event of the log.
    EventRow from "event" {
        keys {
            /// Its place.
            seq: Seq,
            /// Who sent it.
            provider: Provider,
            /// What happened.
            kind: EventKind,
        }
        columns {
            /// The vendor's own name it first arrived under.
            vendor_type: String,
            /// A proposal's status, as this event gave it.
            status: Option<ProposalStatus>,
            occurred_at: Option<Micros>,
            received_at: Micros,
            proposal_vendor_id: Option<VendorId>,
            client_vendor_id: Option<VendorId>,
            project_vendor_id: Option<VendorId>,
            drawing_vendor_id: Option<VendorId>,
            /// The body of its first delivery.
            body: String,
        }
    }
}
