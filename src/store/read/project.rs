//! Projects.

use crate::domain::VendorId;
use crate::store::read::value::Micros;
use crate::store::sql::json_rows::row;

row! {
    /// A project as it is now.
    ProjectRow from "project" {
        keys {
            /// ArcSite's id.
            vendor_id: VendorId,
        }
        columns {
            name: Option<String>,
            job_number: Option<String>,
            tags: Option<String>,
            customer: Option<String>,
            work_site_address: Option<String>,
            sales_rep: Option<String>,
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
        }
    }
}
