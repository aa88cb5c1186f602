//! Batches: what a level of a query asks for one by one is read in one statement for all that need the same columns.

use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::dataloader::Loader;

mod children;

pub(crate) use children::{ChildrenAsked, ChildrenOf, CountOf};

use super::error::ApiError;
use crate::domain::{Provider, Seq, VendorId};
use crate::store::read::relation::Keyed;
use crate::store::read::{self, DeliveryRow, EventRow, PaymentRow, ProposalRow};
use crate::store::sql::json_rows::Columns;
use crate::store::{Store, StoreError};

/// Reads batches from the database.
pub(crate) struct StoreLoader(pub(crate) Store);

type Batch<K, V> = Result<HashMap<K, V>, Arc<ApiError>>;

fn failed(error: StoreError) -> Arc<ApiError> {
    Arc::new(error.into())
}

/// The keys of one batch, by what they have in common.
fn groups<K: Clone, G: Hash + Eq>(keys: &[K], of: impl Fn(&K) -> G) -> HashMap<G, Vec<K>> {
    let mut groups: HashMap<G, Vec<K>> = HashMap::new();
    for key in keys {
        groups.entry(of(key)).or_default().push(key.clone());
    }
    groups
}

/// A project, drawing or client by its vendor id.
#[derive(Debug)]
pub(crate) struct ById<R> {
    id: VendorId,
    columns: Columns,
    row: PhantomData<fn() -> R>,
}

impl<R> ById<R> {
    pub(crate) const fn new(id: VendorId, columns: Columns) -> Self {
        Self { id, columns, row: PhantomData }
    }
}

impl<R> Clone for ById<R> {
    fn clone(&self) -> Self {
        Self::new(self.id.clone(), self.columns)
    }
}

impl<R> PartialEq for ById<R> {
    fn eq(&self, other: &Self) -> bool {
        self.columns == other.columns && self.id == other.id
    }
}

impl<R> Eq for ById<R> {}

impl<R> Hash for ById<R> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
        self.columns.hash(state);
    }
}

impl<R: Keyed + Clone + Sync + 'static> Loader<ById<R>> for StoreLoader {
    type Value = R;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[ById<R>]) -> Batch<ById<R>, R> {
        let mut batch = HashMap::with_capacity(keys.len());
        for (columns, keys) in groups(keys, |key| key.columns) {
            let ids = keys.into_iter().map(|key| key.id);
            for row in read::by_ids::<R>(self.0.reader(), ids, columns).await.map_err(failed)? {
                batch.insert(ById::new(row.vendor_id().clone(), columns), row);
            }
        }
        Ok(batch)
    }
}

/// A proposal, by its vendor and vendor id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ProposalKey(pub(crate) Provider, pub(crate) VendorId, pub(crate) Columns);

impl Loader<ProposalKey> for StoreLoader {
    type Value = ProposalRow;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[ProposalKey]) -> Batch<ProposalKey, ProposalRow> {
        let mut batch = HashMap::with_capacity(keys.len());
        for (columns, keys) in groups(keys, |key| key.2) {
            let keys: Vec<(Provider, VendorId)> = keys.into_iter().map(|key| (key.0, key.1)).collect();
            for row in read::proposals(self.0.reader(), &keys, columns).await.map_err(failed)? {
                batch.insert(ProposalKey(row.provider, row.vendor_id.clone(), columns), row);
            }
        }
        Ok(batch)
    }
}

/// Defines the loader of rows by a number, one row or all rows of each number.
macro_rules! by_number {
    ($(#[$doc:meta])* $key:ident($number:ty) => one $row:ty, $column:literal, $of:expr, $make:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) struct $key(pub(crate) $number, pub(crate) Columns);

        impl Loader<$key> for StoreLoader {
            type Value = $row;
            type Error = Arc<ApiError>;

            async fn load(&self, keys: &[$key]) -> Batch<$key, $row> {
                let mut batch = HashMap::with_capacity(keys.len());
                for (columns, keys) in groups(keys, |key| key.1) {
                    let numbers = keys.into_iter().map($of);
                    let rows = read::by_numbers(self.0.reader(), $column, numbers, $column, columns).await.map_err(failed)?;
                    batch.extend(rows.into_iter().map(|row| ($make(&row, columns), row)));
                }
                Ok(batch)
            }
        }
    };
}

by_number! {
    /// A delivery, by its number.
    DeliveryKey(i64) => one DeliveryRow, "id", |key: DeliveryKey| key.0,
    |row: &DeliveryRow, columns| DeliveryKey(row.id, columns)
}
by_number! {
    /// A payment, by the place of its event.
    PaymentKey(Seq) => one PaymentRow, "event_seq", |key: PaymentKey| key.0.0,
    |row: &PaymentRow, columns| PaymentKey(row.event_seq, columns)
}

/// An event, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EventKey(pub(crate) Seq, pub(crate) Columns);

impl Loader<EventKey> for StoreLoader {
    type Value = Arc<EventRow>;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[EventKey]) -> Batch<EventKey, Arc<EventRow>> {
        let mut batch = HashMap::with_capacity(keys.len());
        for (columns, keys) in groups(keys, |key| key.1) {
            let numbers = keys.into_iter().map(|key| key.0.0);
            let rows = read::by_numbers::<EventRow>(self.0.reader(), "seq", numbers, "seq", columns).await;
            batch.extend(rows.map_err(failed)?.into_iter().map(|row| (EventKey(row.seq, columns), Arc::new(row))));
        }
        Ok(batch)
    }
}

/// The deliveries of an event, by its place, in the order in which they were recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DeliveriesOf(pub(crate) Seq, pub(crate) Columns);

impl Loader<DeliveriesOf> for StoreLoader {
    type Value = Vec<DeliveryRow>;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[DeliveriesOf]) -> Batch<DeliveriesOf, Vec<DeliveryRow>> {
        let mut batch: HashMap<DeliveriesOf, Vec<DeliveryRow>> = HashMap::new();
        for (asked, keys) in groups(keys, |key| key.1) {
            let columns = asked | DeliveryRow::event_seq;
            let numbers = keys.into_iter().map(|key| key.0.0);
            let rows = read::by_numbers::<DeliveryRow>(self.0.reader(), "event_seq", numbers, "id", columns).await;
            for row in rows.map_err(failed)? {
                if let Some(seq) = row.event_seq {
                    batch.entry(DeliveriesOf(seq, asked)).or_default().push(row);
                }
            }
        }
        Ok(batch)
    }
}

/// The payments on an ArcSite proposal, by its vendor id, in the order in which they came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PaymentsOf(pub(crate) VendorId, pub(crate) Columns);

impl Loader<PaymentsOf> for StoreLoader {
    type Value = Vec<PaymentRow>;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[PaymentsOf]) -> Batch<PaymentsOf, Vec<PaymentRow>> {
        let mut batch: HashMap<PaymentsOf, Vec<PaymentRow>> = HashMap::new();
        for (asked, keys) in groups(keys, |key| key.1) {
            let columns = asked | PaymentRow::proposal_vendor_id;
            let ids = keys.into_iter().map(|key| key.0);
            for row in read::payments_of(self.0.reader(), ids, columns).await.map_err(failed)? {
                let proposal = VendorId::from_stored(row.proposal_vendor_id.clone());
                batch.entry(PaymentsOf(proposal, asked)).or_default().push(row);
            }
        }
        Ok(batch)
    }
}
