//! The history.

use async_graphql::{Context, Object, Result};

use crate::graphql::Api;
use crate::graphql::error::OrApiError;
use crate::graphql::execution::HeadAtStart;
use crate::graphql::execution::selection::Selected;
use crate::graphql::pagination::args::{PageArgs, page_cost};
use crate::graphql::pagination::connection::{EventConnection, load_connection};
use crate::graphql::pagination::cursor;
use crate::graphql::schema::input::EventFilter;
use crate::graphql::schema::model::event;
use crate::graphql::schema::model::feed::{self, EventFeedPage};
use crate::store::read::{self, LOG_ORDER};

#[derive(Default)]
pub struct EventQuery;

#[Object]
impl EventQuery {
    /// The history, newest first: `after` means older.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
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
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let args = PageArgs { first, after, last, before };
        load_connection(ctx, filter, LOG_ORDER, args, event::columns).await
    }

    /// The same page as the subscription's, for jobs that poll: oldest first, `after` means newer. Come back with its
    /// `cursor`; without `after` it begins at the log's first event.
    #[graphql(complexity = "feed::page_cost(page_size, child_complexity)")]
    async fn event_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only events that meet this.")] filter: Option<EventFilter>,
        #[graphql(desc = "The `cursor` of the last page, or of any event, or `headCursor`.")] after: Option<String>,
        #[graphql(desc = "How many events a page has at most, 1 to 500.", default = 100)] page_size: Option<i32>,
    ) -> Result<Selected<EventFeedPage>> {
        let api = ctx.data::<Api>()?;
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let limit = feed::page_size(page_size).or_api_error()?;
        let after = feed::start_position(api, after.as_deref()).await?;
        let page = api.feed.read_page(&filter, after, limit).await.or_api_error()?;
        Ok(Selected(EventFeedPage::new(api, page)))
    }

    /// The log's head when this request began, read before every other field: subscribing with `after: headCursor` misses
    /// nothing that this request did not show. Valid on an empty log too.
    async fn head_cursor(&self, ctx: &Context<'_>) -> Result<String> {
        let head = ctx.data::<HeadAtStart>()?.0;
        Ok(cursor::encode_event(ctx.data::<Api>()?.store.log_id(), head))
    }
}
