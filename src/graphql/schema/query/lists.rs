//! The lists of the current projects, drawings, clients and proposals.

use async_graphql::Object;

use crate::graphql::error::OrApiError;
use crate::graphql::pagination::args::paged_object;
use crate::graphql::pagination::connection::{
    ClientConnection, DrawingConnection, ProjectConnection, ProposalConnection,
};
use crate::graphql::pagination::load::load_connection;
use crate::graphql::schema::input::{
    ClientFilter, ClientOrder, DrawingFilter, DrawingOrder, ProjectFilter, ProjectOrder, ProposalFilter, ProposalOrder,
};
use crate::store::read;

#[derive(Default)]
pub struct ListQuery;

paged_object! {
    #[Object]
    impl ListQuery {
        /// The projects of ArcSite in their current state. By default the one with the newest event
        /// comes first.
        #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
        fn projects(
            self, ctx, args,
            filter: ProjectFilter = "Conditions on the projects; all that are given must hold. `totalCount` counts the projects that match.",
            order_by: ProjectOrder = "How to sort; by default the project with the newest event comes first. A cursor belongs to one order: with another one, start at the first page.",
        ) -> ProjectConnection {
            let filter = read::ProjectFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
            load_connection(ctx, filter, order_by.map(ProjectOrder::sort), args).await
        }

        /// The drawings of ArcSite in their current state. By default the one with the newest event
        /// comes first.
        #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
        fn drawings(
            self, ctx, args,
            filter: DrawingFilter = "Conditions on the drawings; all that are given must hold. `totalCount` counts the drawings that match.",
            order_by: DrawingOrder = "How to sort; by default the drawing with the newest event comes first. A cursor belongs to one order: with another one, start at the first page.",
        ) -> DrawingConnection {
            let filter = read::DrawingFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
            load_connection(ctx, filter, order_by.map(DrawingOrder::sort), args).await
        }

        /// The clients of Bidsketch in their current state. By default the one with the newest
        /// event comes first.
        #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
        fn clients(
            self, ctx, args,
            filter: ClientFilter = "Conditions on the clients; all that are given must hold. `totalCount` counts the clients that match.",
            order_by: ClientOrder = "How to sort; by default the client with the newest event comes first. A cursor belongs to one order: with another one, start at the first page.",
        ) -> ClientConnection {
            let filter = read::ClientFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
            load_connection(ctx, filter, order_by.map(ClientOrder::sort), args).await
        }

        /// The proposals of both vendors in their current state. By default the one with the newest
        /// event comes first.
        #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the API")]
        fn proposals(
            self, ctx, args,
            filter: ProposalFilter = "Conditions on the proposals; all that are given must hold. `totalCount` counts the proposals that match.",
            order_by: ProposalOrder = "How to sort; by default the proposal with the newest event comes first. A cursor belongs to one order: with another one, start at the first page.",
        ) -> ProposalConnection {
            let filter = read::ProposalFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
            load_connection(ctx, filter, order_by.map(ProposalOrder::sort), args).await
        }
    }
}
