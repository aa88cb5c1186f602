//! Events as they come, from any place in the log on.

use std::sync::Arc;

use async_graphql::{Context, Result, Subscription};
use futures_util::{Stream, StreamExt, stream};

use crate::domain::Seq;
use crate::feed::FeedItem;
use crate::graphql::Api;
use crate::graphql::error::OrApiError;
use crate::graphql::execution::selection::Selected;
use crate::graphql::live::position::{self, CursorCell};
use crate::graphql::live::{NextEventPosition, PositionCell, StartAt, StopAt};
use crate::graphql::pagination::cursor;
use crate::graphql::schema::input::{EventFilter, ProposalEventFilter};
use crate::graphql::schema::model::feed::{self, EventFeedPage};
use crate::graphql::schema::model::{Event, ProposalEvent};
use crate::store::read::{self, EventRow};

#[derive(Default)]
pub struct EventSubscription;

#[Subscription]
impl EventSubscription {
    /// One message an event, in the order of the log. Without `after`: live only. With it: every matching event past that
    /// cursor, then live, without a gap or a repeat.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only events that meet this.")] filter: Option<EventFilter>,
        #[graphql(desc = "The cursor of the last event seen, or `headCursor`.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Selected<Event>>> + use<>> {
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        Ok(follow_events(ctx, filter, after).await?.map(|row| row.map(|row| Selected(Event::from(row)))))
    }

    /// One message an event of a proposal, in the order of the log. Without `after`: live only. With it: every matching event
    /// past that cursor, then live, without a gap or a repeat.
    async fn proposal_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only events that meet this.")] filter: Option<ProposalEventFilter>,
        #[graphql(desc = "The cursor of the last event seen, or `headCursor`.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Selected<ProposalEvent>>> + use<>> {
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        Ok(follow_events(ctx, filter, after).await?.map(|row| row.map(|row| Selected(ProposalEvent(row)))))
    }

    /// For integrations: pages of the log, oldest first, the first at once (empty if need be), then one whenever the log
    /// grows. Without `after` it begins at the log's first event.
    #[graphql(complexity = "feed::page_cost(page_size, child_complexity)")]
    async fn event_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only events that meet this.")] filter: Option<EventFilter>,
        #[graphql(desc = "The `cursor` of the last page, or of any event, or `headCursor`.")] after: Option<String>,
        #[graphql(desc = "How many events a page has at most, 1 to 500.", default = 100)] page_size: Option<i32>,
    ) -> Result<impl Stream<Item = Result<Selected<EventFeedPage>>> + use<>> {
        let api = ctx.data::<Api>()?.clone();
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let limit = feed::page_size(page_size).or_api_error()?;
        let after = feed::start_position(&api, position::resume_cursor(ctx, after).as_deref()).await?;
        let position = ctx.data_opt::<CursorCell>().cloned();
        let pages = api.feed.follow_pages(filter, after, limit);
        Ok(pages.map(move |page| {
            if let Ok(page) = &page {
                CursorCell::record(position.as_ref(), || cursor::encode_event(api.store.log_id(), page.position));
            }
            page.map(|page| Selected(EventFeedPage::new(&api, page))).or_api_error()
        }))
    }
}

/// Follows the log from a cursor on, or from its head.
async fn follow_events(
    ctx: &Context<'_>,
    filter: read::EventFilter,
    after: Option<String>,
) -> Result<impl Stream<Item = Result<Arc<EventRow>>> + use<>> {
    let api = ctx.data::<Api>()?;
    let after = match (ctx.data_opt::<StartAt>(), position::resume_cursor(ctx, after)) {
        (Some(StartAt(place)), _) => *place,
        (None, Some(cursor)) => feed::resolve_cursor(api, &cursor).await?,
        (None, None) => api.feed.head(),
    };
    let at = ctx.data_opt::<NextEventPosition>().cloned();
    let position = ctx.data_opt::<CursorCell>().map(|position| (position.clone(), api.store.clone()));
    let events = match ctx.data_opt::<StopAt>().cloned() {
        None => api.feed.follow(filter, after).left_stream(),
        Some(StopAt { up_to, reached: arrived }) => {
            let missed = api.feed.catch_up(filter, after, up_to);
            record_when_reached(missed, up_to.max(after), arrived).right_stream()
        }
    };
    let noted = events.inspect(move |event| {
        if let (Some(at), Ok(event)) = (&at, event) {
            at.0.set(event.seq);
        }
        if let (Some((position, store)), Ok(event)) = (&position, event) {
            CursorCell::record(Some(position), || cursor::encode_event(store.log_id(), event.seq));
        }
    });
    Ok(noted.map(OrApiError::or_api_error))
}

/// Notes where a stream has arrived when it ends, unless it failed on the way.
fn record_when_reached<S: Stream<Item = FeedItem>>(
    missed: S,
    place: Seq,
    arrived: PositionCell,
) -> impl Stream<Item = FeedItem> {
    let state = (Box::pin(missed), false, arrived);
    stream::unfold(state, move |(mut missed, failed, arrived)| async move {
        match missed.next().await {
            Some(event) => {
                let failed = failed || event.is_err();
                Some((event, (missed, failed, arrived)))
            }
            None => {
                if !failed {
                    arrived.set(place);
                }
                None
            }
        }
    })
}
