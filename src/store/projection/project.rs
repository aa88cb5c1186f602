//! Projects.

use entity::project::Model;

use super::folded::FoldTexts;
use super::state_order::{StateOrder, cleared_column};
use super::{UNKNOWN_TIME_ORDER, merge_nested};
use crate::domain::text::indexable_text;
use crate::domain::{ProjectChange, VendorId};
use crate::store::StoreError;
use crate::store::log::Entry;
use crate::store::sql::convert::{to_json, to_micros};

/// The row after an event; `None` if the event is older than the stored row.
pub(super) fn apply(
    entry: &Entry<'_>,
    id: &VendorId,
    stored: Option<Model>,
    change: ProjectChange,
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
    merge.field("job_number", change.job_number, &mut row.job_number);
    row.job_number_key = row.job_number.clone().and_then(indexable_text);
    merge.field("tags", change.tags.try_map(|tags| to_json(&tags))?, &mut row.tags);
    merge_nested(&mut row.customer, |value| change.customer.merge_into(&mut merge, "customer", value))?;
    merge_nested(&mut row.work_site_address, |value| {
        change.work_site_address.merge_into(&mut merge, "work_site_address", value)
    })?;
    merge_nested(&mut row.sales_rep, |value| change.sales_rep.merge_into(&mut merge, "sales_rep", value))?;
    merge.field("created_at", change.created_at.map(to_micros), &mut row.created_at);
    merge.field("updated_at", change.updated_at.map(to_micros), &mut row.updated_at);
    row.created_order = row.created_at.unwrap_or(row.first_seen_at);
    row.updated_order = row.updated_at.unwrap_or(UNKNOWN_TIME_ORDER);
    row.cleared = cleared_column(merge)?;
    row.fold_texts();
    Ok(Some(row))
}
