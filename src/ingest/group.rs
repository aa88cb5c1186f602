//! A group: the deliveries that are recorded in one transaction and see each other in it.
//!
//! One read before the first delivery fetches the rows that the group needs, and one write after
//! the last stores its changes. A group therefore costs about as many round trips as one delivery,
//! and holds the write lock that long. Two things still query the database in between: a delivery
//! whose identity is in the log and whose dedup window is limited, and the bodies of repeated
//! events beyond the first 64.

use std::collections::BTreeMap;

use super::record::NormalisedDelivery;
use crate::domain::{Change, DedupWindow, Event, Seq, WebhookId};
use crate::store::files::{FileRecording, NewFiles};
use crate::store::log::DuplicateIndex;
use crate::store::projection::Projections;
use crate::store::{BulkInsert, Store, StoreError, Transaction, webhooks};

/// A transaction under the write lock, with the rows that it will write. Dropping it rolls back.
#[derive(Debug)]
pub struct CommitGroup {
    pub(super) tx: Transaction,
    /// The head of the log when the group began.
    start_seq: Seq,
    /// The head of the log, including the events of the group.
    pub(super) last_seq: Seq,
    /// The greatest delivery id, including the deliveries of the group.
    pub(super) last_delivery_id: i64,
    pub(super) duplicates: DuplicateIndex,
    /// Events and deliveries that are not in the database yet.
    pub(super) unflushed: BulkInsert,
    pub(super) projections: Projections,
    /// The files of the group's events, and fresh links to earlier ones.
    pub(super) files: NewFiles,
    /// The deliveries of each webhook.
    pub(super) webhook_arrivals: BTreeMap<WebhookId, webhooks::Arrivals>,
}

impl CommitGroup {
    /// Begins a group and reads the rows that these deliveries need. Other rows are read on demand.
    pub async fn begin(
        tx: Transaction,
        incoming: &[&NormalisedDelivery],
        recording: FileRecording,
    ) -> Result<Self, StoreError> {
        let (mut duplicates, mut projections) = (DuplicateIndex::default(), Projections::default());
        let mut events: Vec<&Event> = incoming.iter().filter_map(|incoming| incoming.event.as_ref().ok()).collect();
        let identities = || events.iter().map(|event| event.identity.digest.as_str());
        let newest = duplicates.fetch(&tx, events.iter().copied()).await?;
        duplicates.fetch_bodies(&tx, identities()).await?;
        // An event that certainly repeats another changes no projection, but may renew the links of
        // a drawing.
        events.retain(|event| {
            event.identity.dedup_window != DedupWindow::Unlimited
                || duplicates.loaded(&event.identity.digest).is_none()
                || matches!(event.change, Change::Drawing(..))
        });
        projections.fetch(&tx, &events).await?;
        Ok(Self {
            tx,
            start_seq: newest.seq,
            last_seq: newest.seq,
            last_delivery_id: newest.delivery,
            duplicates,
            unflushed: BulkInsert::default(),
            projections,
            files: NewFiles::after(newest.file, recording),
            webhook_arrivals: BTreeMap::new(),
        })
    }

    /// Writes the events and deliveries so far, for statements that must see them.
    pub(super) async fn flush_log(&mut self) -> Result<(), StoreError> {
        self.unflushed.write(&self.tx).await
    }

    /// Writes everything that the group changes.
    pub async fn flush(mut self) -> Result<FlushedGroup, StoreError> {
        self.files.write(&self.tx, &mut self.unflushed).await?;
        self.projections.write(&self.tx, self.unflushed).await?;
        for (webhook, arrivals) in self.webhook_arrivals {
            webhooks::record_deliveries(&self.tx, webhook, arrivals).await?;
        }
        Ok(FlushedGroup { tx: self.tx, start_seq: self.start_seq, last_seq: self.last_seq })
    }
}

/// A group that is written but not committed.
#[derive(Debug)]
pub struct FlushedGroup {
    pub(super) tx: Transaction,
    start_seq: Seq,
    last_seq: Seq,
}

impl FlushedGroup {
    /// Commits the group.
    pub async fn commit(self, store: &Store) -> Result<(), StoreError> {
        store.commit(self.tx, (self.last_seq > self.start_seq).then_some(self.last_seq)).await
    }
}

#[cfg(test)]
mod tests;
