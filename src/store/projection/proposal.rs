//! Proposals of both vendors.

use entity::proposal::Model;

use super::folded::FoldTexts;
use super::state_order::{StateOrder, cleared_column};
use super::{UNKNOWN_TIME_ORDER, proposal_facts};
use crate::domain::change::StatusChange;
use crate::domain::{Money, ProposalChange, ProposalStatus, VendorId};
use crate::store::StoreError;
use crate::store::log::Entry;
use crate::store::sql::convert::to_micros;

/// The sort value of an unknown amount: less than any.
const UNKNOWN_AMOUNT_ORDER: i64 = i64::MIN;

/// The row after an event; `None` if the event changes nothing.
pub(super) fn apply(
    entry: &Entry<'_>,
    id: &VendorId,
    stored: Option<&Model>,
    change: ProposalChange,
) -> Result<Option<Model>, StoreError> {
    let applied = apply_state(entry, id, stored.cloned(), change)?;
    let Some(mut row) = applied.or_else(|| stored.cloned()) else { return Ok(None) };
    proposal_facts::count(entry, stored, &mut row);
    Ok((stored != Some(&row)).then_some(row))
}

/// The row with the event's state; `None` if the event is older than the stored row.
fn apply_state(
    entry: &Entry<'_>,
    id: &VendorId,
    stored: Option<Model>,
    change: ProposalChange,
) -> Result<Option<Model>, StoreError> {
    let mut row = stored.unwrap_or_else(|| Model {
        provider: entry.event.provider.as_str().to_owned(),
        vendor_id: id.to_string(),
        order_key: UNKNOWN_TIME_ORDER,
        first_seen_at: to_micros(entry.received_at),
        last_event_at: to_micros(entry.received_at),
        ..Model::default()
    });
    let has_earlier_status = has_earlier_status(&row, &change.status);
    let order =
        StateOrder { order_key: &mut row.order_key, signed_order: &mut row.signed_order, cleared: &mut row.cleared };
    let Some(mut merge) = order.admit(entry, has_earlier_status)? else { return Ok(None) };
    if merge.takes("status", row.vendor_status.is_some()) {
        apply_status(change.status, &mut row);
    }
    merge.field("name", change.name, &mut row.name);
    merge.field("description", change.description, &mut row.description);
    merge.field("is_draft", change.is_draft, &mut row.is_draft);
    merge.field("owner", change.owner, &mut row.owner);
    merge.field("currency", change.currency, &mut row.currency);
    for (name, change, column) in [
        ("total", change.total, &mut row.total),
        ("one_time_fees", change.one_time_fees, &mut row.one_time_fees),
        ("monthly_fees", change.monthly_fees, &mut row.monthly_fees),
        ("yearly_fees", change.yearly_fees, &mut row.yearly_fees),
        ("tax", change.tax, &mut row.tax),
        ("tax2", change.tax2, &mut row.tax2),
        ("discount", change.discount, &mut row.discount),
    ] {
        merge.field(name, change.map(|Money(units)| units), column);
    }
    merge.field("customer_name", change.customer_name, &mut row.customer_name);
    merge.field("customer_email", change.customer_email, &mut row.customer_email);
    merge.field("client_vendor_id", change.client_vendor_id.map(VendorId::into_string), &mut row.client_vendor_id);
    merge.field("project_vendor_id", change.project_vendor_id.map(VendorId::into_string), &mut row.project_vendor_id);
    merge.field("drawing_vendor_id", change.drawing_vendor_id.map(VendorId::into_string), &mut row.drawing_vendor_id);
    merge.field("url", change.url, &mut row.url);
    merge.field("app_url", change.app_url, &mut row.app_url);
    merge.field("created_at", change.created_at.map(to_micros), &mut row.created_at);
    merge.field("updated_at", change.updated_at.map(to_micros), &mut row.updated_at);
    row.created_order = row.created_at.unwrap_or(row.first_seen_at);
    row.updated_order = row.updated_at.unwrap_or(UNKNOWN_TIME_ORDER);
    row.total_order = row.total.unwrap_or(UNKNOWN_AMOUNT_ORDER);
    row.cleared = cleared_column(merge)?;
    row.fold_texts();
    Ok(Some(row))
}

/// Whether the event's status comes before the row's in the life of a proposal.
fn has_earlier_status(row: &Model, status: &StatusChange) -> bool {
    match (stored_status(row), status.status()) {
        (Some(stored), Some(incoming)) => incoming.rank() < stored.rank(),
        _ => false,
    }
}

pub(super) fn stored_status(row: &Model) -> Option<ProposalStatus> {
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
