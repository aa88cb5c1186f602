//! The lists of what is known now.

use async_graphql::{Context, Object, Result};

use crate::graphql::error::OrApiError;
use crate::graphql::pagination::args::{PageArgs, page_cost};
use crate::graphql::pagination::connection::{
    ClientConnection, DrawingConnection, ProjectConnection, ProposalConnection, load_connection,
};
use crate::graphql::schema::input::{
    ClientFilter, ClientOrder, DrawingFilter, DrawingOrder, ProjectFilter, ProjectOrder, ProposalFilter, ProposalOrder,
};
use crate::graphql::schema::model::{client, drawing, project, proposal};
use crate::store::read;

#[derive(Default)]
pub struct ListQuery;

#[Object]
impl ListQuery {
    /// ArcSite's projects, the one with the newest event first where no order is asked for.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
    async fn projects(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither `first` nor `last` is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those that meet this.")] filter: Option<ProjectFilter>,
        #[graphql(desc = "In this order.")] order_by: Option<ProjectOrder>,
    ) -> Result<ProjectConnection> {
        let filter = read::ProjectFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let sort = order_by.map_or(project::DEFAULT_ORDER, ProjectOrder::sort);
        let args = PageArgs { first, after, last, before };
        load_connection(ctx, filter, sort, args, project::columns).await
    }

    /// ArcSite's drawings, the one with the newest event first where no order is asked for.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
    async fn drawings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither `first` nor `last` is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those that meet this.")] filter: Option<DrawingFilter>,
        #[graphql(desc = "In this order.")] order_by: Option<DrawingOrder>,
    ) -> Result<DrawingConnection> {
        let filter = read::DrawingFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let sort = order_by.map_or(drawing::DEFAULT_ORDER, DrawingOrder::sort);
        let args = PageArgs { first, after, last, before };
        load_connection(ctx, filter, sort, args, drawing::columns).await
    }

    /// Bidsketch's clients, the one with the newest event first where no order is asked for.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
    async fn clients(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither `first` nor `last` is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those that meet this.")] filter: Option<ClientFilter>,
        #[graphql(desc = "In this order.")] order_by: Option<ClientOrder>,
    ) -> Result<ClientConnection> {
        let filter = read::ClientFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let sort = order_by.map_or(client::DEFAULT_ORDER, ClientOrder::sort);
        let args = PageArgs { first, after, last, before };
        load_connection(ctx, filter, sort, args, client::columns).await
    }

    /// Both vendors' proposals, the one with the newest event first where no order is asked for.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither `first` nor `last` is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those that meet this.")] filter: Option<ProposalFilter>,
        #[graphql(desc = "In this order.")] order_by: Option<ProposalOrder>,
    ) -> Result<ProposalConnection> {
        let filter = read::ProposalFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let sort = order_by.map_or(proposal::DEFAULT_ORDER, ProposalOrder::sort);
        let args = PageArgs { first, after, last, before };
        load_connection(ctx, filter, sort, args, proposal::columns).await
    }
}
