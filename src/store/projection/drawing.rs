//! Drawings. A drawing may come before its project: no foreign key stands in the way.

use entity::drawing::{Entity, Model};
use entity::event::Column as EventColumn;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait};

use super::{Saved, apply_list, names, newest_event, save, tags};
use crate::domain::{DrawingChange, VendorId};
use crate::store::StoreError;
use crate::store::convert::micros;
use crate::store::log::Entry;

pub(super) async fn apply<C: ConnectionTrait>(
    db: &C,
    entry: &Entry<'_>,
    id: &VendorId,
    change: DrawingChange,
) -> Result<Saved, StoreError> {
    let order_key = micros(entry.order_key);
    let stored = Entity::find_by_id(id.as_str()).one(db).await?;
    let is_new = stored.is_none();
    let mut row = match stored {
        Some(row) if order_key < row.order_key => return Ok(Saved::No),
        Some(row) => row,
        None => Model {
            vendor_id: id.as_str().to_owned(),
            project_vendor_id: None,
            name: None,
            tags: None,
            pdf_url: None,
            png_url: None,
            file_name: None,
            order_key,
            first_seen_at: micros(entry.received_at),
            last_event_at: newest_event(db, EventColumn::DrawingVendorId.eq(id.as_str())).await?,
            name_order: String::new(),
            name_folded: String::new(),
        },
    };
    row.order_key = order_key;
    row.last_event_at = Ord::max(row.last_event_at, micros(entry.received_at));
    change.project_vendor_id.map(VendorId::into_string).apply_to(&mut row.project_vendor_id);
    change.name.apply_to(&mut row.name);
    tags::save(db, "drawing_tag", id, &change.tags, is_new).await?;
    apply_list(change.tags, &mut row.tags)?;
    change.pdf_url.apply_to(&mut row.pdf_url);
    change.png_url.apply_to(&mut row.png_url);
    change.file_name.apply_to(&mut row.file_name);
    (row.name_order, row.name_folded) = names(row.name.as_deref());
    save(db, row, is_new).await
}
