//! Appends to the log.

use entity::event::Model;

use crate::clock::Time;
use crate::domain::{Event, ProposalStatus, Seq, VendorId};
use crate::store::BulkInsert;
use crate::store::sql::convert::to_micros;

/// An event to append, with the properties that it gets when it is recorded.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its seq: the head's plus one, assigned under the write lock.
    pub seq: Seq,
    /// The event, its references completed from the projections.
    pub event: &'a Event,
    /// When its first delivery was received.
    pub received_at: Time,
    /// The `t` of that delivery's signature.
    pub signed_at: Option<i64>,
    /// That delivery's body.
    pub body: &'a str,
}

/// The columns of an event that the projections give it when it is recorded. A rebuild makes them
/// again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// The status that its proposal had just before.
    pub previous_status: Option<ProposalStatus>,
    /// Of a view: the quarter of an hour in which it was, counted since 1970.
    pub view_slot: Option<i64>,
}

/// Adds an event to the batch.
pub fn append(batch: &mut BulkInsert, entry: &Entry<'_>, derived: &Derived) {
    let event = entry.event;
    let id = |id: &Option<VendorId>| id.as_ref().map(|id| id.as_str().to_owned());
    batch.insert(&Model {
        seq: entry.seq.0,
        provider: event.provider.as_str().to_owned(),
        kind: event.kind.as_str().to_owned(),
        vendor_type: event.vendor_type.clone(),
        subject: event.subject.0.clone(),
        identity: event.identity.digest.clone(),
        status: event.status.map(|status| status.as_str().to_owned()),
        occurred_at: event.occurred_at.map(to_micros),
        received_at: to_micros(entry.received_at),
        signed_at: entry.signed_at,
        // No version reads it, but the column allows no null.
        order_key: to_micros(event.state_updated_at.unwrap_or(entry.received_at)),
        proposal_vendor_id: id(&event.references.proposal),
        client_vendor_id: id(&event.references.client),
        project_vendor_id: id(&event.references.project),
        drawing_vendor_id: id(&event.references.drawing),
        body: entry.body.to_owned(),
        previous_status: derived.previous_status.map(|status| status.as_str().to_owned()),
        view_slot: derived.view_slot,
        is_counted: Some(true),
    });
}
