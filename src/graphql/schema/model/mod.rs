//! The types of the API, one noun a file. Each wraps a row of `store::read`.

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, ContextSelectionSet, Interface, Result, ServerResult};
use futures_util::future::BoxFuture;

use crate::domain::{Provider, VendorId};
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::execution::look_ahead::{ShownRow, node_columns};
use crate::graphql::execution::selection::{Fields, JsonText, Selectable};
use crate::graphql::loader::{ProposalKey, StoreLoader, VendorIdKey};
use crate::store::read::ProposalRow;
use crate::store::read::relation::HasVendorId;
use crate::store::sql::json_rows::Column;

pub(crate) mod audit;
pub(crate) mod bidsketch_webhook;
pub(crate) mod client;
pub(crate) mod delivery;
pub(crate) mod drawing;
pub(crate) mod enums;
pub(crate) mod event;
pub(crate) mod feed;
pub(crate) mod file;
pub(crate) mod payment;
pub(crate) mod people;
pub(crate) mod project;
pub(crate) mod proposal;
pub(crate) mod scalar;
pub(crate) mod search;
pub mod service;
pub(crate) mod stats;
pub(crate) mod user_error;
pub(crate) mod viewer;

pub(crate) use audit::AuditEntry;
pub(crate) use bidsketch_webhook::BidsketchWebhook;
pub(crate) use client::Client;
pub(crate) use delivery::Delivery;
pub(crate) use drawing::Drawing;
pub(crate) use event::{ClientEvent, DrawingEvent, Event, ProjectEvent, ProposalEvent, UnrecognizedEvent};
pub(crate) use file::StoredFile;
pub(crate) use payment::Payment;
pub(crate) use project::Project;
pub(crate) use proposal::Proposal;

/// An object with a node id, by which `node` and `nodes` return it.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "async_graphql::ID",
    desc = "Node id: the type and its own number or vendor id, such as `project:36029621652695040` or `event:42`. It never changes."
))]
#[expect(clippy::large_enum_variant, reason = "few exist at a time, and most rows of a page are of one type")]
pub(crate) enum Node {
    Project(Project),
    Drawing(Drawing),
    Client(Client),
    Proposal(Proposal),
    Payment(Payment),
    Delivery(Delivery),
    BidsketchWebhook(BidsketchWebhook),
    AuditEntry(AuditEntry),
    StoredFile(StoredFile),
    ProjectEvent(ProjectEvent),
    DrawingEvent(DrawingEvent),
    ClientEvent(ClientEvent),
    ProposalEvent(ProposalEvent),
    UnrecognizedEvent(UnrecognizedEvent),
}

/// Lists the objects whose selections run by the default implementation.
macro_rules! impl_selectable {
    ($($object:ty),+ $(,)?) => {
        $(impl Selectable for $object {})+
    };
}

impl_selectable! {
    Project, Drawing, Client, Proposal, Payment, Delivery, BidsketchWebhook, AuditEntry, ProjectEvent, DrawingEvent, ClientEvent, ProposalEvent,
    UnrecognizedEvent, people::Customer, people::Address, people::SalesRep, people::Contact, feed::EventFeedPage, delivery::Header,
    stats::ProposalStats, stats::ProposalStatusStats, stats::FunnelBucket, stats::DurationStats, stats::HourCount,
    stats::CurrencyAmount, stats::EventBucket,
    service::Service, service::VendorStatus, StoredFile, file::DrawingVersion,
}

impl Selectable for Node {
    fn collect<'a>(_: &ContextSelectionSet<'a>) -> ServerResult<Option<Fields<'a>>> {
        Ok(None)
    }

    fn select<'a>(
        &'a self,
        ctx: &'a ContextSelectionSet<'a>,
        _: Option<&'a Fields<'a>>,
    ) -> BoxFuture<'a, ServerResult<JsonText>> {
        match self {
            Self::Project(node) => node.select(ctx, None),
            Self::Drawing(node) => node.select(ctx, None),
            Self::Client(node) => node.select(ctx, None),
            Self::Proposal(node) => node.select(ctx, None),
            Self::Payment(node) => node.select(ctx, None),
            Self::Delivery(node) => node.select(ctx, None),
            Self::BidsketchWebhook(node) => node.select(ctx, None),
            Self::AuditEntry(node) => node.select(ctx, None),
            Self::StoredFile(node) => node.select(ctx, None),
            Self::ProjectEvent(node) => node.select(ctx, None),
            Self::DrawingEvent(node) => node.select(ctx, None),
            Self::ClientEvent(node) => node.select(ctx, None),
            Self::ProposalEvent(node) => node.select(ctx, None),
            Self::UnrecognizedEvent(node) => node.select(ctx, None),
        }
    }
}

impl From<Event> for Node {
    fn from(event: Event) -> Self {
        match event {
            Event::Project(event) => Self::ProjectEvent(event),
            Event::Drawing(event) => Self::DrawingEvent(event),
            Event::Client(event) => Self::ClientEvent(event),
            Event::Proposal(event) => Self::ProposalEvent(event),
            Event::Unrecognized(event) => Self::UnrecognizedEvent(event),
        }
    }
}

/// Loads one object, in one statement with all others of its kind on this level of the query.
pub(crate) async fn load<K>(ctx: &Context<'_>, key: K) -> Result<Option<<StoreLoader as Loader<K>>::Value>>
where
    K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
    StoreLoader: Loader<K, Error = std::sync::Arc<ApiError>>,
{
    let loader = ctx.data::<DataLoader<StoreLoader>>()?;
    // Boxed: the future of a field is as large as the largest among the fields of its object, and
    // most fields load nothing.
    Box::pin(loader.load_one(key)).await.map_err(|error| ApiError::clone(&error).into_graphql_error())
}

/// Loads the object with a vendor id, with the columns that the field's selection needs; `None`
/// until an event of it has arrived.
pub(crate) async fn load_by_vendor_id<R>(ctx: &Context<'_>, id: Option<&VendorId>) -> Result<Option<R>>
where
    R: HasVendorId + ShownRow + Clone + Sync + 'static,
{
    match id {
        Some(id) => Box::pin(load(ctx, VendorIdKey::<R>::new(id.clone(), node_columns::<R>(ctx)))).await,
        None => Ok(None),
    }
}

/// The same for a proposal, whose vendor ids are unique only for one vendor.
pub(crate) async fn load_proposal(
    ctx: &Context<'_>,
    provider: Provider,
    id: Option<&VendorId>,
) -> Result<Option<ProposalRow>> {
    match id {
        Some(id) => load(ctx, ProposalKey(provider, id.clone(), node_columns::<ProposalRow>(ctx))).await,
        None => Ok(None),
    }
}

/// The value of a column, for the field that shows it.
pub(crate) fn read<T>(column: &Column<T>) -> Result<&T> {
    column.get().or_api_error()
}

/// The text of a column.
pub(crate) fn text(column: &Column<Option<String>>) -> Result<Option<&str>> {
    Ok(read(column)?.as_deref())
}

/// The value of a column, as the API shows it.
pub(crate) fn optional<T: Clone, U>(column: &Column<Option<T>>, show: impl FnOnce(T) -> U) -> Result<Option<U>> {
    Ok(read(column)?.clone().map(show))
}

/// The nested value of a column.
pub(crate) fn parse_nested<T: serde::de::DeserializeOwned>(column: &Column<Option<String>>) -> Result<Option<T>> {
    text(column)?.map(serde_json::from_str).transpose().map_err(|error| {
        tracing::error!(%error, "a nested value in the database is unreadable");
        ApiError::Internal.into_graphql_error()
    })
}
