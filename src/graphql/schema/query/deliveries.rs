//! The quarantined deliveries.

use async_graphql::{Context, Object, Result};

use crate::graphql::pagination::args::{PageArgs, page_cost};
use crate::graphql::pagination::connection::{DeliveryConnection, load_connection};
use crate::graphql::schema::model::delivery;
use crate::store::read::{DELIVERY_ORDER, Quarantine};

#[derive(Default)]
pub struct DeliveryQuery;

#[Object]
impl DeliveryQuery {
    /// Deliveries that could not become an event, with the reason, newest first: `after` means
    /// older. `releaseQuarantinedDelivery` tries one again.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn quarantined_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "How many of the newest deliveries to return, 0 to 100. Without `first` and `last` a page has 20."
        )]
        first: Option<i32>,
        #[graphql(
            desc = "Return only deliveries older than this cursor: the `cursor` of an edge, or `pageInfo.endCursor`."
        )]
        after: Option<String>,
        #[graphql(desc = "How many of the oldest deliveries to return, 0 to 100. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(
            desc = "Return only deliveries newer than this cursor: the `cursor` of an edge, or `pageInfo.startCursor`."
        )]
        before: Option<String>,
    ) -> Result<DeliveryConnection> {
        let args = PageArgs { first, after, last, before };
        load_connection(ctx, Quarantine, DELIVERY_ORDER, args, delivery::columns).await
    }
}
