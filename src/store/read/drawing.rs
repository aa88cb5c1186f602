//! Drawings.

use crate::domain::VendorId;
use crate::store::read::order::sortable;
use crate::store::read::relation::parent;
use crate::store::read::value::Micros;
use crate::store::sql::json_rows::row;

row! {
    /// A drawing as it is now.
    DrawingRow from "drawing" {
        keys {
            /// ArcSite's id.
            vendor_id: VendorId,
        }
        columns {
            project_vendor_id: Option<VendorId>,
            name: Option<String>,
            tags: Option<String>,
            pdf_url: Option<String>,
            png_url: Option<String>,
            file_name: Option<String>,
            first_seen_at: Micros,
            last_event_at: Micros,
            /// The sort value of `name`: never null.
            name_sort: String,
        }
    }
}

sortable!(DrawingRow by last_event_at, first_seen_at, name_sort; then vendor_id);
parent!(DrawingRow named in "drawing_vendor_id");
