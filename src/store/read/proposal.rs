//! Proposals.

use crate::domain::{Money, ProposalStatus, Provider, VendorId};
use crate::store::read::value::{Micros, SqlBool};
use crate::store::sql::json_rows::row;

row! {
    /// A proposal as it is now.
    ProposalRow from "proposal" {
        keys {
            /// Whose proposal it is.
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
            url: Option<String>,
            app_url: Option<String>,
            created_at: Option<Micros>,
            updated_at: Option<Micros>,
            first_seen_at: Micros,
            last_event_at: Micros,
            /// What stands for `created_at` in an order.
            created_order: i64,
            /// What stands for `updated_at` in an order.
            updated_order: i64,
            /// What stands for `name` in an order.
            name_order: String,
            /// What stands for `total` in an order.
            total_order: i64,
        }
    }
}
