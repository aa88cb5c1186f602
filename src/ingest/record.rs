//! Recording one delivery in a group: its row, and where it is a new event, the log and the projections.

use chrono::{DateTime, TimeDelta};

use super::group::CommitGroup;
use super::normalise::NormaliseError;
use super::verify::{Delivery, Verified};
use crate::clock::Time;
use crate::domain::{DedupWindow, Event, Outcome, Seq};
use crate::store::deliveries::NewDelivery;
use crate::store::log::Entry;
use crate::store::{StoreError, deliveries, log};

/// How long an equal delivery is taken for a redelivery.
#[derive(Clone, Copy, Debug)]
pub struct DedupWindowLengths {
    /// Of a state without a time: counted from the event's first delivery.
    pub state: TimeDelta,
    /// Of an occurrence: counted from the event's last delivery.
    pub occurrence: TimeDelta,
}

/// A delivery with what it says.
#[derive(Debug)]
pub struct NormalisedDelivery {
    /// The delivery.
    pub delivery: Delivery<Verified>,
    /// Its event, or why it has none.
    pub event: Result<Event, NormaliseError>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What became of it.
    pub outcome: Outcome,
    /// The event it made or repeats.
    pub event: Option<Seq>,
}

/// Records one delivery.
///
/// # Errors
///
/// Where the database refuses a value or is not available; the transaction is of no more use then.
pub async fn record(
    group: &mut CommitGroup,
    incoming: &NormalisedDelivery,
    windows: DedupWindowLengths,
) -> Result<Receipt, StoreError> {
    let delivery = &incoming.delivery;
    let event = match &incoming.event {
        Ok(event) => event.clone(),
        Err(unfit) => return Ok(quarantine(group, delivery, unfit)),
    };
    let vendor_type = event.vendor_type.clone();
    let placed = append_or_match(group, delivery, event, windows).await?;
    let kept = (placed.outcome, placed.body_differs.then(|| delivery.body()));
    insert_delivery(group, delivery, Some(&vendor_type), kept, None, Some(placed.seq));
    Ok(Receipt { outcome: placed.outcome, event: Some(placed.seq) })
}

/// Where a delivery's event stands in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recorded {
    /// Whether the event is new.
    pub(super) outcome: Outcome,
    /// Its place.
    pub(super) seq: Seq,
    /// Whether the delivery's bytes are others than those that the event holds.
    pub(super) body_differs: bool,
}

/// Finds the event that a delivery repeats, or appends its own.
pub(super) async fn append_or_match(
    group: &mut CommitGroup,
    delivery: &Delivery<Verified>,
    mut event: Event,
    windows: DedupWindowLengths,
) -> Result<Recorded, StoreError> {
    if let Some(seq) = find_repeated_event(group, delivery, &event, windows).await? {
        let body_differs = body_differs(group, seq, delivery.body()).await?;
        return Ok(Recorded { outcome: Outcome::Redelivery, seq: seq, body_differs });
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
    Ok(Recorded { outcome: Outcome::Accepted, seq: seq, body_differs: false })
}

/// Keeps a delivery that has no event, with its bytes and the reason.
pub fn quarantine(group: &mut CommitGroup, delivery: &Delivery<Verified>, unfit: &NormaliseError) -> Receipt {
    let kept = (Outcome::Quarantined, Some(delivery.body()));
    insert_delivery(group, delivery, unfit.vendor_type.as_deref(), kept, Some(unfit), None);
    Receipt { outcome: Outcome::Quarantined, event: None }
}

fn insert_delivery(
    group: &mut CommitGroup,
    taken: &Delivery<Verified>,
    vendor_type: Option<&str>,
    (outcome, body): (Outcome, Option<&[u8]>),
    unfit: Option<&NormaliseError>,
    event: Option<Seq>,
) {
    group.last_delivery_id += 1;
    let new = NewDelivery {
        id: group.last_delivery_id,
        provider: taken.provider(),
        vendor_type,
        received_at: taken.received_at(),
        signed_at: taken.signed_at(),
        outcome,
        quarantine: unfit.map(|unfit| (unfit.reason, unfit.detail.as_str())),
        body,
        event,
    };
    deliveries::insert(&mut group.unflushed, &new);
    if let Some(webhook) = taken.webhook() {
        group.webhook_delivered_at.insert(webhook, taken.received_at());
    }
}

/// Whether an event holds other bytes than these.
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
    let Some(twin) = group.duplicates.newest(&group.tx, &event.identity.digest).await? else { return Ok(None) };
    if event.identity.dedup_window == DedupWindow::Unlimited {
        return Ok(Some(twin.seq));
    }
    // What follows looks at events and deliveries, and some of this group may be among them.
    group.flush_log().await?;
    let tx = &group.tx;
    // The very bytes signed at the very second: a retry that was not signed anew, however late it comes.
    if let Some(t) = delivery.signed_at()
        && let Some(seq) = deliveries::event_signed_at(tx, &event.identity.digest, t).await?
    {
        return Ok(Some(seq));
    }
    // A released delivery may be older than its twin: what counts is how far apart they came.
    let now = delivery.received_at();
    let same = match event.identity.dedup_window {
        DedupWindow::Unlimited => true,
        DedupWindow::UntilSubjectChanges => {
            now.signed_duration_since(twin.received_at).abs() <= windows.state
                && !log::subject_changed_since(tx, event.provider, &event.subject, twin.seq).await?
        }
        DedupWindow::SinceLastDelivery => {
            let last = deliveries::last_received_at(tx, twin.seq).await?.unwrap_or(twin.received_at);
            now.signed_duration_since(last).abs() <= windows.occurrence
        }
    };
    Ok(same.then_some(twin.seq))
}

/// The vendor's time of the state where it gives one, else when it was signed, else when it came.
pub(super) fn order_key(event: &Event, signed_at: Option<i64>, received_at: Time) -> Time {
    let signed_at = signed_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    event.state_updated_at.or(signed_at).unwrap_or(received_at)
}
