//! What was received and could not be turned into an event.

use async_graphql::{Context, Object, Result};

use crate::graphql::pagination::args::{PageArgs, page_cost};
use crate::graphql::pagination::connection::{DeliveryConnection, load_connection};
use crate::graphql::schema::model::delivery;
use crate::store::read::{DELIVERY_ORDER, Quarantine};

#[derive(Default)]
pub struct DeliveryQuery;

#[Object]
impl DeliveryQuery {
    /// What was received and could not be turned into an event, with the reason; newest first: `after` means older.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn quarantined_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many of the newest, 0 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is older than this cursor.")] after: Option<String>,
        #[graphql(desc = "How many of the oldest, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what is newer than this cursor.")] before: Option<String>,
    ) -> Result<DeliveryConnection> {
        let args = PageArgs { first, after, last, before };
        load_connection(ctx, Quarantine, DELIVERY_ORDER, args, delivery::columns).await
    }
}
