//! The lists of the current projects, drawings, clients and proposals.

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
    /// The projects of ArcSite in their current state. By default the one with the newest event
    /// comes first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
    async fn projects(
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
        #[graphql(
            desc = "Conditions on the projects; all that are given must hold. `totalCount` counts the projects that match."
        )]
        filter: Option<ProjectFilter>,
        #[graphql(
            desc = "How to sort; by default the project with the newest event comes first. A cursor belongs to one order: with another one, start at the first page."
        )]
        order_by: Option<ProjectOrder>,
    ) -> Result<ProjectConnection> {
        let filter = read::ProjectFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let sort = order_by.map_or(project::DEFAULT_ORDER, ProjectOrder::sort);
        let args = PageArgs { first, after, last, before };
        load_connection(ctx, filter, sort, args, project::columns).await
    }

    /// The drawings of ArcSite in their current state. By default the one with the newest event
    /// comes first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
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
        #[graphql(
            desc = "Conditions on the drawings; all that are given must hold. `totalCount` counts the drawings that match."
        )]
        filter: Option<DrawingFilter>,
        #[graphql(
            desc = "How to sort; by default the drawing with the newest event comes first. A cursor belongs to one order: with another one, start at the first page."
        )]
        order_by: Option<DrawingOrder>,
    ) -> Result<DrawingConnection> {
        let filter = read::DrawingFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let sort = order_by.map_or(drawing::DEFAULT_ORDER, DrawingOrder::sort);
        let args = PageArgs { first, after, last, before };
        load_connection(ctx, filter, sort, args, drawing::columns).await
    }

    /// The clients of Bidsketch in their current state. By default the one with the newest event
    /// comes first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
    async fn clients(
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
        #[graphql(
            desc = "Conditions on the clients; all that are given must hold. `totalCount` counts the clients that match."
        )]
        filter: Option<ClientFilter>,
        #[graphql(
            desc = "How to sort; by default the client with the newest event comes first. A cursor belongs to one order: with another one, start at the first page."
        )]
        order_by: Option<ClientOrder>,
    ) -> Result<ClientConnection> {
        let filter = read::ClientFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let sort = order_by.map_or(client::DEFAULT_ORDER, ClientOrder::sort);
        let args = PageArgs { first, after, last, before };
        load_connection(ctx, filter, sort, args, client::columns).await
    }

    /// The proposals of both vendors in their current state. By default the one with the newest
    /// event comes first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
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
        #[graphql(
            desc = "Conditions on the proposals; all that are given must hold. `totalCount` counts the proposals that match."
        )]
        filter: Option<ProposalFilter>,
        #[graphql(
            desc = "How to sort; by default the proposal with the newest event comes first. A cursor belongs to one order: with another one, start at the first page."
        )]
        order_by: Option<ProposalOrder>,
    ) -> Result<ProposalConnection> {
        let filter = read::ProposalFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let sort = order_by.map_or(proposal::DEFAULT_ORDER, ProposalOrder::sort);
        let args = PageArgs { first, after, last, before };
        load_connection(ctx, filter, sort, args, proposal::columns).await
    }
}
