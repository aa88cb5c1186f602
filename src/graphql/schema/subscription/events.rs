//! Events as they come, from any place in the log on.

use std::sync::Arc;

use async_graphql::{Context, Result, Subscription};
use futures_util::{Stream, StreamExt, stream};

use crate::domain::Seq;
use crate::feed::Followed;
use crate::graphql::Api;
use crate::graphql::error::OrApiError;
use crate::graphql::execution::selection::Selected;
use crate::graphql::live::position::{self, Position};
use crate::graphql::live::{At, Begin, End, Noted};
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
        Ok(follow(ctx, filter, after).await?.map(|row| row.map(|row| Selected(Event::from(row)))))
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
        Ok(follow(ctx, filter, after).await?.map(|row| row.map(|row| Selected(ProposalEvent(row)))))
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
        let after = feed::start(&api, position::resumed(ctx, after).as_deref()).await?;
        let position = ctx.data_opt::<Position>().cloned();
        let pages = api.feed.follow_pages(filter, after, limit);
        Ok(pages.map(move |page| {
            if let Ok(page) = &page {
                Position::note(position.as_ref(), || cursor::of_event(api.store.log_id(), page.at));
            }
            page.map(|page| Selected(EventFeedPage::new(&api, page))).or_api_error()
        }))
    }
}

/// Follows the log from a cursor on, or from its head.
async fn follow(
    ctx: &Context<'_>,
    filter: read::EventFilter,
    after: Option<String>,
) -> Result<impl Stream<Item = Result<Arc<EventRow>>> + use<>> {
    let api = ctx.data::<Api>()?;
    let after = match (ctx.data_opt::<Begin>(), position::resumed(ctx, after)) {
        (Some(Begin(place)), _) => *place,
        (None, Some(cursor)) => feed::place(api, &cursor).await?,
        (None, None) => api.feed.head(),
    };
    let at = ctx.data_opt::<At>().cloned();
    let position = ctx.data_opt::<Position>().map(|position| (position.clone(), api.store.clone()));
    let events = match ctx.data_opt::<End>().cloned() {
        None => api.feed.follow(filter, after).left_stream(),
        Some(End { up_to, arrived }) => {
            let missed = api.feed.catch_up(filter, after, up_to);
            arriving(missed, up_to.max(after), arrived).right_stream()
        }
    };
    let noted = events.inspect(move |event| {
        if let (Some(at), Ok(event)) = (&at, event) {
            at.0.set(event.seq);
        }
        if let (Some((position, store)), Ok(event)) = (&position, event) {
            Position::note(Some(position), || cursor::of_event(store.log_id(), event.seq));
        }
    });
    Ok(noted.map(OrApiError::or_api_error))
}

/// Notes where a stream has arrived when it ends, unless it failed on the way.
fn arriving<S: Stream<Item = Followed>>(missed: S, place: Seq, arrived: Noted) -> impl Stream<Item = Followed> {
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
