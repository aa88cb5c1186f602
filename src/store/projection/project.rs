//! Projects.

use entity::event::Column as EventColumn;
use entity::project::{Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait};

use super::{NEVER, Saved, apply_list, merge_nested, names, newest_event, save, tags};
use crate::domain::text::search_key;
use crate::domain::{ProjectChange, VendorId};
use crate::store::StoreError;
use crate::store::convert::micros;
use crate::store::log::Entry;

pub(super) async fn apply<C: ConnectionTrait>(
    db: &C,
    entry: &Entry<'_>,
    id: &VendorId,
    change: ProjectChange,
) -> Result<Saved, StoreError> {
    let order_key = micros(entry.order_key);
    let stored = Entity::find_by_id(id.as_str()).one(db).await?;
    let is_new = stored.is_none();
    let mut row = match stored {
        Some(row) if order_key < row.order_key => return Ok(Saved::No),
        Some(row) => row,
        None => Model {
            vendor_id: id.as_str().to_owned(),
            name: None,
            job_number: None,
            tags: None,
            customer: None,
            work_site_address: None,
            sales_rep: None,
            created_at: None,
            updated_at: None,
            order_key,
            first_seen_at: micros(entry.received_at),
            last_event_at: newest_event(db, EventColumn::ProjectVendorId.eq(id.as_str())).await?,
            created_order: 0,
            updated_order: 0,
            name_order: String::new(),
            name_folded: String::new(),
            job_number_key: None,
        },
    };
    row.order_key = order_key;
    row.last_event_at = Ord::max(row.last_event_at, micros(entry.received_at));
    change.name.apply_to(&mut row.name);
    change.job_number.apply_to(&mut row.job_number);
    row.job_number_key = row.job_number.clone().and_then(search_key);
    tags::save(db, "project_tag", id, &change.tags, is_new).await?;
    apply_list(change.tags, &mut row.tags)?;
    merge_nested(&mut row.customer, |customer| change.customer.merge_into(customer))?;
    merge_nested(&mut row.work_site_address, |address| change.work_site_address.merge_into(address))?;
    merge_nested(&mut row.sales_rep, |sales_rep| change.sales_rep.merge_into(sales_rep))?;
    change.created_at.map(micros).apply_to(&mut row.created_at);
    change.updated_at.map(micros).apply_to(&mut row.updated_at);
    row.created_order = row.created_at.unwrap_or(row.first_seen_at);
    row.updated_order = row.updated_at.unwrap_or(NEVER);
    (row.name_order, row.name_folded) = names(row.name.as_deref());
    save(db, row, is_new).await
}
