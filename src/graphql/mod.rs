//! The GraphQL API: types written by hand over what `store::read` gives, never the tables themselves.
//!
//! `model` has the types, `query` and `subscription` the fields of the roots, one subject a file.

use async_graphql::dataloader::DataLoader;
use async_graphql::{EmptyMutation, Schema};

use crate::config::Graphql;
use crate::feed::Feed;
use crate::store::Store;

mod args;
mod cursor;
mod error;
mod extension;
mod input;
mod loader;
mod look;
pub mod model;
mod query;
mod subscription;

pub use query::Query;
pub use subscription::Subscription;

use loader::StoreLoader;

/// The schema that is served.
pub type ApiSchema = Schema<Query, EmptyMutation, Subscription>;

/// What the fields read from.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) store: Store,
    pub(crate) feed: Feed,
}

/// The schema over a database and the feed of its log.
#[must_use]
pub fn schema(store: Store, feed: Feed, limits: &Graphql) -> ApiSchema {
    let loader = DataLoader::new(StoreLoader::new(store.clone()), tokio::spawn);
    builder()
        .limit_depth(limits.max_depth)
        .limit_complexity(limits.max_complexity)
        .data(loader)
        .data(Api { store, feed })
        .finish()
}

/// The schema in GraphQL's own language, as it is committed in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    builder().finish().sdl()
}

fn builder() -> async_graphql::SchemaBuilder<Query, EmptyMutation, Subscription> {
    Schema::build(Query::default(), EmptyMutation, Subscription::default())
        .extension(extension::RequestStart)
        .extension(extension::ErrorCodes)
}
