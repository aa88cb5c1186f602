//! Batches: what a level of a query asks for one by one is read in one statement.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::Loader;

use super::error::ApiError;
use crate::domain::{Provider, Seq, VendorId};
use crate::store::read::{
    ClientRow, DeliveryRow, DrawingRow, EventRow, PaymentRow, ProjectRow, ProposalRow, client, delivery, drawing,
    event, payment, project, proposal,
};
use crate::store::{Store, StoreError};

/// Reads batches from the database.
pub(crate) struct StoreLoader(Store);

impl StoreLoader {
    pub(crate) const fn new(store: Store) -> Self {
        Self(store)
    }
}

/// A project, by its vendor id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ProjectKey(pub(crate) VendorId);
/// A drawing, by its vendor id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DrawingKey(pub(crate) VendorId);
/// A client, by its vendor id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientKey(pub(crate) VendorId);
/// A proposal, by its vendor and vendor id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ProposalKey(pub(crate) Provider, pub(crate) VendorId);
/// An event, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EventKey(pub(crate) Seq);
/// A delivery, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DeliveryKey(pub(crate) i64);
/// The deliveries of an event, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DeliveriesOf(pub(crate) Seq);
/// A payment, by the place of its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PaymentKey(pub(crate) Seq);
/// The payments on an ArcSite proposal, by its vendor id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PaymentsOf(pub(crate) VendorId);

type Batch<K, V> = Result<HashMap<K, V>, Arc<ApiError>>;

fn one_each<K: Hash + Eq, V>(rows: Result<Vec<V>, StoreError>, key: impl Fn(&V) -> K) -> Batch<K, V> {
    let rows = rows.map_err(|error| Arc::new(ApiError::from(error)))?;
    Ok(rows.into_iter().map(|row| (key(&row), row)).collect())
}

fn many_each<K: Hash + Eq, V>(rows: Result<Vec<V>, StoreError>, key: impl Fn(&V) -> Option<K>) -> Batch<K, Vec<V>> {
    let rows = rows.map_err(|error| Arc::new(ApiError::from(error)))?;
    let mut batch: HashMap<K, Vec<V>> = HashMap::new();
    for row in rows {
        if let Some(key) = key(&row) {
            batch.entry(key).or_default().push(row);
        }
    }
    Ok(batch)
}

impl Loader<ProjectKey> for StoreLoader {
    type Value = ProjectRow;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[ProjectKey]) -> Batch<ProjectKey, ProjectRow> {
        let ids: Vec<VendorId> = keys.iter().map(|key| key.0.clone()).collect();
        one_each(project::by_ids(self.0.reader(), &ids).await, |row| ProjectKey(row.vendor_id.clone()))
    }
}

impl Loader<DrawingKey> for StoreLoader {
    type Value = DrawingRow;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[DrawingKey]) -> Batch<DrawingKey, DrawingRow> {
        let ids: Vec<VendorId> = keys.iter().map(|key| key.0.clone()).collect();
        one_each(drawing::by_ids(self.0.reader(), &ids).await, |row| DrawingKey(row.vendor_id.clone()))
    }
}

impl Loader<ClientKey> for StoreLoader {
    type Value = ClientRow;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[ClientKey]) -> Batch<ClientKey, ClientRow> {
        let ids: Vec<VendorId> = keys.iter().map(|key| key.0.clone()).collect();
        one_each(client::by_ids(self.0.reader(), &ids).await, |row| ClientKey(row.vendor_id.clone()))
    }
}

impl Loader<ProposalKey> for StoreLoader {
    type Value = ProposalRow;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[ProposalKey]) -> Batch<ProposalKey, ProposalRow> {
        let keys: Vec<(Provider, VendorId)> = keys.iter().map(|key| (key.0, key.1.clone())).collect();
        one_each(proposal::by_keys(self.0.reader(), &keys).await, |row| {
            ProposalKey(row.provider, row.vendor_id.clone())
        })
    }
}

impl Loader<EventKey> for StoreLoader {
    type Value = Arc<EventRow>;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[EventKey]) -> Batch<EventKey, Arc<EventRow>> {
        let seqs: Vec<Seq> = keys.iter().map(|key| key.0).collect();
        let rows = event::by_seqs(self.0.reader(), &seqs).await;
        one_each(rows.map(|rows| rows.into_iter().map(Arc::new).collect()), |row: &Arc<EventRow>| EventKey(row.seq))
    }
}

impl Loader<DeliveryKey> for StoreLoader {
    type Value = DeliveryRow;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[DeliveryKey]) -> Batch<DeliveryKey, DeliveryRow> {
        let ids: Vec<i64> = keys.iter().map(|key| key.0).collect();
        one_each(delivery::by_ids(self.0.reader(), &ids).await, |row| DeliveryKey(row.id))
    }
}

impl Loader<DeliveriesOf> for StoreLoader {
    type Value = Vec<DeliveryRow>;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[DeliveriesOf]) -> Batch<DeliveriesOf, Vec<DeliveryRow>> {
        let seqs: Vec<Seq> = keys.iter().map(|key| key.0).collect();
        many_each(delivery::of_events(self.0.reader(), &seqs).await, |row| row.event.map(DeliveriesOf))
    }
}

impl Loader<PaymentKey> for StoreLoader {
    type Value = PaymentRow;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[PaymentKey]) -> Batch<PaymentKey, PaymentRow> {
        let seqs: Vec<Seq> = keys.iter().map(|key| key.0).collect();
        one_each(payment::by_events(self.0.reader(), &seqs).await, |row| PaymentKey(row.event))
    }
}

impl Loader<PaymentsOf> for StoreLoader {
    type Value = Vec<PaymentRow>;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[PaymentsOf]) -> Batch<PaymentsOf, Vec<PaymentRow>> {
        let ids: Vec<VendorId> = keys.iter().map(|key| key.0.clone()).collect();
        many_each(payment::of_proposals(self.0.reader(), &ids).await, |row| {
            Some(PaymentsOf(row.proposal_vendor_id.clone()))
        })
    }
}
