//! Proposals.

use crate::domain::{Money, ProposalStatus, Provider, VendorId};
use crate::store::read::order::sortable;
use crate::store::read::relation::{Parent, Relation};
use crate::store::read::value::{Micros, SqlBool};
use crate::store::sql::json_rows::row;

row! {
    /// A proposal as it is now.
    ProposalRow from "proposal" {
        keys {
            /// The vendor of the proposal.
            provider: Provider,
            /// The vendor's id.
            vendor_id: VendorId,
        }
        columns {
            name: Option<String>,
            description: Option<String>,
            status: Option<ProposalStatus>,
            vendor_status: Option<String>,
            is_draft: Option<SqlBool>,
            owner: Option<String>,
            currency: Option<String>,
            total: Option<Money>,
            one_time_fees: Option<Money>,
            monthly_fees: Option<Money>,
            yearly_fees: Option<Money>,
            tax: Option<Money>,
            tax2: Option<Money>,
            discount: Option<Money>,
            customer_name: Option<String>,
            customer_email: Option<String>,
            client_vendor_id: Option<VendorId>,
            project_vendor_id: Option<VendorId>,
            drawing_vendor_id: Option<VendorId>,
            url: Option<String>,
            app_url: Option<String>,
            created_at: Option<Micros>,
            updated_at: Option<Micros>,
            first_seen_at: Micros,
            last_event_at: Micros,
            sent_at: Option<Micros>,
            first_viewed_at: Option<Micros>,
            last_viewed_at: Option<Micros>,
            view_count: i64,
            decided_at: Option<Micros>,
            /// The sort value of `created_at`: never null.
            created_order: i64,
            /// The sort value of `updated_at`: never null.
            updated_order: i64,
            /// The sort value of `name`: never null.
            name_sort: String,
            /// The sort value of `total`: never null.
            total_order: i64,
        }
    }
}

sortable!(ProposalRow by last_event_at, created_order, updated_order, name_sort, total_order; then provider, vendor_id);

impl Parent for ProposalRow {
    fn child_key(&self) -> String {
        self.vendor_id.as_str().to_owned()
    }

    fn child_relation(&self) -> Relation {
        Relation { column: "proposal_vendor_id", provider: Some(self.provider), is_number: false, only: &[] }
    }
}
