//! The history.

use async_graphql::{Context, Object, Result};

use crate::graphql::Api;
use crate::graphql::args::PageArgs;
use crate::graphql::cursor::{self, CursorKind};
use crate::graphql::error::OrApiError;
use crate::graphql::extension::HeadAtStart;
use crate::graphql::input::EventFilter;
use crate::graphql::model::connection::{self, EventConnection};
use crate::store::read;

#[derive(Default)]
pub struct EventQuery;

#[Object]
impl EventQuery {
    /// The history, newest first: `after` means older.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many of the newest, 0 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is older than this cursor.")] after: Option<String>,
        #[graphql(desc = "How many of the oldest, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what is newer than this cursor.")] before: Option<String>,
        #[graphql(desc = "Only events that meet this.")] filter: Option<EventFilter>,
    ) -> Result<EventConnection> {
        let store = &ctx.data::<Api>()?.store;
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let window =
            PageArgs { first, after, last, before }.window(CursorKind::Event, store.log_id()).or_api_error()?;
        let page = read::event::page(store.reader(), &filter, window).await.or_api_error()?;
        Ok(connection::events(store.log_id(), filter, page))
    }

    /// The log's head when this request began, read before every other field: subscribing with `after: headCursor` misses
    /// nothing that this request did not show. Valid on an empty log too.
    async fn head_cursor(&self, ctx: &Context<'_>) -> Result<String> {
        let head = ctx.data::<HeadAtStart>()?.0;
        Ok(cursor::of_event(ctx.data::<Api>()?.store.log_id(), head))
    }
}
