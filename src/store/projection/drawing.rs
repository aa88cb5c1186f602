//! Drawings. A drawing may arrive before its project, so there is no foreign key.

use entity::drawing::Model;

use super::UNKNOWN_TIME_ORDER;
use super::folded::FoldTexts;
use super::state_order::{StateOrder, cleared_column};
use crate::domain::{DrawingChange, VendorId};
use crate::store::StoreError;
use crate::store::log::Entry;
use crate::store::sql::convert::{to_json, to_micros};
use crate::vendor::links::is_renewal;

/// The row after an event; `None` if the event is older than the stored row.
pub(super) fn apply(
    entry: &Entry<'_>,
    id: &VendorId,
    stored: Option<Model>,
    change: DrawingChange,
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
    merge.field("project_vendor_id", change.project_vendor_id.map(VendorId::into_string), &mut row.project_vendor_id);
    merge.field("name", change.name, &mut row.name);
    merge.field("tags", change.tags.try_map(|tags| to_json(&tags))?, &mut row.tags);
    merge.field("pdf_url", change.pdf_url, &mut row.pdf_url);
    merge.field("png_url", change.png_url, &mut row.png_url);
    merge.field("file_name", change.file_name, &mut row.file_name);
    row.cleared = cleared_column(merge)?;
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
