//! The GraphQL API: types written by hand over what `store::read` gives, never the tables themselves.
//!
//! `model` has the types, `query`, `mutation` and `subscription` the fields of the roots, one subject a file.

use async_graphql::Schema;

use crate::config::Graphql;
use crate::feed::Feed;
use crate::ingest::release::Releaser;
use crate::store::Store;

mod args;
mod cursor;
mod error;
mod extension;
mod input;
mod limits;
mod loader;
mod look;
pub mod model;
mod mutation;
mod query;
mod subscription;

pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;

use model::connection::{
    ClientConnection, DeliveryConnection, DrawingConnection, EventConnection, ProjectConnection, ProposalConnection,
};

/// The schema that is served.
pub type ApiSchema = Schema<Query, Mutation, Subscription>;

/// What the fields read from.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) store: Store,
    pub(crate) feed: Feed,
}

/// The schema over a database and the feed of its log.
#[must_use]
pub fn schema(store: Store, feed: Feed, releaser: Releaser, limits: &Graphql) -> ApiSchema {
    builder().extension(limits::Limits::new(limits)).data(releaser).data(Api { store, feed }).finish()
}

/// The schema in GraphQL's own language, as it is committed in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    builder().finish().sdl()
}

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .extension(extension::RequestStart)
        .extension(extension::ErrorCodes)
        .override_output_type_description::<EventConnection>("A page of events, newest first.")
        .override_output_type_description::<ProjectConnection>("A page of projects.")
        .override_output_type_description::<DrawingConnection>("A page of drawings.")
        .override_output_type_description::<ClientConnection>("A page of clients.")
        .override_output_type_description::<ProposalConnection>("A page of proposals.")
        .override_output_type_description::<DeliveryConnection>("A page of deliveries, newest first.")
}
