//! Projects.

use crate::domain::VendorId;
use crate::store::read::order::sortable;
use crate::store::read::relation::parent;
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
            /// The sort value of `created_at`: never null.
            created_order: i64,
            /// The sort value of `updated_at`: never null.
            updated_order: i64,
            /// The sort value of `name`: never null.
            name_sort: String,
        }
    }
}

sortable!(ProjectRow by last_event_at, created_order, updated_order, name_sort; then vendor_id);
parent!(ProjectRow named in "project_vendor_id");
