//! Projects.

use entity::project::Model;

use super::folded::FoldTexts;
use super::{UNKNOWN_TIME_ORDER, apply_list, merge_nested};
use crate::domain::text::indexable_text;
use crate::domain::{ProjectChange, VendorId};
use crate::store::StoreError;
use crate::store::log::Entry;
use crate::store::sql::convert::to_micros;

/// The row after an event; `None` if the event is older than the stored row.
pub(super) fn apply(
    entry: &Entry<'_>,
    id: &VendorId,
    stored: Option<Model>,
    change: ProjectChange,
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
    change.job_number.apply_to(&mut row.job_number);
    row.job_number_key = row.job_number.clone().and_then(indexable_text);
    apply_list(change.tags, &mut row.tags)?;
    merge_nested(&mut row.customer, |customer| change.customer.merge_into(customer))?;
    merge_nested(&mut row.work_site_address, |address| change.work_site_address.merge_into(address))?;
    merge_nested(&mut row.sales_rep, |sales_rep| change.sales_rep.merge_into(sales_rep))?;
    change.created_at.map(to_micros).apply_to(&mut row.created_at);
    change.updated_at.map(to_micros).apply_to(&mut row.updated_at);
    row.created_order = row.created_at.unwrap_or(row.first_seen_at);
    row.updated_order = row.updated_at.unwrap_or(UNKNOWN_TIME_ORDER);
    row.fold_texts();
    Ok(Some(row))
}
