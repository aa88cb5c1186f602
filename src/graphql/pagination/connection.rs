//! Connections: pages of a list, with the total counted only when asked for.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::connection::PageInfo;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Object, OutputType, Result, TypeName};
use futures_util::future::BoxFuture;

use super::args::PageArgs;
use super::cursor::{LazyCursor, ListId};
use crate::domain::{LogId, VendorId};
use crate::graphql::Api;
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::execution::look_ahead;
use crate::graphql::execution::selection::{Selectable, Selected, SelectedList};
use crate::graphql::loader::{ChildCountKey, ChildPageKey, ChildPageQuery, StoreLoader};
use crate::graphql::schema::model::{Client, Delivery, Drawing, Event, Project, Proposal, load};
use crate::store::read::order::Ordered;
use crate::store::read::relation::Relation;
use crate::store::read::{
    ClientFilter, ClientRow, DeliveryRow, DrawingFilter, DrawingRow, EventFilter, EventRow, Filterable, Page,
    ProjectFilter, ProjectRow, ProposalFilter, ProposalRow, Quarantine, Sort, list,
};
use crate::store::sql::json_rows::{Columns, ReadRow};

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

/// What a connection is a page of, to be counted when asked for.
pub(crate) enum TotalCount {
    Events(EventFilter),
    Projects(ProjectFilter),
    Drawings(DrawingFilter),
    Clients(ClientFilter),
    Proposals(ProposalFilter),
    Quarantine(Quarantine),
    ChildEvents(ChildCountKey<EventRow>),
    ChildDrawings(ChildCountKey<DrawingRow>),
    ChildProposals(ChildCountKey<ProposalRow>),
}

/// The Relay connection (its Cursor Connections Specification), with the nodes at hand without their edges, and a total.
pub(crate) struct Connection<N> {
    edges: Vec<Edge<N>>,
    has_previous: bool,
    has_next: bool,
    total: TotalCount,
}

/// A row of a page, at its place.
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

impl<N: Selectable> Selectable for Connection<N> {}
impl<N: Selectable> Selectable for Edge<N> {}
impl Selectable for PageInfo {}

#[Object(name_type)]
impl<N: Selectable> Connection<N> {
    /// Where this page lies in its list.
    async fn page_info(&self) -> Selected<PageInfo> {
        Selected(PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: self.edges.first().map(|edge| edge.cursor.encode()),
            end_cursor: self.edges.last().map(|edge| edge.cursor.encode()),
        })
    }

    /// The rows of this page, each with its cursor.
    async fn edges(&self) -> SelectedList<'_, Edge<N>> {
        SelectedList(self.edges.iter().collect())
    }

    /// The rows of this page.
    async fn nodes(&self) -> SelectedList<'_, N> {
        SelectedList(self.edges.iter().map(|edge| &edge.node).collect())
    }

    /// How many there are in all. Counted when asked for: leave it out where it is not needed.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        self.total.count(ctx).await
    }
}

/// A row of a page, at its place in the list.
#[Object(name_type)]
impl<N: Selectable> Edge<N> {
    /// The row.
    async fn node(&self) -> Selected<&N> {
        Selected(&self.node)
    }

    /// Its place: for `after` and `before` of the same list in the same order.
    async fn cursor(&self) -> String {
        self.cursor.encode()
    }
}

impl TotalCount {
    async fn count(&self, ctx: &Context<'_>) -> Result<u64> {
        match self {
            Self::Events(filter) => count_rows(ctx, filter).await,
            Self::Projects(filter) => count_rows(ctx, filter).await,
            Self::Drawings(filter) => count_rows(ctx, filter).await,
            Self::Clients(filter) => count_rows(ctx, filter).await,
            Self::Proposals(filter) => count_rows(ctx, filter).await,
            Self::Quarantine(filter) => count_rows(ctx, filter).await,
            Self::ChildEvents(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::ChildDrawings(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::ChildProposals(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
        }
    }
}

async fn count_rows<F: Filterable>(ctx: &Context<'_>, filter: &F) -> Result<u64> {
    list::count::<F::Row>(ctx.data::<Api>()?.store.reader(), filter.condition()).await.or_api_error()
}

/// Says what a row becomes in the API, and how the lists of it are counted.
macro_rules! impl_into_total_count {
    ($($from:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$from> for TotalCount {
            fn from(of: $from) -> Self {
                Self::$variant(of)
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
    ChildCountKey<EventRow> => ChildEvents,
    ChildCountKey<DrawingRow> => ChildDrawings,
    ChildCountKey<ProposalRow> => ChildProposals,
}

/// A row as a node of the API.
pub(crate) trait IntoNode: Ordered + Clone {
    /// The node's type.
    type Node: Selectable;

    /// The node of this row.
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
    EventRow => Event: Event::from,
}

/// A page of all that a filter asks for, in an order.
pub(crate) async fn load_connection<F>(
    ctx: &Context<'_>,
    filter: F,
    sort: Sort,
    args: PageArgs,
    columns: impl Fn(&str) -> Columns,
) -> Result<SelectedConnection<<F::Row as IntoNode>::Node>>
where
    F: Filterable + Into<TotalCount>,
    F::Row: IntoNode,
{
    let store = &ctx.data::<Api>()?.store;
    let window = args.window(ListId::new(F::Row::TABLE, sort), store.log_id()).or_api_error()?;
    let columns = page_columns::<F::Row>(ctx, columns, sort);
    let page =
        list::fetch_page::<F::Row>(store.reader(), columns, filter.condition(), sort, &window).await.or_api_error()?;
    Ok(build_connection(ctx, store.log_id(), sort, page, filter.into()))
}

/// A page of the children of one parent, read together with those of all parents on this level. Boxed: the future of each of an
/// object's fields is as large as the largest of them.
pub(crate) fn load_child_connection<'a, R>(
    ctx: &'a Context<'_>,
    parent: VendorId,
    kinship: Relation,
    sort: Sort,
    args: PageArgs,
    columns: fn(&str) -> Columns,
) -> BoxFuture<'a, Result<SelectedConnection<R::Node>>>
where
    R: IntoNode + Sync + 'static,
    ChildCountKey<R>: Into<TotalCount>,
    StoreLoader: Loader<ChildPageKey<R>, Value = Arc<Page<R>>, Error = Arc<ApiError>>,
{
    Box::pin(async move {
        let log = ctx.data::<Api>()?.store.log_id();
        let window = args.window(ListId::new(R::TABLE, sort), log).or_api_error()?;
        let columns = page_columns::<R>(ctx, columns, sort);
        let total = ChildCountKey::<R>::new(parent.clone(), kinship).into();
        let key = ChildPageKey::<R>::new(parent, ChildPageQuery { relation: kinship, sort, window, columns });
        let page = load(ctx, key).await?.map(Arc::unwrap_or_clone);
        let page = page.unwrap_or(Page { rows: Vec::new(), has_previous: false, has_next: false });
        Ok(build_connection(ctx, log, sort, page, total))
    })
}

/// The columns that a page needs: those of its nodes, and the order's where cursors are asked for.
fn page_columns<R: Ordered>(ctx: &Context<'_>, columns: impl Fn(&str) -> Columns, sort: Sort) -> Columns {
    let nodes = look_ahead::connection_columns(ctx, columns);
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
) -> SelectedConnection<R::Node> {
    let list = ListId::new(R::TABLE, sort);
    // Where no cursor is asked for, no row's place is looked up.
    let asks_for_cursors = selects_cursors(ctx);
    let edges = page
        .rows
        .into_iter()
        .map(|row| {
            let place = asks_for_cursors.then(|| row.place(sort));
            Edge { cursor: LazyCursor { log: log.clone(), list, position: place }, node: row.into_node() }
        })
        .collect();
    Selected(Connection { edges, has_previous: page.has_previous, has_next: page.has_next, total })
}
