//! Batches: the keys that the objects of a level request one by one are read in one statement for
//! each set of columns.

use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::dataloader::Loader;

mod children;

pub(crate) use children::{ChildCountKey, ChildPageKey, ChildPageQuery};

use super::error::ApiError;
use crate::domain::{FileId, Money, Provider, Seq, VendorId};
use crate::store::read::relation::HasVendorId;
use crate::store::read::{self, DeliveryRow, EventRow, FileRow, PaymentRow, ProposalRow};
use crate::store::sql::json_rows::Columns;
use crate::store::{Reader, StoreError};

/// Reads batches from the database.
pub(crate) struct StoreLoader(pub(crate) Reader);

type LoadResult<K, V> = Result<HashMap<K, V>, Arc<ApiError>>;

fn load_error(error: StoreError) -> Arc<ApiError> {
    Arc::new(error.into())
}

/// The keys of one batch, grouped by a common part.
fn group_by<K: Clone, G: Hash + Eq>(keys: &[K], common_part: impl Fn(&K) -> G) -> HashMap<G, Vec<K>> {
    let mut groups: HashMap<G, Vec<K>> = HashMap::new();
    for key in keys {
        groups.entry(common_part(key)).or_default().push(key.clone());
    }
    groups
}

/// A project, drawing or client by its vendor id.
#[derive(Debug)]
pub(crate) struct VendorIdKey<R> {
    id: VendorId,
    columns: Columns,
    row: PhantomData<fn() -> R>,
}

impl<R> VendorIdKey<R> {
    pub(crate) const fn new(id: VendorId, columns: Columns) -> Self {
        Self { id, columns, row: PhantomData }
    }
}

impl<R> Clone for VendorIdKey<R> {
    fn clone(&self) -> Self {
        Self::new(self.id.clone(), self.columns)
    }
}

impl<R> PartialEq for VendorIdKey<R> {
    fn eq(&self, other: &Self) -> bool {
        self.columns == other.columns && self.id == other.id
    }
}

impl<R> Eq for VendorIdKey<R> {}

impl<R> Hash for VendorIdKey<R> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
        self.columns.hash(state);
    }
}

impl<R: HasVendorId + Clone + Sync + 'static> Loader<VendorIdKey<R>> for StoreLoader {
    type Value = R;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[VendorIdKey<R>]) -> LoadResult<VendorIdKey<R>, R> {
        let mut batch = HashMap::with_capacity(keys.len());
        for (columns, keys) in group_by(keys, |key| key.columns) {
            let ids = keys.into_iter().map(|key| key.id);
            for row in read::by_vendor_ids::<R>(&self.0, ids, columns).await.map_err(load_error)? {
                batch.insert(VendorIdKey::new(row.vendor_id().clone(), columns), row);
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

    async fn load(&self, keys: &[ProposalKey]) -> LoadResult<ProposalKey, ProposalRow> {
        let mut batch = HashMap::with_capacity(keys.len());
        for (columns, keys) in group_by(keys, |key| key.2) {
            let keys: Vec<(Provider, VendorId)> = keys.into_iter().map(|key| (key.0, key.1)).collect();
            for row in read::proposals_by_key(&self.0, &keys, columns).await.map_err(load_error)? {
                batch.insert(ProposalKey(row.provider, row.vendor_id.clone(), columns), row);
            }
        }
        Ok(batch)
    }
}

/// Defines a loader of rows by a unique number.
macro_rules! numeric_key_loader {
    ($(#[$doc:meta])* $key:ident($number:ty) => one $row:ty, $column:literal, $number_of:expr, $key_of:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) struct $key(pub(crate) $number, pub(crate) Columns);

        impl Loader<$key> for StoreLoader {
            type Value = $row;
            type Error = Arc<ApiError>;

            async fn load(&self, keys: &[$key]) -> LoadResult<$key, $row> {
                let mut batch = HashMap::with_capacity(keys.len());
                for (columns, keys) in group_by(keys, |key| key.1) {
                    let numbers = keys.into_iter().map($number_of);
                    let rows = read::by_integers(&self.0, $column, numbers, $column, columns).await.map_err(load_error)?;
                    batch.extend(rows.into_iter().map(|row| ($key_of(&row, columns), row)));
                }
                Ok(batch)
            }
        }
    };
}

numeric_key_loader! {
    /// A delivery, by its number.
    DeliveryKey(i64) => one DeliveryRow, "id", |key: DeliveryKey| key.0,
    |row: &DeliveryRow, columns| DeliveryKey(row.id, columns)
}
numeric_key_loader! {
    /// A payment, by the seq of its event.
    PaymentKey(Seq) => one PaymentRow, "event_seq", |key: PaymentKey| key.0.0,
    |row: &PaymentRow, columns| PaymentKey(row.event_seq, columns)
}

numeric_key_loader! {
    /// A file, by its number.
    FileKey(FileId) => one FileRow, "id", |key: FileKey| key.0.0,
    |row: &FileRow, columns| FileKey(FileId(row.id), columns)
}

/// An event, by its seq.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EventKey(pub(crate) Seq, pub(crate) Columns);

impl Loader<EventKey> for StoreLoader {
    type Value = Arc<EventRow>;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[EventKey]) -> LoadResult<EventKey, Arc<EventRow>> {
        let mut batch = HashMap::with_capacity(keys.len());
        for (columns, keys) in group_by(keys, |key| key.1) {
            let numbers = keys.into_iter().map(|key| key.0.0);
            let rows = read::by_integers::<EventRow>(&self.0, "seq", numbers, "seq", columns).await;
            batch.extend(rows.map_err(load_error)?.into_iter().map(|row| (EventKey(row.seq, columns), Arc::new(row))));
        }
        Ok(batch)
    }
}

/// The vendor's types of the deliveries of an event, by its seq, in the order of their arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct VendorTypesKey(pub(crate) Seq);

impl Loader<VendorTypesKey> for StoreLoader {
    type Value = Vec<String>;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[VendorTypesKey]) -> LoadResult<VendorTypesKey, Vec<String>> {
        let mut batch: HashMap<VendorTypesKey, Vec<String>> = HashMap::new();
        let types = read::vendor_types(&self.0, keys.iter().map(|key| key.0.0)).await.map_err(load_error)?;
        for (seq, vendor_type) in types {
            batch.entry(VendorTypesKey(seq)).or_default().push(vendor_type);
        }
        Ok(batch)
    }
}

/// The sum of the payments on an ArcSite proposal, by its vendor id; none if it is too large.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PaidTotalKey(pub(crate) VendorId);

impl Loader<PaidTotalKey> for StoreLoader {
    type Value = Option<Money>;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[PaidTotalKey]) -> LoadResult<PaidTotalKey, Option<Money>> {
        let totals = read::paid_totals(&self.0, keys.iter().map(|key| key.0.clone())).await.map_err(load_error)?;
        Ok(totals.into_iter().map(|(proposal, total)| (PaidTotalKey(proposal), total)).collect())
    }
}
