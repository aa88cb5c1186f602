//! Clients.

use entity::client::Model;

use super::folded::FoldTexts;
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
    let order_key = to_micros(entry.order_key);
    let mut row = match stored {
        Some(row) if order_key < row.order_key => return Ok(None),
        Some(row) => row,
        None => Model {
            vendor_id: id.to_string(),
            first_seen_at: to_micros(entry.received_at),
            last_event_at: to_micros(entry.received_at),
            ..Model::default()
        },
    };
    row.order_key = order_key;
    change.name.apply_to(&mut row.name);
    change.first_name.apply_to(&mut row.first_name);
    change.last_name.apply_to(&mut row.last_name);
    change.email.apply_to(&mut row.email);
    change.phone.apply_to(&mut row.phone);
    change.alt_phone.apply_to(&mut row.alt_phone);
    change.website.apply_to(&mut row.website);
    change.address_field_one.apply_to(&mut row.address_field_one);
    change.address_field_two.apply_to(&mut row.address_field_two);
    change.city.apply_to(&mut row.city);
    change.state.apply_to(&mut row.state);
    change.postal_zip.apply_to(&mut row.postal_zip);
    change.country.apply_to(&mut row.country);
    change.notes.apply_to(&mut row.notes);
    merge_nested(&mut row.other_contact, |contact| change.other_contact.merge_into(contact))?;
    change.url.apply_to(&mut row.url);
    change.app_url.apply_to(&mut row.app_url);
    change.created_at.map(to_micros).apply_to(&mut row.created_at);
    change.updated_at.map(to_micros).apply_to(&mut row.updated_at);
    row.created_order = row.created_at.unwrap_or(row.first_seen_at);
    row.updated_order = row.updated_at.unwrap_or(UNKNOWN_TIME_ORDER);
    row.fold_texts();
    Ok(Some(row))
}
