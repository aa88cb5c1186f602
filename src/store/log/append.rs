//! Appending to the log.

use entity::event::{ActiveModel, Model};
use sea_orm::{ActiveModelTrait, ConnectionTrait, IntoActiveModel};

use crate::clock::Time;
use crate::domain::{Event, Seq, VendorId};
use crate::store::convert::micros;
use crate::store::{StoreError, batch};

/// An event at its place, with what is known of it only when it is recorded.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its place: one more than the head's, given under the write lock.
    pub seq: Seq,
    /// The event, its references completed from the projections.
    pub event: &'a Event,
    /// When its first delivery came.
    pub received_at: Time,
    /// The `t` of that delivery's signature.
    pub signed_at: Option<i64>,
    /// Where it stands in the order of its subject's state.
    pub order_key: Time,
    /// That delivery's body.
    pub body: &'a str,
}

/// Events that are appended together: few statements for all of them.
#[derive(Debug, Default)]
pub struct NewEvents(Vec<ActiveModel>);

impl NewEvents {
    /// Adds one, at the place past the one before it.
    pub fn push(&mut self, entry: &Entry<'_>) {
        let event = entry.event;
        let id = |id: &Option<VendorId>| id.as_ref().map(|id| id.as_str().to_owned());
        let row = Model {
            seq: entry.seq.0,
            provider: event.provider.as_str().to_owned(),
            kind: event.kind.as_str().to_owned(),
            vendor_type: event.vendor_type.clone(),
            subject: event.subject.0.clone(),
            identity: event.identity.digest.clone(),
            status: event.status.map(|status| status.as_str().to_owned()),
            occurred_at: event.occurred_at.map(micros),
            received_at: micros(entry.received_at),
            signed_at: entry.signed_at,
            order_key: micros(entry.order_key),
            proposal_vendor_id: id(&event.references.proposal),
            client_vendor_id: id(&event.references.client),
            project_vendor_id: id(&event.references.project),
            drawing_vendor_id: id(&event.references.drawing),
            body: entry.body.to_owned(),
        };
        self.0.push(row.into_active_model().reset_all());
    }

    /// Appends those that were added. Until then no statement sees them.
    ///
    /// # Errors
    ///
    /// Where the database refuses one or is not available.
    pub async fn write<C: ConnectionTrait>(&mut self, db: &C) -> Result<(), StoreError> {
        batch::insert(db, std::mem::take(&mut self.0)).await
    }
}
