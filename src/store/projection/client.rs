//! Clients.

use entity::client::Model;

use super::folded::FoldTexts;
use super::state_order::{StateOrder, cleared_column};
use super::{UNKNOWN_TIME_ORDER, merge_nested};
use crate::domain::{ClientChange, VendorId};
use crate::store::StoreError;
use crate::store::log::Entry;
use crate::store::sql::convert::to_micros;

/// The row after an event; `None` if the event is older than the stored row.
pub(super) fn apply(
    entry: &Entry<'_>,
    id: &VendorId,
    stored: Option<Model>,
    change: ClientChange,
) -> Result<Option<Model>, StoreError> {
    let mut row = stored.unwrap_or_else(|| Model {
        vendor_id: id.to_string(),
        order_key: UNKNOWN_TIME_ORDER,
        first_seen_at: to_micros(entry.received_at),
        last_event_at: to_micros(entry.received_at),
        ..Model::default()
    });
    let order =
        StateOrder { order_key: &mut row.order_key, signed_order: &mut row.signed_order, cleared: &mut row.cleared };
    let Some(mut merge) = order.admit(entry, false)? else { return Ok(None) };
    merge.field("name", change.name, &mut row.name);
    merge.field("first_name", change.first_name, &mut row.first_name);
    merge.field("last_name", change.last_name, &mut row.last_name);
    merge.field("email", change.email, &mut row.email);
    merge.field("phone", change.phone, &mut row.phone);
    merge.field("alt_phone", change.alt_phone, &mut row.alt_phone);
    merge.field("website", change.website, &mut row.website);
    merge.field("address_field_one", change.address_field_one, &mut row.address_field_one);
    merge.field("address_field_two", change.address_field_two, &mut row.address_field_two);
    merge.field("city", change.city, &mut row.city);
    merge.field("state", change.state, &mut row.state);
    merge.field("postal_zip", change.postal_zip, &mut row.postal_zip);
    merge.field("country", change.country, &mut row.country);
    merge.field("notes", change.notes, &mut row.notes);
    merge_nested(&mut row.other_contact, |value| change.other_contact.merge_into(&mut merge, "other_contact", value))?;
    merge.field("url", change.url, &mut row.url);
    merge.field("app_url", change.app_url, &mut row.app_url);
    merge.field("created_at", change.created_at.map(to_micros), &mut row.created_at);
    merge.field("updated_at", change.updated_at.map(to_micros), &mut row.updated_at);
    row.created_order = row.created_at.unwrap_or(row.first_seen_at);
    row.updated_order = row.updated_at.unwrap_or(UNKNOWN_TIME_ORDER);
    row.cleared = cleared_column(merge)?;
    row.fold_texts();
    Ok(Some(row))
}
