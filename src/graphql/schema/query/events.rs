//! The log: its history, its feed and its head.

use async_graphql::{Context, Object, Result};

use crate::graphql::Api;
use crate::graphql::error::OrApiError;
use crate::graphql::execution::HeadAtStart;
use crate::graphql::execution::selection::Selected;
use crate::graphql::pagination::args::paged_object;
use crate::graphql::pagination::connection::EventConnection;
use crate::graphql::pagination::cursor;
use crate::graphql::pagination::load::load_connection;
use crate::graphql::schema::input::EventFilter;
use crate::graphql::schema::model::feed::{self, EventFeedPage};
use crate::store::{Reader, read};

#[derive(Default)]
pub struct HistoryQuery;

paged_object! {
    [
        "How many of the newest events to return, 0 to 100. Without `first` and `last` a page has 20.",
        "Return only events older than this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.",
        "How many of the oldest events to return, 0 to 100. Not together with `first`.",
        "Return only events newer than this cursor: the `cursor` of an edge, or `pageInfo.startCursor`."
    ]
    #[Object]
    impl HistoryQuery {
        /// The history: all events, newest first. `after` means older.
        fn events(
            self, ctx, args,
            filter: EventFilter = "Conditions on the events; all that are given must hold. `totalCount` counts the events that match.",
        ) -> EventConnection {
            let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
            load_connection(ctx, filter, None, args).await
        }
    }
}

#[derive(Default)]
pub struct EventQuery;

#[Object]
impl EventQuery {
    /// The log in pages, for programs that poll: oldest event first, `after` means newer. Store the
    /// page's `cursor` and pass it as `after` next time. Without `after` the first page starts at
    /// the first event of the log. The subscription `eventFeed` gives the same pages.
    async fn event_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions on the events; all that are given must hold.")] filter: Option<EventFilter>,
        #[graphql(
            desc = "Start after this cursor: the `cursor` of the previous page or of an event, or `headCursor`."
        )]
        after: Option<String>,
        #[graphql(desc = "The largest number of events in a page, 1 to 500.", default = 100)] page_size: Option<i32>,
    ) -> Result<Selected<EventFeedPage>> {
        let api = ctx.data::<Api>()?;
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let limit = feed::page_size(page_size).or_api_error()?;
        let after = feed::start_position(api, after.as_deref()).await?;
        let page = api.feed.read_page(ctx.data::<Reader>()?, &filter, after, limit).await.or_api_error()?;
        Ok(Selected(EventFeedPage::new(api, page)))
    }

    /// Cursor of the newest event when this request began, read before every other field. A
    /// subscription with `after: headCursor` therefore delivers every event that is newer than this
    /// response. Valid on an empty log too.
    async fn head_cursor(&self, ctx: &Context<'_>) -> Result<String> {
        let head = ctx.data::<HeadAtStart>()?.0;
        Ok(cursor::encode_event(ctx.data::<Api>()?.store.log_id(), head))
    }
}
