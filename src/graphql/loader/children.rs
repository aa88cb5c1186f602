//! Batches of nested pages and their counts: one statement for all parents of a level.

use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::dataloader::Loader;

use super::{LoadResult, StoreLoader, group_by, load_error};
use crate::graphql::error::ApiError;
use crate::store::read::relation::Relation;
use crate::store::read::{Page, Sort, Window, list};
use crate::store::sql::json_rows::{Columns, ReadRow};

/// A page of the children of one parent.
#[derive(Debug)]
pub(crate) struct ChildPageKey<R> {
    pub(crate) parent: String,
    pub(crate) query: Arc<ChildPageQuery>,
    row: PhantomData<fn() -> R>,
}

/// The part of a query that all parents of a level share.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ChildPageQuery {
    pub(crate) relation: Relation,
    pub(crate) sort: Sort,
    pub(crate) window: Window,
    pub(crate) columns: Columns,
}

/// Hashes only the parts that differ most often, because a key is hashed many times in one batch.
impl Hash for ChildPageQuery {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.relation.column.len().hash(state);
        self.window.limit.hash(state);
        self.columns.hash(state);
    }
}

impl<R> ChildPageKey<R> {
    pub(crate) fn new(parent: String, query: ChildPageQuery) -> Self {
        Self { parent, query: Arc::new(query), row: PhantomData }
    }
}

impl<R> Clone for ChildPageKey<R> {
    fn clone(&self) -> Self {
        Self { parent: self.parent.clone(), query: Arc::clone(&self.query), row: PhantomData }
    }
}

impl<R> PartialEq for ChildPageKey<R> {
    fn eq(&self, other: &Self) -> bool {
        self.parent == other.parent && self.query == other.query
    }
}

impl<R> Eq for ChildPageKey<R> {}

impl<R> Hash for ChildPageKey<R> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.parent.hash(state);
        self.query.hash(state);
    }
}

impl<R: ReadRow + Clone + Sync + 'static> Loader<ChildPageKey<R>> for StoreLoader {
    type Value = Arc<Page<R>>;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[ChildPageKey<R>]) -> LoadResult<ChildPageKey<R>, Arc<Page<R>>> {
        let mut batch = HashMap::with_capacity(keys.len());
        for (query, keys) in group_by(keys, |key| Arc::clone(&key.query)) {
            let parents: Vec<String> = keys.iter().map(|key| key.parent.clone()).collect();
            let list = (query.sort, &query.window);
            let pages = list::fetch_child_pages::<R>(&self.0, query.columns, query.relation, &parents, list).await;
            batch.extend(keys.into_iter().zip(pages.map_err(load_error)?.into_iter().map(Arc::new)));
        }
        Ok(batch)
    }
}

/// How many children one parent has.
#[derive(Debug)]
pub(crate) struct ChildCountKey<R> {
    pub(crate) parent: String,
    pub(crate) relation: Relation,
    row: PhantomData<fn() -> R>,
}

impl<R> ChildCountKey<R> {
    pub(crate) const fn new(parent: String, relation: Relation) -> Self {
        Self { parent, relation, row: PhantomData }
    }
}

impl<R> Clone for ChildCountKey<R> {
    fn clone(&self) -> Self {
        Self::new(self.parent.clone(), self.relation)
    }
}

impl<R> PartialEq for ChildCountKey<R> {
    fn eq(&self, other: &Self) -> bool {
        self.relation == other.relation && self.parent == other.parent
    }
}

impl<R> Eq for ChildCountKey<R> {}

impl<R> Hash for ChildCountKey<R> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.parent.hash(state);
        self.relation.hash(state);
    }
}

impl<R: ReadRow + 'static> Loader<ChildCountKey<R>> for StoreLoader {
    type Value = u64;
    type Error = Arc<ApiError>;

    async fn load(&self, keys: &[ChildCountKey<R>]) -> LoadResult<ChildCountKey<R>, u64> {
        let mut batch = HashMap::with_capacity(keys.len());
        for (relation, keys) in group_by(keys, |key| key.relation) {
            let parents: Vec<String> = keys.iter().map(|key| key.parent.clone()).collect();
            let counts = list::count_children::<R>(&self.0, relation, &parents).await.map_err(load_error)?;
            for key in keys {
                let count = counts.get(&key.parent).copied().unwrap_or_default();
                batch.insert(key, count);
            }
        }
        Ok(batch)
    }
}
