//! What was received and could not be turned into an event.

use async_graphql::{Context, Object, Result};

use crate::graphql::Api;
use crate::graphql::args::PageArgs;
use crate::graphql::cursor::CursorKind;
use crate::graphql::error::OrApiError;
use crate::graphql::model::connection::{self, DeliveryConnection};
use crate::store::read::delivery;

#[derive(Default)]
pub struct DeliveryQuery;

#[Object]
impl DeliveryQuery {
    /// What was received and could not be turned into an event, with the reason; newest first: `after` means older.
    async fn quarantined_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many of the newest, 0 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is older than this cursor.")] after: Option<String>,
        #[graphql(desc = "How many of the oldest, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what is newer than this cursor.")] before: Option<String>,
    ) -> Result<DeliveryConnection> {
        let store = &ctx.data::<Api>()?.store;
        let window =
            PageArgs { first, after, last, before }.window(CursorKind::Delivery, store.log_id()).or_api_error()?;
        let page = delivery::quarantined(store.reader(), window).await.or_api_error()?;
        Ok(connection::quarantined(store.log_id(), page))
    }
}
