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

/// The order where none is asked for.
pub(crate) const DEFAULT_ORDER: Sort = Sort { column: "last_event_at", tie_breakers: TIE_BREAKERS, descending: true };
/// What tells projects apart that are equal in an order.
pub(crate) const TIE_BREAKERS: &[&str] = &["vendor_id"];
const CHILD_RELATION: Relation = Relation { column: "project_vendor_id", provider: None };

/// The columns that each field of a project needs.
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

/// An ArcSite project as it is now.
#[Object]
impl Project {
    /// The node id: `project:36029621652695040`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Project(self.0.vendor_id.clone()).to_string().into()
    }

    /// ArcSite's own id, every digit of it.
    async fn vendor_id(&self) -> &str {
        self.0.vendor_id.as_str()
    }

    /// Its name; empty while it is not known.
    async fn name(&self) -> &str {
        self.0.name.as_deref().unwrap_or_default()
    }

    /// The office's number of the job.
    async fn job_number(&self) -> Option<&str> {
        self.0.job_number.as_deref()
    }

    /// Its tags.
    async fn tags(&self) -> Result<Vec<String>> {
        Ok(parse_nested(self.0.tags.as_deref())?.unwrap_or_default())
    }

    /// Whom it is for.
    async fn customer(&self) -> Result<Option<Selected<Customer>>> {
        Ok(parse_nested::<domain::Customer>(self.0.customer.as_deref())?.map(|value| Selected(value.into())))
    }

    /// Where the work is done.
    async fn work_site_address(&self) -> Result<Option<Selected<Address>>> {
        Ok(parse_nested::<domain::Address>(self.0.work_site_address.as_deref())?.map(|value| Selected(value.into())))
    }

    /// Who sells it.
    async fn sales_rep(&self) -> Result<Option<Selected<SalesRep>>> {
        Ok(parse_nested::<domain::SalesRep>(self.0.sales_rep.as_deref())?.map(|value| Selected(value.into())))
    }

    /// When it was created at the vendor.
    async fn created_at(&self) -> Option<DateTime> {
        self.0.created_at.map(DateTime::from)
    }

    /// When it was last changed at the vendor.
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime::from)
    }

    /// When it was first seen: when the first event came that is its own, not only of what hangs under it.
    async fn first_seen_at(&self) -> DateTime {
        self.0.first_seen_at.into()
    }

    /// When the newest event of it, its drawings or its proposals came.
    async fn last_event_at(&self) -> DateTime {
        self.0.last_event_at.into()
    }

    /// Its drawings, the one with the newest event first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn drawings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither `first` nor `last` is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
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

    /// Its proposals, the one with the newest event first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither `first` nor `last` is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
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

    /// The events of it, its drawings and its proposals, newest first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither `first` nor `last` is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
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
