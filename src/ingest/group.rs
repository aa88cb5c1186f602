//! Deliveries that are recorded in one transaction, and see each other in it.
//!
//! What they need of the database is read together before the first, and what they change is written together after the last: a group
//! costs about as many round trips as one delivery, and other nodes wait for the write lock that long. Only where a delivery's identity is
//! known, and equality does not mean sameness for ever, the database is asked some more; and for bodies past the first ones.

use std::collections::BTreeMap;

use super::record::NormalisedDelivery;
use crate::clock::Time;
use crate::domain::{DedupWindow, Event, Seq, WebhookId};
use crate::store::log::DuplicateIndex;
use crate::store::projection::Projections;
use crate::store::{BulkInsert, Store, StoreError, Transaction, webhooks};

/// A transaction under the write lock, and what it is to write. Dropped, it has changed nothing.
#[derive(Debug)]
pub struct CommitGroup {
    pub(super) tx: Transaction,
    /// The end of the log when the group began.
    start_seq: Seq,
    /// The end of the log, with what the group appends.
    pub(super) last_seq: Seq,
    /// The newest delivery's number, with the group's.
    pub(super) last_delivery_id: i64,
    pub(super) duplicates: DuplicateIndex,
    /// Events and deliveries that no statement sees yet.
    pub(super) unflushed: BulkInsert,
    pub(super) projections: Projections,
    /// When each webhook delivered.
    pub(super) webhook_delivered_at: BTreeMap<WebhookId, Time>,
}

impl CommitGroup {
    /// Begins a group, and reads what these deliveries will need. What else they turn out to need is read then.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn begin(tx: Transaction, incoming: &[&NormalisedDelivery]) -> Result<Self, StoreError> {
        let (mut twins, mut projections) = (DuplicateIndex::default(), Projections::default());
        let mut events: Vec<&Event> = incoming.iter().filter_map(|incoming| incoming.event.as_ref().ok()).collect();
        let identities = || events.iter().map(|event| event.identity.digest.as_str());
        let (event, delivery) = twins.fetch(&tx, identities()).await?;
        twins.fetch_bodies(&tx, identities()).await?;
        // What is known to repeat an event changes nothing.
        events.retain(|event| {
            event.identity.dedup_window != DedupWindow::Unlimited || twins.loaded(&event.identity.digest).is_none()
        });
        projections.fetch(&tx, &events).await?;
        Ok(Self {
            tx,
            start_seq: event,
            last_seq: event,
            last_delivery_id: delivery,
            duplicates: twins,
            unflushed: BulkInsert::default(),
            projections,
            webhook_delivered_at: BTreeMap::new(),
        })
    }

    /// Writes the events and deliveries so far, for statements that look at them.
    ///
    /// # Errors
    ///
    /// Where the database refuses a value or is not available.
    pub(super) async fn flush_log(&mut self) -> Result<(), StoreError> {
        self.unflushed.write(&self.tx).await
    }

    /// Writes all of it.
    ///
    /// # Errors
    ///
    /// Where the database refuses a value or is not available.
    pub async fn flush(self) -> Result<FlushedGroup, StoreError> {
        self.projections.write(&self.tx, self.unflushed).await?;
        for (webhook, at) in self.webhook_delivered_at {
            webhooks::record_delivery(&self.tx, webhook, at).await?;
        }
        Ok(FlushedGroup { tx: self.tx, start_seq: self.start_seq, last_seq: self.last_seq })
    }
}

/// A group that is written and not yet committed.
#[derive(Debug)]
pub struct FlushedGroup {
    pub(super) tx: Transaction,
    start_seq: Seq,
    last_seq: Seq,
}

impl FlushedGroup {
    /// Commits it. Gives the end of the log.
    ///
    /// # Errors
    ///
    /// Where the database does not say that it has committed.
    pub async fn commit(self, store: &Store) -> Result<Seq, StoreError> {
        store.commit(self.tx, (self.last_seq > self.start_seq).then_some(self.last_seq)).await?;
        Ok(self.last_seq)
    }
}

#[cfg(test)]
mod tests;
