//! Connections: pages of a list, with a total that is counted only if it is selected.

use std::borrow::Cow;

use async_graphql::{Context, Object, OutputType, Result, SimpleObject, TypeName};

use super::cursor::LazyCursor;
use super::total_count::TotalCount;
use crate::graphql::execution::selection::{Selectable, Selected, SelectedList};
use crate::graphql::schema::model::{
    AuditEntry, BidsketchWebhook, Client, Delivery, Drawing, Event, Payment, Project, Proposal,
};

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

/// A connection by Relay's Cursor Connections Specification, with two more fields: `nodes` and
/// `totalCount`.
pub(crate) struct Connection<N> {
    pub(super) edges: Vec<Edge<N>>,
    pub(super) has_previous: bool,
    pub(super) has_next: bool,
    pub(super) total: TotalCount,
}

/// A row of a page, with its cursor.
pub(crate) struct Edge<N> {
    pub(super) cursor: LazyCursor,
    pub(super) node: N,
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
