//! Projects.

use async_graphql::{ID, Object, Result};

use super::people::{Address, Customer, SalesRep};
use super::scalar::DateTime;
use super::{optional, parse_nested, read, text};
use crate::domain::{self, NodeId};
use crate::graphql::execution::look_ahead::ShownRow;
use crate::graphql::execution::selection::Selected;
use crate::graphql::pagination::args::paged_object;
use crate::graphql::pagination::connection::{DrawingConnection, EventConnection, ProposalConnection};
use crate::graphql::pagination::load::{Children, load_children};
use crate::store::read::{DrawingRow, EventRow, ProjectRow, ProposalRow};

pub(crate) struct Project(pub(crate) ProjectRow);

impl ShownRow for ProjectRow {}

/// The current state of an ArcSite project, made from its events. A nullable field is null until an
/// event has brought it.
#[Object]
impl Project {
    /// Node id, for `node` and `nodes`: `project:36029621652695040`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Project(self.0.vendor_id.clone()).to_string().into()
    }

    /// ArcSite's own id with every digit, for `Query.project`.
    async fn vendor_id(&self) -> &str {
        self.0.vendor_id.as_str()
    }

    /// Name of the project; empty until an event provides it.
    async fn name(&self) -> Result<&str> {
        Ok(text(&self.0.name)?.unwrap_or_default())
    }

    /// The office's own number of the job, as typed at ArcSite.
    async fn job_number(&self) -> Result<Option<&str>> {
        text(&self.0.job_number)
    }

    /// Tags of the project at ArcSite; empty if it has none.
    async fn tags(&self) -> Result<Vec<String>> {
        Ok(parse_nested(&self.0.tags)?.unwrap_or_default())
    }

    /// The customer as the office typed it into the project at ArcSite; null until an event
    /// provides it. It has no id of its own and is not linked to Bidsketch's `Client`.
    async fn customer(&self) -> Result<Option<Selected<Customer>>> {
        Ok(parse_nested::<domain::Customer>(&self.0.customer)?.map(|value| Selected(value.into())))
    }

    /// Address of the site where the work is done.
    async fn work_site_address(&self) -> Result<Option<Selected<Address>>> {
        Ok(parse_nested::<domain::Address>(&self.0.work_site_address)?.map(|value| Selected(value.into())))
    }

    /// The sales representative of the project at ArcSite, with name, e-mail and phone;
    /// null until an event provides it.
    async fn sales_rep(&self) -> Result<Option<Selected<SalesRep>>> {
        Ok(parse_nested::<domain::SalesRep>(&self.0.sales_rep)?.map(|value| Selected(value.into())))
    }

    /// When the project was created at ArcSite.
    async fn created_at(&self) -> Result<Option<DateTime>> {
        optional(&self.0.created_at, DateTime::from)
    }

    /// When the project was last changed at ArcSite, by the newest event that gives a time.
    async fn updated_at(&self) -> Result<Option<DateTime>> {
        optional(&self.0.updated_at, DateTime::from)
    }

    /// When the first event of the project itself arrived. Events of its drawings and proposals do
    /// not count.
    async fn first_seen_at(&self) -> Result<DateTime> {
        Ok((*read(&self.0.first_seen_at)?).into())
    }

    /// When the newest event of the project, its drawings or its proposals arrived.
    async fn last_event_at(&self) -> Result<DateTime> {
        Ok((*read(&self.0.last_event_at)?).into())
    }

    #[graphql(flatten)]
    async fn children(&self) -> Children<'_, ProjectRow> {
        Children(&self.0)
    }
}

paged_object! {
    #[Object(name = "ProjectChildren")]
    impl Children<'_, ProjectRow> {
        /// Drawings of this project; the one with the newest event comes first.
        fn drawings(self, ctx, args) -> DrawingConnection {
            load_children::<DrawingRow>(ctx, self.0, args).await
        }

        /// Proposals of this project; the one with the newest event comes first.
        fn proposals(self, ctx, args) -> ProposalConnection {
            load_children::<ProposalRow>(ctx, self.0, args).await
        }

        /// Events of this project, its drawings and its proposals, newest first. An event counts if
        /// the link was known when it was recorded.
        fn events(self, ctx, args) -> EventConnection {
            load_children::<EventRow>(ctx, self.0, args).await
        }
    }
}
