//! The GraphQL API: types written by hand over what `store::read` gives, never the tables themselves.
//!
//! `model` has the types, `query`, `mutation` and `subscription` the fields of the roots, one subject a file.

use std::sync::Arc;

use async_graphql::registry::Registry;
use async_graphql::{OutputType, Schema};

use crate::config::Graphql;
use crate::feed::Feed;
use crate::ingest::release::Releaser;
use crate::store::Store;
use crate::webhooks::Webhooks;

mod error;
pub(crate) mod execution;
pub(crate) mod live;
mod loader;
mod pagination;
pub mod schema;

pub use execution::{Executor, response};
pub use live::position::StreamItem;
pub use live::stream::OperationMessage;
pub use schema::{Mutation, Query, Subscription};

use live::Broadcasts;
use pagination::connection::{
    ClientConnection, DeliveryConnection, DrawingConnection, EventConnection, ProjectConnection, ProposalConnection,
};

/// The schema that is served.
type ApiSchema = Schema<Query, Mutation, Subscription>;

/// What the fields read from.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) store: Store,
    pub(crate) feed: Feed,
}

/// What answers requests, over a database and the feed of its log.
#[must_use]
pub fn build_executor(store: Store, feed: Feed, releaser: Releaser, webhooks: Webhooks, limits: &Graphql) -> Executor {
    let api = Api { store, feed };
    let schema = schema_builder()
        .limit_depth(limits.max_depth)
        .limit_complexity(limits.max_complexity)
        .data(releaser)
        .data(webhooks)
        .data(api.clone())
        .finish();
    let mut types = Registry::default();
    Query::create_type_info(&mut types);
    Mutation::create_type_info(&mut types);
    Executor { schema, api, limits: limits.clone(), registry: Arc::new(types), broadcasts: Broadcasts::default() }
}

/// The schema in GraphQL's own language, as it is committed in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    schema_builder().finish().sdl()
}

fn schema_builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .override_output_type_description::<EventConnection>("A page of events, newest first.")
        .override_output_type_description::<ProjectConnection>("A page of projects.")
        .override_output_type_description::<DrawingConnection>("A page of drawings.")
        .override_output_type_description::<ClientConnection>("A page of clients.")
        .override_output_type_description::<ProposalConnection>("A page of proposals.")
        .override_output_type_description::<DeliveryConnection>("A page of deliveries, newest first.")
}
