//! The GraphQL API. Its types are written by hand over the rows of `store::read`; no table is
//! exposed as it is.
//!
//! `schema` declares the API, `execution` runs a document, `live` streams subscriptions,
//! `pagination` pages lists, and `loader` reads in batches.

use std::sync::Arc;

use async_graphql::Schema;
use futures_util::FutureExt;

use crate::auth::Keys;
use crate::config::Settings;
use crate::feed::Feed;
use crate::files::Vault;
use crate::ingest::release::Releaser;
use crate::store::Store;
use crate::webhooks::Webhooks;

pub(crate) mod error;
pub(crate) mod execution;
pub(crate) mod live;
mod loader;
mod pagination;
pub mod schema;

pub use execution::operation::{Operation, PERSISTED_QUERY};
pub use execution::{Executor, response};
pub use live::stream::{OperationMessage, StreamItem};
pub use pagination::cursor::encode_event as event_cursor;
pub use schema::model::service::{ServiceFacts, VendorFacts};
pub use schema::{Mutation, Query, Subscription};

use execution::compat::{Root, SCHEMA_DESCRIPTION, SubscriptionRoot, schema_types};
use execution::limits::{introspected, introspection};
use execution::types::{ListSizes, SchemaTypes};
use live::Broadcasts;
use pagination::args::{LIST_SIZE_MAX, PAGE_SIZE};
use schema::model::feed::FEED_PAGE_SIZE;
use schema::model::file::{FILES_MAX, VERSIONS_MAX};
use schema::model::scalar::SCALARS;

/// The schema of the API.
type ApiSchema = Schema<QueryRoot, MutationRoot, SubscriptionRoot<Subscription>>;
type QueryRoot = Root<Query, false>;
type MutationRoot = Root<Mutation, true>;

/// How many objects the lists of the API have. An office has few currencies; there are two vendors,
/// and eight statuses with none.
const LIST_SIZES: ListSizes = ListSizes {
    pages: &[PAGE_SIZE, FEED_PAGE_SIZE],
    short_lists: &[
        ("Money", 5),
        ("ProposalStatusStats", 8),
        ("VendorStatus", 2),
        ("StoredFile", FILES_MAX),
        ("DrawingVersion", VERSIONS_MAX),
    ],
    list_max: LIST_SIZE_MAX,
};

/// The sources that the fields read from.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) store: Store,
    pub(crate) feed: Feed,
    /// The currency of ArcSite's amounts, if the settings name it.
    pub(crate) arcsite_currency: Option<String>,
    /// The stored files; none if they are off.
    pub(crate) files: Option<Vault>,
}

/// Builds the executor over a database and the feed of its log.
#[must_use]
#[expect(clippy::too_many_arguments, reason = "each is a part of the service that fields use")]
pub fn build_executor(
    store: Store,
    feed: Feed,
    releaser: Releaser,
    webhooks: Webhooks,
    keys: Keys,
    service: ServiceFacts,
    files: Option<Vault>,
    settings: &Settings,
) -> Executor {
    introspection::prepare(introspected_schema);
    let limits = &settings.graphql;
    let api = Api { store, feed, arcsite_currency: settings.arcsite.currency.clone(), files };
    let schema = schema_builder()
        .limit_recursive_depth(limits.max_nesting)
        .data(releaser)
        .data(webhooks)
        .data(keys.clone())
        .data(service)
        .data(api.clone())
        .finish();
    let types = Arc::new(api_types());
    Executor { schema, types, api, keys, limits: limits.clone(), broadcasts: Broadcasts::default() }
}

/// The types of the API, for the checks of documents.
fn api_types() -> SchemaTypes {
    schema_types::<QueryRoot, MutationRoot, SubscriptionRoot<Subscription>>(&SCALARS, LIST_SIZES)
}

/// A fuzz target: decodes a cursor of two lists. A position has one cursor.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_cursor(cursor: &str) {
    pagination::cursor::fuzz(cursor);
}

/// A fuzz target: parses and checks a document. What passes has a definition to run.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_document(text: &str) {
    static TYPES: std::sync::LazyLock<SchemaTypes> = std::sync::LazyLock::new(api_types);
    static LIMITS: std::sync::LazyLock<Option<crate::config::Graphql>> =
        std::sync::LazyLock::new(|| Settings::defaults().ok().map(|settings| settings.graphql));
    let Some(limits) = &*LIMITS else { return };
    let mut operation = Operation::read(async_graphql::Request::new(text), limits);
    if execution::check_operation(&mut operation, &TYPES, limits).is_ok() {
        assert!(operation.definition().is_some());
    }
}

/// The schema in GraphQL's schema definition language, as committed in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    let sdl = schema_builder().finish().sdl();
    // The library cannot describe the schema itself.
    sdl.replacen("\nschema {", &format!("\n\"\"\"\n{SCHEMA_DESCRIPTION}\n\"\"\"\nschema {{"), 1)
}

/// The schema, as an introspection of the library shows it.
fn introspected_schema() -> Option<introspected::Schema> {
    #[derive(serde::Deserialize)]
    struct Answer {
        __schema: introspected::Schema,
    }
    // Nothing in an introspection waits.
    let response = schema_builder().finish().execute(introspected::QUERY).now_or_never()?;
    let answer: Answer = async_graphql::from_value(response.data).ok()?;
    Some(answer.__schema)
}

fn schema_builder() -> async_graphql::SchemaBuilder<QueryRoot, MutationRoot, SubscriptionRoot<Subscription>> {
    Schema::build(Root::default(), Root::default(), SubscriptionRoot::default())
}
