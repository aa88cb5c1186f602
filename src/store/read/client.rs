//! Clients.

use crate::domain::VendorId;
use crate::store::read::order::sortable;
use crate::store::read::relation::parent;
use crate::store::read::value::Micros;
use crate::store::sql::json_rows::row;

row! {
    /// A client as it is now.
    ClientRow from "client" {
        keys {
            /// Bidsketch's id.
            vendor_id: VendorId,
        }
        columns {
            name: Option<String>,
            first_name: Option<String>,
            last_name: Option<String>,
            email: Option<String>,
            phone: Option<String>,
            alt_phone: Option<String>,
            website: Option<String>,
            address_field_one: Option<String>,
            address_field_two: Option<String>,
            city: Option<String>,
            state: Option<String>,
            postal_zip: Option<String>,
            country: Option<String>,
            notes: Option<String>,
            other_contact: Option<String>,
            url: Option<String>,
            app_url: Option<String>,
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

sortable!(ClientRow by last_event_at, created_order, updated_order, name_sort; then vendor_id);
parent!(ClientRow named in "client_vendor_id");
