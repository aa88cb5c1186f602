//! Recording one delivery in a group: its row and, if its event is new, the log and the
//! projections.

use chrono::TimeDelta;

use super::group::CommitGroup;
use super::normalise::NormaliseError;
use super::verify::{Delivery, Verified};
use crate::domain::{DedupWindow, DeliveryOutcome, Event, Seq};
use crate::store::deliveries::NewDelivery;
use crate::store::files::Links;
use crate::store::log::Entry;
use crate::store::webhooks::Arrivals;
use crate::store::{StoreError, deliveries, log};

/// How long an equal delivery counts as a redelivery.
#[derive(Clone, Copy, Debug)]
pub struct DedupWindowLengths {
    /// For a state without a time. Counted from the event's first delivery.
    pub state: TimeDelta,
    /// For an occurrence. Counted from the event's last delivery.
    pub occurrence: TimeDelta,
}

/// A delivery with its event.
#[derive(Debug)]
pub struct NormalisedDelivery {
    /// The verified delivery.
    pub delivery: Delivery<Verified>,
    /// Its event, or why it has none.
    pub event: Result<Event, NormaliseError>,
}

/// The result of recording a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whether the event is new, repeated or quarantined.
    pub outcome: DeliveryOutcome,
    /// The id of the delivery's row.
    pub delivery: i64,
    /// The event that it made or repeats.
    pub event: Option<Seq>,
}

/// Records one delivery.
///
/// # Errors
///
/// After an error the transaction cannot be used any more.
pub async fn record(
    group: &mut CommitGroup,
    incoming: &NormalisedDelivery,
    windows: DedupWindowLengths,
) -> Result<Receipt, StoreError> {
    let delivery = &incoming.delivery;
    let event = match &incoming.event {
        Ok(event) => event.clone(),
        Err(error) => return quarantine(group, delivery, error),
    };
    let (vendor_type, unread) = (event.vendor_type.clone(), event.unread.clone());
    let recorded = append_or_match(group, delivery, event, windows).await?;
    let row = NewDelivery {
        vendor_type: Some(&vendor_type),
        detail: unread.as_deref(),
        body: recorded.body_differs.then(|| delivery.body()),
        event: Some(recorded.seq),
        links_renewed_after: recorded.links_renewed_after,
        ..delivery_row(delivery, recorded.outcome)
    };
    insert_delivery(group, delivery, row)?;
    Ok(Receipt { outcome: recorded.outcome, delivery: group.last_delivery_id, event: Some(recorded.seq) })
}

/// A delivery's event in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recorded {
    /// Whether the event is new.
    pub(super) outcome: DeliveryOutcome,
    /// Its position in the log.
    pub(super) seq: Seq,
    /// Whether the delivery's bytes differ from those of the event.
    pub(super) body_differs: bool,
    /// If the delivery is a redelivery that renewed links: the newest event at that time.
    pub(super) links_renewed_after: Option<Seq>,
}

/// Finds the event that a delivery repeats, or appends its event to the log.
pub(super) async fn append_or_match(
    group: &mut CommitGroup,
    delivery: &Delivery<Verified>,
    mut event: Event,
    windows: DedupWindowLengths,
) -> Result<Recorded, StoreError> {
    if let Some(seq) = find_repeated_event(group, delivery, &event, windows).await? {
        let body_differs = body_differs(group, seq, delivery.body()).await?;
        let is_renewed = group.projections.renew_links(&group.tx, &event.change).await?;
        let links_renewed_after = is_renewed.then_some(group.last_seq);
        group.files.record(&event.files, delivery.received_at(), Links::Repeated(seq));
        return Ok(Recorded { outcome: DeliveryOutcome::Redelivery, seq, body_differs, links_renewed_after });
    }
    group.projections.complete_references(&group.tx, event.provider, &mut event.references).await?;
    event.distrust_time_ahead(delivery.received_at());
    let seq = Seq(group.last_seq.0 + 1);
    let body =
        delivery.text().map_err(|error| StoreError::Unreadable(format!("a normalised body: {}", error.detail)))?;
    let entry =
        Entry { seq, event: &event, received_at: delivery.received_at(), signed_at: delivery.signed_at(), body };
    let derived = group.projections.apply(&group.tx, &entry).await?;
    log::append(&mut group.unflushed, &entry, &derived);
    group.duplicates.record_appended(&entry)?;
    group.files.record(&event.files, delivery.received_at(), Links::New(seq));
    group.last_seq = seq;
    let body_differs = delivery.body() != body.as_bytes();
    Ok(Recorded { outcome: DeliveryOutcome::Accepted, seq, body_differs, links_renewed_after: None })
}

/// Stores a delivery that has no event, with its bytes and the reason.
pub fn quarantine(
    group: &mut CommitGroup,
    delivery: &Delivery<Verified>,
    error: &NormaliseError,
) -> Result<Receipt, StoreError> {
    let row = NewDelivery {
        vendor_type: error.vendor_type.as_deref(),
        quarantine_reason: Some(error.reason),
        detail: Some(&error.detail),
        body: Some(delivery.body()),
        ..delivery_row(delivery, DeliveryOutcome::Quarantined)
    };
    insert_delivery(group, delivery, row)?;
    Ok(Receipt { outcome: DeliveryOutcome::Quarantined, delivery: group.last_delivery_id, event: None })
}

/// The row of a delivery as it was sent. It gets its number in [`insert_delivery`].
fn delivery_row(delivery: &Delivery<Verified>, outcome: DeliveryOutcome) -> NewDelivery<'_> {
    NewDelivery {
        id: 0,
        provider: delivery.provider(),
        vendor_type: None,
        received_at: delivery.received_at(),
        signed_at: delivery.signed_at(),
        outcome,
        quarantine_reason: None,
        detail: None,
        headers: delivery.headers(),
        size_bytes: delivery.body().len(),
        body: None,
        event: None,
        links_renewed_after: None,
    }
}

fn insert_delivery(
    group: &mut CommitGroup,
    delivery: &Delivery<Verified>,
    row: NewDelivery<'_>,
) -> Result<(), StoreError> {
    group.last_delivery_id += 1;
    deliveries::insert(&mut group.unflushed, &NewDelivery { id: group.last_delivery_id, ..row })?;
    if let Some(webhook) = delivery.webhook() {
        let last_at = delivery.received_at();
        let arrivals = group.webhook_arrivals.entry(webhook).or_insert(Arrivals { count: 0, last_at });
        *arrivals = Arrivals { count: arrivals.count + 1, last_at };
    }
    Ok(())
}

/// Whether an event's bytes differ from these.
async fn body_differs(group: &CommitGroup, seq: Seq, body: &[u8]) -> Result<bool, StoreError> {
    if let Some(first) = group.duplicates.loaded_body(seq) {
        return Ok(first.as_bytes() != body);
    }
    let first = log::event_body(&group.tx, seq).await?;
    Ok(first.as_deref().map(str::as_bytes) != Some(body))
}

/// The event that this delivery repeats, if it repeats one.
async fn find_repeated_event(
    group: &mut CommitGroup,
    delivery: &Delivery<Verified>,
    event: &Event,
    windows: DedupWindowLengths,
) -> Result<Option<Seq>, StoreError> {
    let Some(prior) = group.duplicates.newest(&group.tx, event).await? else { return Ok(None) };
    if event.identity.dedup_window == DedupWindow::Unlimited {
        return Ok(Some(prior.seq));
    }
    // The queries below must see the events and deliveries of this group.
    group.flush_log().await?;
    let tx = &group.tx;
    // Equal bytes with an equal signature time: a retry that was not signed again, however late.
    if let Some(t) = delivery.signed_at()
        && let Some(seq) = deliveries::event_signed_at(tx, event, t).await?
    {
        return Ok(Some(seq));
    }
    // A released delivery may be older than the prior event. The distance in time counts, not the
    // order.
    let now = delivery.received_at();
    let is_repeated = match event.identity.dedup_window {
        DedupWindow::Unlimited => true,
        DedupWindow::UntilSubjectChanges => {
            now.signed_duration_since(prior.received_at).abs() <= windows.state
                && !log::subject_changed_since(tx, event.provider, &event.subject, prior.seq).await?
        }
        DedupWindow::SinceLastDelivery => {
            let last = deliveries::last_received_at(tx, prior.seq).await?.unwrap_or(prior.received_at);
            now.signed_duration_since(last).abs() <= windows.occurrence
        }
    };
    Ok(is_repeated.then_some(prior.seq))
}

#[cfg(test)]
mod tests;
