//! Projects.

use async_graphql::{Context, ID, Object, Result};

use super::people::{Address, Customer, SalesRep};
use super::scalar::DateTime;
use super::{drawing, event, parse_nested, proposal};
use crate::domain::{self, NodeId};
use crate::graphql::execution::selection::Selected;
use crate::graphql::pagination::args::{PageArgs, page_cost};
use crate::graphql::pagination::connection::{
    DrawingConnection, EventConnection, ProposalConnection, load_child_connection,
};
use crate::store::read::relation::Relation;
use crate::store::read::{DrawingRow, EventRow, LOG_ORDER, ProjectRow, ProposalRow, Sort};
use crate::store::sql::json_rows::Columns;

pub(crate) struct Project(pub(crate) ProjectRow);

/// The default order: the newest event first.
pub(crate) const DEFAULT_ORDER: Sort = Sort { column: "last_event_at", tie_breakers: TIE_BREAKERS, descending: true };
/// The columns that order projects with equal sort values.
pub(crate) const TIE_BREAKERS: &[&str] = &["vendor_id"];
const CHILD_RELATION: Relation = Relation { column: "project_vendor_id", provider: None };

/// The columns that a field of a project needs.
pub(crate) fn columns(field: &str) -> Columns {
    match field {
        "name" => ProjectRow::name,
        "jobNumber" => ProjectRow::job_number,
        "tags" => ProjectRow::tags,
        "customer" => ProjectRow::customer,
        "workSiteAddress" => ProjectRow::work_site_address,
        "salesRep" => ProjectRow::sales_rep,
        "createdAt" => ProjectRow::created_at,
        "updatedAt" => ProjectRow::updated_at,
        "firstSeenAt" => ProjectRow::first_seen_at,
        "lastEventAt" => ProjectRow::last_event_at,
        _ => Columns::NONE,
    }
}

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
    async fn name(&self) -> &str {
        self.0.name.as_deref().unwrap_or_default()
    }

    /// The office's own number of the job, as typed at ArcSite.
    async fn job_number(&self) -> Option<&str> {
        self.0.job_number.as_deref()
    }

    /// Tags of the project at ArcSite; empty if it has none.
    async fn tags(&self) -> Result<Vec<String>> {
        Ok(parse_nested(self.0.tags.as_deref())?.unwrap_or_default())
    }

    /// The customer, as typed at ArcSite; no id of its own, not linked to Bidsketch's `Client`.
    async fn customer(&self) -> Result<Option<Selected<Customer>>> {
        Ok(parse_nested::<domain::Customer>(self.0.customer.as_deref())?.map(|value| Selected(value.into())))
    }

    /// Address of the site where the work is done.
    async fn work_site_address(&self) -> Result<Option<Selected<Address>>> {
        Ok(parse_nested::<domain::Address>(self.0.work_site_address.as_deref())?.map(|value| Selected(value.into())))
    }

    /// The sales representative at ArcSite.
    async fn sales_rep(&self) -> Result<Option<Selected<SalesRep>>> {
        Ok(parse_nested::<domain::SalesRep>(self.0.sales_rep.as_deref())?.map(|value| Selected(value.into())))
    }

    /// When the project was created at ArcSite.
    async fn created_at(&self) -> Option<DateTime> {
        self.0.created_at.map(DateTime::from)
    }

    /// When the project was last changed at ArcSite, by the newest event that gives a time.
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime::from)
    }

    /// When the first event of the project itself arrived. Events of its drawings and proposals do
    /// not count.
    async fn first_seen_at(&self) -> DateTime {
        self.0.first_seen_at.into()
    }

    /// When the newest event of the project, its drawings or its proposals arrived.
    async fn last_event_at(&self) -> DateTime {
        self.0.last_event_at.into()
    }

    /// Drawings of this project; the one with the newest event comes first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn drawings(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "How many items to return from the start of the list, 0 to 100. Without `first` and `last` a page has 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Return only items after this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "How many items to return from the end of the list, 0 to 100. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Return only items before this cursor: the `cursor` of an edge, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Result<DrawingConnection> {
        let args = PageArgs { first, after, last, before };
        load_child_connection::<DrawingRow>(
            ctx,
            self.0.vendor_id.clone(),
            CHILD_RELATION,
            drawing::DEFAULT_ORDER,
            args,
            drawing::columns,
        )
        .await
    }

    /// Proposals of this project; the one with the newest event comes first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "How many items to return from the start of the list, 0 to 100. Without `first` and `last` a page has 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Return only items after this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "How many items to return from the end of the list, 0 to 100. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Return only items before this cursor: the `cursor` of an edge, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Result<ProposalConnection> {
        let args = PageArgs { first, after, last, before };
        load_child_connection::<ProposalRow>(
            ctx,
            self.0.vendor_id.clone(),
            CHILD_RELATION,
            proposal::DEFAULT_ORDER,
            args,
            proposal::columns,
        )
        .await
    }

    /// Events of this project, its drawings and its proposals, newest first. An event counts if the
    /// link was known when it was recorded.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "How many items to return from the start of the list, 0 to 100. Without `first` and `last` a page has 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Return only items after this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "How many items to return from the end of the list, 0 to 100. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Return only items before this cursor: the `cursor` of an edge, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Result<EventConnection> {
        let args = PageArgs { first, after, last, before };
        load_child_connection::<EventRow>(
            ctx,
            self.0.vendor_id.clone(),
            CHILD_RELATION,
            LOG_ORDER,
            args,
            event::columns,
        )
        .await
    }
}
