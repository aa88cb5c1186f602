//! Drawings. A drawing may arrive before its project, so there is no foreign key.

use entity::drawing::Model;

use super::apply_list;
use super::folded::FoldTexts;
use crate::domain::{DrawingChange, VendorId};
use crate::store::StoreError;
use crate::store::log::Entry;
use crate::store::sql::convert::to_micros;
use crate::vendor::links::is_renewal;

/// The row after an event; `None` if the event is older than the stored row.
pub(super) fn apply(
    entry: &Entry<'_>,
    id: &VendorId,
    stored: Option<Model>,
    change: DrawingChange,
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
    change.project_vendor_id.map(VendorId::into_string).apply_to(&mut row.project_vendor_id);
    change.name.apply_to(&mut row.name);
    apply_list(change.tags, &mut row.tags)?;
    change.pdf_url.apply_to(&mut row.pdf_url);
    change.png_url.apply_to(&mut row.png_url);
    change.file_name.apply_to(&mut row.file_name);
    row.fold_texts();
    Ok(Some(row))
}

/// Replaces each link by the same one that is signed to expire later. Returns whether it did.
pub(super) fn renew_links(row: &mut Model, change: &DrawingChange) -> bool {
    let mut is_renewed = false;
    for (stored, link) in [(&mut row.pdf_url, &change.pdf_url), (&mut row.png_url, &change.png_url)] {
        if let (Some(stored), Some(link)) = (stored, link.value())
            && is_renewal(stored, link)
        {
            stored.clone_from(link);
            is_renewed = true;
        }
    }
    is_renewed
}
