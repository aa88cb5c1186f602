//! Loads the pages of lists.

use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Result};
use futures_util::future::BoxFuture;

use super::args::{LIST_SIZE_MAX, PageArgs};
use super::connection::{AuditEntryConnection, BidsketchWebhookConnection, Connection, Edge, SelectedConnection};
use super::cursor::{LazyCursor, ListId};
use super::total_count::TotalCount;
use crate::domain::{LogId, WebhookState};
use crate::graphql::Api;
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::execution::look_ahead::{ShownRow, connection_columns, node_columns};
use crate::graphql::execution::selection::{Selectable, Selected};
use crate::graphql::loader::{ChildCountKey, ChildPageKey, ChildPageQuery, StoreLoader};
use crate::graphql::schema::model::{
    AuditEntry, BidsketchWebhook, Client, Delivery, Drawing, Event, Payment, Project, Proposal, load,
};
use crate::store::read::order::Sortable;
use crate::store::read::relation::{Parent, Relation};
use crate::store::read::{
    ClientRow, DeliveryRow, DrawingRow, EventRow, Filterable, Page, PaymentRow, Position, ProjectRow, ProposalRow,
    Sort, Window, list,
};
use crate::store::sql::json_rows::{Columns, ReadRow};
use crate::store::{Reader, StoreError, audit, webhooks};

/// A row that becomes a node of the API.
pub(crate) trait IntoNode: Sortable + ShownRow + Clone {
    /// The type of the node.
    type Node: Selectable;

    /// Makes the node of this row.
    fn into_node(self) -> Self::Node;
}

macro_rules! impl_into_node {
    ($($row:ty => $node:ty: $make:expr),+ $(,)?) => {
        $(impl IntoNode for $row {
            type Node = $node;

            fn into_node(self) -> $node {
                ($make)(self)
            }
        })+
    };
}

impl_into_node! {
    ProjectRow => Project: Project,
    DrawingRow => Drawing: Drawing,
    ClientRow => Client: Client,
    ProposalRow => Proposal: Proposal,
    DeliveryRow => Delivery: Delivery,
    PaymentRow => Payment: Payment,
    EventRow => Event: Event::from,
}

/// Loads a page of the rows that match a filter, in an order; without one, in their default order.
pub(crate) async fn load_connection<F>(
    ctx: &Context<'_>,
    filter: F,
    sort: Option<Sort>,
    args: PageArgs,
) -> Result<SelectedConnection<<F::Row as IntoNode>::Node>>
where
    F: Filterable + Into<TotalCount>,
    F::Row: IntoNode,
{
    let store = &ctx.data::<Api>()?.store;
    let sort = sort.unwrap_or(F::Row::DEFAULT_ORDER);
    let window = args.window(ListId::new(F::Row::TABLE, sort), store.log_id()).or_api_error()?;
    let columns = page_columns::<F::Row>(ctx, sort);
    let page = list::fetch_page(ctx.data::<Reader>()?, columns, &filter, sort, &window).await.or_api_error()?;
    build_connection(ctx, store.log_id(), sort, page, filter.into()).or_api_error()
}

/// Loads a page of the webhooks at Bidsketch that are in one of these states, oldest first.
pub(crate) async fn load_webhooks(
    ctx: &Context<'_>,
    states: Vec<WebhookState>,
    args: PageArgs,
) -> Result<BidsketchWebhookConnection> {
    let store = &ctx.data::<Api>()?.store;
    let list = ListId::new(webhooks::TABLE, webhooks::LIST_ORDER);
    let window = args.window(list, store.log_id()).or_api_error()?;
    let page = webhooks::page_in_states(ctx.data::<Reader>()?, &states, &window).await.or_api_error()?;
    let edge = |webhook: webhooks::Webhook| Ok((Some(webhook.position()), BidsketchWebhook(webhook)));
    connect(store.log_id(), list, page, TotalCount::Webhooks(states), edge).or_api_error()
}

/// Loads a page of the audit, newest first.
pub(crate) async fn load_audit(
    ctx: &Context<'_>,
    filter: audit::Filter,
    args: PageArgs,
) -> Result<AuditEntryConnection> {
    let store = &ctx.data::<Api>()?.store;
    let list = ListId::new(audit::TABLE, audit::LIST_ORDER);
    let window = args.window(list, store.log_id()).or_api_error()?;
    let page = audit::page(ctx.data::<Reader>()?, &filter, &window).await.or_api_error()?;
    let edge = |entry: audit::Entry| Ok((Some(entry.position()), AuditEntry(entry)));
    connect(store.log_id(), list, page, TotalCount::Audit(filter), edge).or_api_error()
}

/// A row, as the object whose fields are the pages of its children. It is part of the row's own
/// type.
pub(crate) struct Children<'a, P>(pub(crate) &'a P);

/// Loads a page of the children of one parent, in one statement with those of all parents on this
/// level of the query. Boxed: the future of a field is as large as the largest among the fields of
/// its object.
pub(crate) fn load_children<'a, R>(
    ctx: &'a Context<'_>,
    parent: &'a (impl Parent + Sync),
    args: PageArgs,
) -> BoxFuture<'a, Result<SelectedConnection<R::Node>>>
where
    R: IntoNode + Sync + 'static,
    ChildCountKey<R>: Into<TotalCount>,
    StoreLoader: Loader<ChildPageKey<R>, Value = Arc<Page<R>>, Error = Arc<ApiError>>,
{
    load_related(ctx, (parent.child_relation(), parent.child_key()), R::DEFAULT_ORDER, args)
}

/// Loads a page of the rows that name a parent, in an order.
pub(crate) fn load_related<'a, R>(
    ctx: &'a Context<'_>,
    (relation, parent): (Relation, String),
    sort: Sort,
    args: PageArgs,
) -> BoxFuture<'a, Result<SelectedConnection<R::Node>>>
where
    R: IntoNode + Sync + 'static,
    ChildCountKey<R>: Into<TotalCount>,
    StoreLoader: Loader<ChildPageKey<R>, Value = Arc<Page<R>>, Error = Arc<ApiError>>,
{
    Box::pin(async move {
        let log = ctx.data::<Api>()?.store.log_id();
        let window = args.window(ListId::new(R::TABLE, sort), log).or_api_error()?;
        let columns = page_columns::<R>(ctx, sort);
        let total = ChildCountKey::<R>::new(parent.clone(), relation).into();
        let key = ChildPageKey::<R>::new(parent, ChildPageQuery { relation, sort, window, columns });
        let page = load(ctx, key).await?.map(Arc::unwrap_or_clone);
        let page = page.unwrap_or(Page { rows: Vec::new(), has_previous: false, has_next: false });
        build_connection(ctx, log, sort, page, total).or_api_error()
    })
}

/// Loads the first rows that name a parent, in an order: at most [`LIST_SIZE_MAX`].
pub(crate) fn load_list<'a, R>(
    ctx: &'a Context<'_>,
    (relation, parent): (Relation, String),
    sort: Sort,
) -> BoxFuture<'a, Result<Vec<R>>>
where
    R: IntoNode + Sync + 'static,
    StoreLoader: Loader<ChildPageKey<R>, Value = Arc<Page<R>>, Error = Arc<ApiError>>,
{
    Box::pin(async move {
        let limit = u64::try_from(LIST_SIZE_MAX).unwrap_or(u64::MAX);
        let window = Window { after: None, before: None, limit, backward: false };
        let columns = node_columns::<R>(ctx);
        let key = ChildPageKey::<R>::new(parent, ChildPageQuery { relation, sort, window, columns });
        Ok(load(ctx, key).await?.map(Arc::unwrap_or_clone).map_or_else(Vec::new, |page| page.rows))
    })
}

/// The columns that a page needs: those of its nodes, and the sort column if cursors are selected.
fn page_columns<R: IntoNode>(ctx: &Context<'_>, sort: Sort) -> Columns {
    let nodes = connection_columns::<R>(ctx);
    if selects_cursors(ctx) { nodes | R::order_column(sort) } else { nodes }
}

fn selects_cursors(ctx: &Context<'_>) -> bool {
    ctx.field().selection_set().any(|field| matches!(field.name(), "edges" | "pageInfo"))
}

fn build_connection<R: IntoNode>(
    ctx: &Context<'_>,
    log: &LogId,
    sort: Sort,
    page: Page<R>,
    total: TotalCount,
) -> std::result::Result<SelectedConnection<R::Node>, StoreError> {
    // Without cursors the sort column was not read.
    let with_cursors = selects_cursors(ctx);
    connect(log, ListId::new(R::TABLE, sort), page, total, |row| {
        let position = with_cursors.then(|| row.position(sort)).transpose()?;
        Ok((position, row.into_node()))
    })
}

/// Makes the connection of a page. `edge` gives the node of a row, and its position if a cursor is
/// selected.
fn connect<R, N>(
    log: &LogId,
    list: ListId,
    page: Page<R>,
    total: TotalCount,
    edge: impl Fn(R) -> std::result::Result<(Option<Position>, N), StoreError>,
) -> std::result::Result<SelectedConnection<N>, StoreError> {
    let rows = page.rows.into_iter();
    let edges = rows
        .map(|row| {
            let (position, node) = edge(row)?;
            Ok(Edge { cursor: LazyCursor { log: log.clone(), list, position }, node })
        })
        .collect::<std::result::Result<_, StoreError>>()?;
    Ok(Selected(Connection { edges, has_previous: page.has_previous, has_next: page.has_next, total }))
}
