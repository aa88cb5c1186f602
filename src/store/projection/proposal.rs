//! Proposals of both vendors.

use entity::proposal::Model;

use super::UNKNOWN_TIME_ORDER;
use super::folded::FoldTexts;
use crate::domain::change::StatusChange;
use crate::domain::{Money, ProposalChange, ProposalStatus, VendorId};
use crate::store::log::Entry;
use crate::store::sql::convert::to_micros;

/// The sort value of an unknown amount: less than any.
const UNKNOWN_AMOUNT_ORDER: i64 = i64::MIN;

/// The row after an event; `None` if the event is older than the stored row.
pub(super) fn apply(entry: &Entry<'_>, id: &VendorId, stored: Option<Model>, change: ProposalChange) -> Option<Model> {
    let order_key = to_micros(entry.order_key);
    let mut row = match stored {
        Some(row) if is_older(&row, order_key, &change.status) => return None,
        Some(row) => row,
        None => Model {
            provider: entry.event.provider.as_str().to_owned(),
            vendor_id: id.to_string(),
            first_seen_at: to_micros(entry.received_at),
            last_event_at: to_micros(entry.received_at),
            ..Model::default()
        },
    };
    row.order_key = order_key;
    apply_status(change.status, &mut row);
    change.name.apply_to(&mut row.name);
    change.description.apply_to(&mut row.description);
    change.is_draft.apply_to(&mut row.is_draft);
    change.owner.apply_to(&mut row.owner);
    change.currency.apply_to(&mut row.currency);
    for (change, column) in [
        (change.total, &mut row.total),
        (change.one_time_fees, &mut row.one_time_fees),
        (change.monthly_fees, &mut row.monthly_fees),
        (change.yearly_fees, &mut row.yearly_fees),
        (change.tax, &mut row.tax),
        (change.tax2, &mut row.tax2),
        (change.discount, &mut row.discount),
    ] {
        change.map(|Money(units)| units).apply_to(column);
    }
    change.customer_name.apply_to(&mut row.customer_name);
    change.customer_email.apply_to(&mut row.customer_email);
    change.client_vendor_id.map(VendorId::into_string).apply_to(&mut row.client_vendor_id);
    change.project_vendor_id.map(VendorId::into_string).apply_to(&mut row.project_vendor_id);
    change.drawing_vendor_id.map(VendorId::into_string).apply_to(&mut row.drawing_vendor_id);
    change.url.apply_to(&mut row.url);
    change.app_url.apply_to(&mut row.app_url);
    change.created_at.map(to_micros).apply_to(&mut row.created_at);
    change.updated_at.map(to_micros).apply_to(&mut row.updated_at);
    row.created_order = row.created_at.unwrap_or(row.first_seen_at);
    row.updated_order = row.updated_at.unwrap_or(UNKNOWN_TIME_ORDER);
    row.total_order = row.total.unwrap_or(UNKNOWN_AMOUNT_ORDER);
    row.fold_texts();
    Some(row)
}

/// Whether the event is older than the row. Of two events at the same time, the one with the later
/// status is newer, else the one that arrived later.
fn is_older(row: &Model, order_key: i64, status: &StatusChange) -> bool {
    if order_key != row.order_key {
        return order_key < row.order_key;
    }
    match (stored_status(row), status.status()) {
        (Some(stored), Some(incoming)) => incoming.rank() < stored.rank(),
        _ => false,
    }
}

fn stored_status(row: &Model) -> Option<ProposalStatus> {
    row.status.as_deref().and_then(ProposalStatus::from_name)
}

fn apply_status(change: StatusChange, row: &mut Model) {
    let (status, word) = match change {
        StatusChange::Missing => return,
        StatusChange::Stated(status, word) => (status, word),
        StatusChange::Implied(status, word) => {
            if row.vendor_status.is_some() && stored_status(row).is_none_or(|stored| stored.rank() >= status.rank()) {
                return;
            }
            (Some(status), word.to_owned())
        }
    };
    row.status = status.map(|status| status.as_str().to_owned());
    row.vendor_status = Some(word);
}
