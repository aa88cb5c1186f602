//! Connections: pages of a list, with the total counted only when asked for.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::connection::PageInfo;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Object, OutputType, Result, TypeName};
use futures_util::future::BoxFuture;

use super::args::PageArgs;
use super::cursor::{LazyCursor, List};
use crate::domain::{LogId, VendorId};
use crate::graphql::Api;
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::execution::look_ahead;
use crate::graphql::execution::selection::{Selectable, Selected, SelectedList};
use crate::graphql::loader::{ChildrenAsked, ChildrenOf, CountOf, StoreLoader};
use crate::graphql::schema::model::{Client, Delivery, Drawing, Event, Project, Proposal, load};
use crate::store::read::order::Ordered;
use crate::store::read::relation::Kinship;
use crate::store::read::{
    ClientFilter, ClientRow, DeliveryRow, DrawingFilter, DrawingRow, EventFilter, EventRow, Listed, Page,
    ProjectFilter, ProjectRow, ProposalFilter, ProposalRow, Quarantine, Sort, list,
};
use crate::store::sql::json_rows::{Columns, Row};

/// A page of a list.
pub(crate) type Listing<N> = Selected<Connection<N>>;
/// A page of events.
pub(crate) type EventConnection = Listing<Event>;
/// A page of projects.
pub(crate) type ProjectConnection = Listing<Project>;
/// A page of drawings.
pub(crate) type DrawingConnection = Listing<Drawing>;
/// A page of clients.
pub(crate) type ClientConnection = Listing<Client>;
/// A page of proposals.
pub(crate) type ProposalConnection = Listing<Proposal>;
/// A page of deliveries.
pub(crate) type DeliveryConnection = Listing<Delivery>;

/// What a connection is a page of, to be counted when asked for.
pub(crate) enum Total {
    Events(EventFilter),
    Projects(ProjectFilter),
    Drawings(DrawingFilter),
    Clients(ClientFilter),
    Proposals(ProposalFilter),
    Quarantine(Quarantine),
    EventsOf(CountOf<EventRow>),
    DrawingsOf(CountOf<DrawingRow>),
    ProposalsOf(CountOf<ProposalRow>),
}

/// The Relay connection (its Cursor Connections Specification), with the nodes at hand without their edges, and a total.
pub(crate) struct Connection<N> {
    edges: Vec<Edge<N>>,
    has_previous: bool,
    has_next: bool,
    total: Total,
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

impl Total {
    async fn count(&self, ctx: &Context<'_>) -> Result<u64> {
        match self {
            Self::Events(filter) => count(ctx, filter).await,
            Self::Projects(filter) => count(ctx, filter).await,
            Self::Drawings(filter) => count(ctx, filter).await,
            Self::Clients(filter) => count(ctx, filter).await,
            Self::Proposals(filter) => count(ctx, filter).await,
            Self::Quarantine(filter) => count(ctx, filter).await,
            Self::EventsOf(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::DrawingsOf(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::ProposalsOf(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
        }
    }
}

async fn count<F: Listed>(ctx: &Context<'_>, filter: &F) -> Result<u64> {
    list::count::<F::Row>(ctx.data::<Api>()?.store.reader(), filter.condition()).await.or_api_error()
}

/// Says what a row becomes in the API, and how the lists of it are counted.
macro_rules! totals {
    ($($from:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$from> for Total {
            fn from(of: $from) -> Self {
                Self::$variant(of)
            }
        })+
    };
}

totals! {
    EventFilter => Events,
    ProjectFilter => Projects,
    DrawingFilter => Drawings,
    ClientFilter => Clients,
    ProposalFilter => Proposals,
    Quarantine => Quarantine,
    CountOf<EventRow> => EventsOf,
    CountOf<DrawingRow> => DrawingsOf,
    CountOf<ProposalRow> => ProposalsOf,
}

/// A row as a node of the API.
pub(crate) trait Noded: Ordered + Clone {
    /// The node's type.
    type Node: Selectable;

    /// The node of this row.
    fn node(self) -> Self::Node;
}

macro_rules! noded {
    ($($row:ty => $node:ty: $make:expr),+ $(,)?) => {
        $(impl Noded for $row {
            type Node = $node;

            fn node(self) -> $node {
                ($make)(self)
            }
        })+
    };
}

noded! {
    ProjectRow => Project: Project,
    DrawingRow => Drawing: Drawing,
    ClientRow => Client: Client,
    ProposalRow => Proposal: Proposal,
    DeliveryRow => Delivery: Delivery,
    EventRow => Event: Event::from,
}

/// A page of all that a filter asks for, in an order.
pub(crate) async fn listing<F>(
    ctx: &Context<'_>,
    filter: F,
    sort: Sort,
    args: PageArgs,
    columns: impl Fn(&str) -> Columns,
) -> Result<Listing<<F::Row as Noded>::Node>>
where
    F: Listed + Into<Total>,
    F::Row: Noded,
{
    let store = &ctx.data::<Api>()?.store;
    let window = args.window(List::new(F::Row::TABLE, sort), store.log_id()).or_api_error()?;
    let columns = page_columns::<F::Row>(ctx, columns, sort);
    let page = list::page::<F::Row>(store.reader(), columns, filter.condition(), sort, &window).await.or_api_error()?;
    Ok(connection(ctx, store.log_id(), sort, page, filter.into()))
}

/// A page of the children of one parent, read together with those of all parents on this level. Boxed: the future of each of an
/// object's fields is as large as the largest of them.
pub(crate) fn children<'a, R>(
    ctx: &'a Context<'_>,
    parent: VendorId,
    kinship: Kinship,
    sort: Sort,
    args: PageArgs,
    columns: fn(&str) -> Columns,
) -> BoxFuture<'a, Result<Listing<R::Node>>>
where
    R: Noded + Sync + 'static,
    CountOf<R>: Into<Total>,
    StoreLoader: Loader<ChildrenOf<R>, Value = Arc<Page<R>>, Error = Arc<ApiError>>,
{
    Box::pin(async move {
        let log = ctx.data::<Api>()?.store.log_id();
        let window = args.window(List::new(R::TABLE, sort), log).or_api_error()?;
        let columns = page_columns::<R>(ctx, columns, sort);
        let total = CountOf::<R>::new(parent.clone(), kinship).into();
        let key = ChildrenOf::<R>::new(parent, ChildrenAsked { kinship, sort, window, columns });
        let page = load(ctx, key).await?.map(Arc::unwrap_or_clone);
        let page = page.unwrap_or(Page { rows: Vec::new(), has_previous: false, has_next: false });
        Ok(connection(ctx, log, sort, page, total))
    })
}

/// The columns that a page needs: those of its nodes, and the order's where cursors are asked for.
fn page_columns<R: Ordered>(ctx: &Context<'_>, columns: impl Fn(&str) -> Columns, sort: Sort) -> Columns {
    let nodes = look_ahead::connection(ctx, columns);
    if asks_for_cursors(ctx) { nodes | R::order_column(sort) } else { nodes }
}

fn asks_for_cursors(ctx: &Context<'_>) -> bool {
    ctx.field().selection_set().any(|field| matches!(field.name(), "edges" | "pageInfo"))
}

fn connection<R: Noded>(ctx: &Context<'_>, log: &LogId, sort: Sort, page: Page<R>, total: Total) -> Listing<R::Node> {
    let list = List::new(R::TABLE, sort);
    // Where no cursor is asked for, no row's place is looked up.
    let asks_for_cursors = asks_for_cursors(ctx);
    let edges = page
        .rows
        .into_iter()
        .map(|row| {
            let place = asks_for_cursors.then(|| row.place(sort));
            Edge { cursor: LazyCursor { log: log.clone(), list, place }, node: row.node() }
        })
        .collect();
    Selected(Connection { edges, has_previous: page.has_previous, has_next: page.has_next, total })
}
