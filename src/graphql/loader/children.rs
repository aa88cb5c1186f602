//! Batches of nested pages and their counts: one statement for all parents of a level.

use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::dataloader::Loader;

use super::{Batch, StoreLoader, failed, groups};
use crate::domain::VendorId;
use crate::graphql::error::ApiError;
use crate::store::read::relation::Kinship;
use crate::store::read::{Page, Sort, Window, list};
use crate::store::sql::json_rows::{Columns, Row};

/// A page of the children of one parent.
#[derive(Debug)]
pub(crate) struct ChildrenOf<R> {
    pub(crate) parent: VendorId,
    pub(crate) asked: Arc<ChildrenAsked>,
    row: PhantomData<fn() -> R>,
}

/// What is the same for all parents of a level.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ChildrenAsked {
    pub(crate) kinship: Kinship,
    pub(crate) sort: Sort,
    pub(crate) window: Window,
    pub(crate) columns: Columns,
}

/// Only by what most often differs: a key is hashed many times on its way through a batch.
impl Hash for ChildrenAsked {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.kinship.column.len().hash(state);
        self.window.limit.hash(state);
        self.columns.hash(state);
    }
}

impl<R> ChildrenOf<R> {
    pub(crate) fn new(parent: VendorId, asked: ChildrenAsked) -> Self {
        Self { parent, asked: Arc::new(asked), row: PhantomData }
    }
}

impl<R> Clone for ChildrenOf<R> {
    fn clone(&self) -> Self {
        Self { parent: self.parent.clone(), asked: Arc::clone(&self.asked), row: PhantomData }
    }
}

impl<R> PartialEq for ChildrenOf<R> {
    fn eq(&self, other: &Self) -> bool {
        self.parent == other.parent && self.asked == other.asked
    }
}

impl<R> Eq for ChildrenOf<R> {}

impl<R> Hash for ChildrenOf<R> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.parent.hash(state);
        self.asked.hash(state);
    }
}

impl<R: Row + Clone + Sync + 'static> Loader<ChildrenOf<R>> for StoreLoader {
    type Value = Arc<Page<R>>;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[ChildrenOf<R>]) -> Batch<ChildrenOf<R>, Arc<Page<R>>> {
        let mut batch = HashMap::with_capacity(keys.len());
        for (asked, keys) in groups(keys, |key| Arc::clone(&key.asked)) {
            let parents: Vec<String> = keys.iter().map(|key| key.parent.as_str().to_owned()).collect();
            let list = (asked.sort, &asked.window);
            let pages = list::children::<R>(self.0.reader(), asked.columns, asked.kinship, &parents, list).await;
            batch.extend(keys.into_iter().zip(pages.map_err(failed)?.into_iter().map(Arc::new)));
        }
        Ok(batch)
    }
}

/// How many children one parent has.
#[derive(Debug)]
pub(crate) struct CountOf<R> {
    pub(crate) parent: VendorId,
    pub(crate) kinship: Kinship,
    row: PhantomData<fn() -> R>,
}

impl<R> CountOf<R> {
    pub(crate) const fn new(parent: VendorId, kinship: Kinship) -> Self {
        Self { parent, kinship, row: PhantomData }
    }
}

impl<R> Clone for CountOf<R> {
    fn clone(&self) -> Self {
        Self::new(self.parent.clone(), self.kinship)
    }
}

impl<R> PartialEq for CountOf<R> {
    fn eq(&self, other: &Self) -> bool {
        self.kinship == other.kinship && self.parent == other.parent
    }
}

impl<R> Eq for CountOf<R> {}

impl<R> Hash for CountOf<R> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.parent.hash(state);
        self.kinship.hash(state);
    }
}

impl<R: Row + 'static> Loader<CountOf<R>> for StoreLoader {
    type Value = u64;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[CountOf<R>]) -> Batch<CountOf<R>, u64> {
        let mut batch = HashMap::with_capacity(keys.len());
        for (kinship, keys) in groups(keys, |key| key.kinship) {
            let parents = keys.iter().map(|key| key.parent.clone());
            let counts = list::count_children::<R>(self.0.reader(), kinship, parents).await.map_err(failed)?;
            for key in keys {
                let count = counts.get(&key.parent).copied().unwrap_or_default();
                batch.insert(key, count);
            }
        }
        Ok(batch)
    }
}
