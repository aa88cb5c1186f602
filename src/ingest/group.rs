//! Deliveries that are recorded in one transaction, and see each other in it.
//!
//! What they need of the database is read together before the first, and what they change is written together after the last: a group
//! costs about as many round trips as one delivery, and other nodes wait for the write lock that long. Only where a delivery's identity is
//! known, and equality does not mean sameness for ever, the database is asked some more; and for bodies past the first ones.

use std::collections::BTreeMap;

use super::record::Incoming;
use crate::clock::Time;
use crate::domain::{Event, Sameness, Seq, WebhookId};
use crate::store::log::Twins;
use crate::store::projection::Projections;
use crate::store::{Batch, Store, StoreError, Transaction, webhooks};

/// A transaction under the write lock, and what it is to write. Dropped, it has changed nothing.
#[derive(Debug)]
pub struct Group {
    pub(super) tx: Transaction,
    /// The end of the log when the group began.
    began_at: Seq,
    /// The end of the log, with what the group appends.
    pub(super) event: Seq,
    /// The newest delivery's number, with the group's.
    pub(super) delivery: i64,
    pub(super) twins: Twins,
    /// Events and deliveries that no statement sees yet.
    pub(super) unwritten: Batch,
    pub(super) projections: Projections,
    /// When each webhook delivered.
    pub(super) delivered: BTreeMap<WebhookId, Time>,
}

impl Group {
    /// Begins a group, and reads what these deliveries will need. What else they turn out to need is read then.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn begin(tx: Transaction, incoming: &[&Incoming]) -> Result<Self, StoreError> {
        let (mut twins, mut projections) = (Twins::default(), Projections::default());
        let mut events: Vec<&Event> = incoming.iter().filter_map(|incoming| incoming.content.as_ref().ok()).collect();
        let identities = || events.iter().map(|event| event.identity.digest.as_str());
        let (event, delivery) = twins.fetch(&tx, identities()).await?;
        twins.fetch_bodies(&tx, identities()).await?;
        // What is known to repeat an event changes nothing.
        events.retain(|event| {
            event.identity.sameness != Sameness::Always || twins.known(&event.identity.digest).is_none()
        });
        projections.fetch(&tx, &events).await?;
        Ok(Self {
            tx,
            began_at: event,
            event,
            delivery,
            twins,
            unwritten: Batch::default(),
            projections,
            delivered: BTreeMap::new(),
        })
    }

    /// Writes the events and deliveries so far, for statements that look at them.
    ///
    /// # Errors
    ///
    /// Where the database refuses a value or is not available.
    pub(super) async fn write_log(&mut self) -> Result<(), StoreError> {
        self.unwritten.write(&self.tx).await
    }

    /// Writes all of it.
    ///
    /// # Errors
    ///
    /// Where the database refuses a value or is not available.
    pub async fn write(self) -> Result<Written, StoreError> {
        self.projections.write(&self.tx, self.unwritten).await?;
        for (webhook, at) in self.delivered {
            webhooks::delivered(&self.tx, webhook, at).await?;
        }
        Ok(Written { tx: self.tx, began_at: self.began_at, event: self.event })
    }
}

/// A group that is written and not yet committed.
#[derive(Debug)]
pub struct Written {
    pub(super) tx: Transaction,
    began_at: Seq,
    event: Seq,
}

impl Written {
    /// Commits it. Gives the end of the log.
    ///
    /// # Errors
    ///
    /// Where the database does not say that it has committed.
    pub async fn commit(self, store: &Store) -> Result<Seq, StoreError> {
        store.commit(self.tx, (self.event > self.began_at).then_some(self.event)).await?;
        Ok(self.event)
    }
}

#[cfg(test)]
mod tests;
