//! Connections: pages of a list, with a total that is counted only if it is selected.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Object, OutputType, Result, SimpleObject, TypeName};
use futures_util::future::BoxFuture;

use super::args::{LIST_SIZE_MAX, PageArgs};
use super::cursor::{LazyCursor, ListId};
use crate::domain::{LogId, WebhookState};
use crate::graphql::Api;
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::execution::look_ahead::{ShownRow, connection_columns, node_columns};
use crate::graphql::execution::selection::{Selectable, Selected, SelectedList};
use crate::graphql::loader::{ChildCountKey, ChildPageKey, ChildPageQuery, StoreLoader};
use crate::graphql::schema::model::{
    AuditEntry, BidsketchWebhook, Client, Delivery, Drawing, Event, Payment, Project, Proposal, load,
};
use crate::store::read::order::Sortable;
use crate::store::read::relation::{Parent, Relation};
use crate::store::read::{
    ClientFilter, ClientRow, DeliveryFilter, DeliveryRow, DrawingFilter, DrawingRow, EventFilter, EventRow, Filterable,
    Page, PaymentFilter, PaymentRow, ProjectFilter, ProjectRow, ProposalFilter, ProposalRow, Quarantine, Sort, Window,
    list,
};
use crate::store::sql::json_rows::{Columns, ReadRow};
use crate::store::{Reader, StoreError};
use crate::store::{audit, webhooks};

/// A page of a list.
pub(crate) type SelectedConnection<N> = Selected<Connection<N>>;
/// A page of events.
pub(crate) type EventConnection = SelectedConnection<Event>;
/// A page of projects.
pub(crate) type ProjectConnection = SelectedConnection<Project>;
/// A page of drawings.
pub(crate) type DrawingConnection = SelectedConnection<Drawing>;
/// A page of clients.
pub(crate) type ClientConnection = SelectedConnection<Client>;
/// A page of proposals.
pub(crate) type ProposalConnection = SelectedConnection<Proposal>;
/// A page of deliveries.
pub(crate) type DeliveryConnection = SelectedConnection<Delivery>;
/// A page of payments.
pub(crate) type PaymentConnection = SelectedConnection<Payment>;
/// A page of webhooks at Bidsketch.
pub(crate) type BidsketchWebhookConnection = SelectedConnection<BidsketchWebhook>;
/// A page of the audit.
pub(crate) type AuditEntryConnection = SelectedConnection<AuditEntry>;

/// The rows that `totalCount` counts: those of the list that a connection is a page of.
pub(crate) enum TotalCount {
    Events(EventFilter),
    Projects(ProjectFilter),
    Drawings(DrawingFilter),
    Clients(ClientFilter),
    Proposals(ProposalFilter),
    Quarantine(Quarantine),
    Deliveries(DeliveryFilter),
    Payments(PaymentFilter),
    Webhooks(Vec<WebhookState>),
    Audit(audit::Filter),
    ChildEvents(ChildCountKey<EventRow>),
    ChildDrawings(ChildCountKey<DrawingRow>),
    ChildProposals(ChildCountKey<ProposalRow>),
    ChildDeliveries(ChildCountKey<DeliveryRow>),
    ChildPayments(ChildCountKey<PaymentRow>),
}

/// A connection by Relay's Cursor Connections Specification, with two more fields: `nodes` and
/// `totalCount`.
pub(crate) struct Connection<N> {
    edges: Vec<Edge<N>>,
    has_previous: bool,
    has_next: bool,
    total: TotalCount,
}

/// A row of a page, with its cursor.
pub(crate) struct Edge<N> {
    cursor: LazyCursor,
    node: N,
}

impl<N: OutputType> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

impl<N: OutputType> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", N::type_name()).into()
    }
}

/// The position of a page in its list.
#[derive(SimpleObject)]
pub(crate) struct PageInfo {
    /// Whether items come before this page. If you page forwards, it is true as soon as `after` is
    /// given.
    has_previous_page: bool,
    /// Whether items come after this page. If you page backwards, it is true as soon as `before` is
    /// given.
    has_next_page: bool,
    /// Cursor of the first item of this page. Pass it as `before`, with `last`, to get the page
    /// before. Null if this page is empty.
    start_cursor: Option<String>,
    /// Cursor of the last item of this page. Pass it as `after`, with `first`, to get the page
    /// after. Null if this page is empty.
    end_cursor: Option<String>,
}

impl Selectable for PageInfo {}

/// Defines the fields of a connection and of its edge. The library has no other way to describe the
/// same field of two connections differently: "The project.", "The drawing.".
macro_rules! define_connection {
    ($node:ty, $article:literal, $one:literal, $many:literal, $page:literal) => {
        #[doc = $page]
        #[Object(name_type)]
        impl Connection<$node> {
            /// Whether more items follow or come before, and the cursors to get them with.
            async fn page_info(&self) -> Selected<PageInfo> {
                Selected(PageInfo {
                    has_previous_page: self.has_previous,
                    has_next_page: self.has_next,
                    start_cursor: self.edges.first().map(|edge| edge.cursor.encode()),
                    end_cursor: self.edges.last().map(|edge| edge.cursor.encode()),
                })
            }

            #[doc = concat!("The ", $many, " of this page in the list's order, each with its cursor.")]
            async fn edges(&self) -> SelectedList<'_, Edge<$node>> {
                SelectedList(self.edges.iter().collect())
            }

            #[doc = concat!("The ", $many, " of this page in the list's order, without cursors.")]
            async fn nodes(&self) -> SelectedList<'_, $node> {
                SelectedList(self.edges.iter().map(|edge| &edge.node).collect())
            }

            #[doc = concat!("The number of ", $many, " in the whole list, not only on this page.")]
            /// It costs a query of its own: leave it out if you do not need it.
            async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
                self.total.count(ctx).await
            }
        }

        #[doc = concat!($article, " ", $one, " in a page, with the cursor from which another page can")]
        /// continue. `nodes` of the connection has the same without cursors.
        #[Object(name_type)]
        impl Edge<$node> {
            #[doc = concat!("The ", $one, " at this position of the list.")]
            async fn node(&self) -> Selected<&$node> {
                Selected(&self.node)
            }

            #[doc = concat!("Position of the ", $one, " in the list, opaque.")]
            /// Pass it as `after` or `before` to the same list in the same order. It stays valid.
            async fn cursor(&self) -> String {
                self.cursor.encode()
            }
        }

        impl Selectable for Connection<$node> {}
        impl Selectable for Edge<$node> {}
    };
}

define_connection!(Event, "An", "event", "events", "A page of events, newest first.");
define_connection!(Project, "A", "project", "projects", "A page of projects.");
define_connection!(Drawing, "A", "drawing", "drawings", "A page of drawings.");
define_connection!(Client, "A", "client", "clients", "A page of clients.");
define_connection!(Proposal, "A", "proposal", "proposals", "A page of proposals.");
define_connection!(Delivery, "A", "delivery", "deliveries", "A page of deliveries.");
define_connection!(Payment, "A", "payment", "payments", "A page of payments.");
define_connection!(BidsketchWebhook, "A", "webhook", "webhooks", "A page of webhooks at Bidsketch, oldest first.");
define_connection!(AuditEntry, "An", "entry", "entries", "A page of the audit, newest first.");

impl TotalCount {
    async fn count(&self, ctx: &Context<'_>) -> Result<u64> {
        match self {
            Self::Events(filter) => count_rows(ctx, filter).await,
            Self::Projects(filter) => count_rows(ctx, filter).await,
            Self::Drawings(filter) => count_rows(ctx, filter).await,
            Self::Clients(filter) => count_rows(ctx, filter).await,
            Self::Proposals(filter) => count_rows(ctx, filter).await,
            Self::Quarantine(filter) => count_rows(ctx, filter).await,
            Self::Deliveries(filter) => count_rows(ctx, filter).await,
            Self::Payments(filter) => count_rows(ctx, filter).await,
            Self::Webhooks(states) => webhooks::count_in_states(ctx.data::<Reader>()?, states).await.or_api_error(),
            Self::Audit(filter) => audit::count(ctx.data::<Reader>()?, filter).await.or_api_error(),
            Self::ChildEvents(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::ChildDrawings(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::ChildProposals(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::ChildDeliveries(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::ChildPayments(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
        }
    }
}

async fn count_rows<F: Filterable>(ctx: &Context<'_>, filter: &F) -> Result<u64> {
    list::count_matching(ctx.data::<Reader>()?, filter).await.or_api_error()
}

/// Defines how the list of each filter is counted.
macro_rules! impl_into_total_count {
    ($($from:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$from> for TotalCount {
            fn from(rows: $from) -> Self {
                Self::$variant(rows)
            }
        })+
    };
}

impl_into_total_count! {
    EventFilter => Events,
    ProjectFilter => Projects,
    DrawingFilter => Drawings,
    ClientFilter => Clients,
    ProposalFilter => Proposals,
    Quarantine => Quarantine,
    DeliveryFilter => Deliveries,
    PaymentFilter => Payments,
    ChildCountKey<EventRow> => ChildEvents,
    ChildCountKey<DrawingRow> => ChildDrawings,
    ChildCountKey<ProposalRow> => ChildProposals,
    ChildCountKey<DeliveryRow> => ChildDeliveries,
    ChildCountKey<PaymentRow> => ChildPayments,
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
    let edge = |webhook: webhooks::Webhook| {
        let cursor = LazyCursor { log: store.log_id().clone(), list, position: Some(webhook.position()) };
        Edge { cursor, node: BidsketchWebhook(webhook) }
    };
    let edges = page.rows.into_iter().map(edge).collect();
    let total = TotalCount::Webhooks(states);
    Ok(Selected(Connection { edges, has_previous: page.has_previous, has_next: page.has_next, total }))
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
    let edge = |entry: audit::Entry| {
        let cursor = LazyCursor { log: store.log_id().clone(), list, position: Some(entry.position()) };
        Edge { cursor, node: AuditEntry(entry) }
    };
    let edges = page.rows.into_iter().map(edge).collect();
    let total = TotalCount::Audit(filter);
    Ok(Selected(Connection { edges, has_previous: page.has_previous, has_next: page.has_next, total }))
}

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
    let list = ListId::new(R::TABLE, sort);
    // Without cursors the sort column was not read.
    let with_cursors = selects_cursors(ctx);
    let edges = page
        .rows
        .into_iter()
        .map(|row| {
            let position = with_cursors.then(|| row.position(sort)).transpose()?;
            Ok(Edge { cursor: LazyCursor { log: log.clone(), list, position }, node: row.into_node() })
        })
        .collect::<std::result::Result<_, StoreError>>()?;
    Ok(Selected(Connection { edges, has_previous: page.has_previous, has_next: page.has_next, total }))
}
