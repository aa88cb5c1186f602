//! Recording one delivery in a group: its row and, if its event is new, the log and the
//! projections.

use chrono::{DateTime, TimeDelta};

use super::group::CommitGroup;
use super::normalise::NormaliseError;
use super::verify::{Delivery, Verified};
use crate::clock::Time;
use crate::domain::{DedupWindow, DeliveryOutcome, Event, Seq};
use crate::store::deliveries::NewDelivery;
use crate::store::log::Entry;
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
        Err(error) => return Ok(quarantine(group, delivery, error)),
    };
    let vendor_type = event.vendor_type.clone();
    let recorded = append_or_match(group, delivery, event, windows).await?;
    let stored = (recorded.outcome, recorded.body_differs.then(|| delivery.body()));
    insert_delivery(group, delivery, Some(&vendor_type), stored, None, Some(recorded.seq));
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
        return Ok(Recorded { outcome: DeliveryOutcome::Redelivery, seq, body_differs });
    }
    group.projections.complete_references(&group.tx, event.provider, &mut event.references).await?;
    let seq = Seq(group.last_seq.0 + 1);
    let body = std::str::from_utf8(delivery.body())
        .map_err(|error| StoreError::Unreadable(format!("a normalised body: {error}")))?;
    let entry = Entry {
        seq,
        event: &event,
        received_at: delivery.received_at(),
        signed_at: delivery.signed_at(),
        order_key: order_key(&event, delivery.signed_at(), delivery.received_at()),
        body,
    };
    log::append(&mut group.unflushed, &entry);
    group.duplicates.record_appended(&entry)?;
    group.projections.apply(&group.tx, &entry).await?;
    group.last_seq = seq;
    Ok(Recorded { outcome: DeliveryOutcome::Accepted, seq, body_differs: false })
}

/// Stores a delivery that has no event, with its bytes and the reason.
pub fn quarantine(group: &mut CommitGroup, delivery: &Delivery<Verified>, error: &NormaliseError) -> Receipt {
    let stored = (DeliveryOutcome::Quarantined, Some(delivery.body()));
    insert_delivery(group, delivery, error.vendor_type.as_deref(), stored, Some(error), None);
    Receipt { outcome: DeliveryOutcome::Quarantined, delivery: group.last_delivery_id, event: None }
}

fn insert_delivery(
    group: &mut CommitGroup,
    delivery: &Delivery<Verified>,
    vendor_type: Option<&str>,
    (outcome, body): (DeliveryOutcome, Option<&[u8]>),
    error: Option<&NormaliseError>,
    event: Option<Seq>,
) {
    group.last_delivery_id += 1;
    let new = NewDelivery {
        id: group.last_delivery_id,
        provider: delivery.provider(),
        vendor_type,
        received_at: delivery.received_at(),
        signed_at: delivery.signed_at(),
        outcome,
        quarantine: error.map(|error| (error.reason, error.detail.as_str())),
        body,
        event,
    };
    deliveries::insert(&mut group.unflushed, &new);
    if let Some(webhook) = delivery.webhook() {
        group.webhook_delivered_at.insert(webhook, delivery.received_at());
    }
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
    let Some(prior) = group.duplicates.newest(&group.tx, &event.identity.digest).await? else { return Ok(None) };
    if event.identity.dedup_window == DedupWindow::Unlimited {
        return Ok(Some(prior.seq));
    }
    // The queries below must see the events and deliveries of this group.
    group.flush_log().await?;
    let tx = &group.tx;
    // Equal bytes with an equal signature time: a retry that was not signed again, however late.
    if let Some(t) = delivery.signed_at()
        && let Some(seq) = deliveries::event_signed_at(tx, &event.identity.digest, t).await?
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

/// The vendor's time of the state, else the signature's time, else the time of receipt.
pub(super) fn order_key(event: &Event, signed_at: Option<i64>, received_at: Time) -> Time {
    let signed_at = signed_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    event.state_updated_at.or(signed_at).unwrap_or(received_at)
}
