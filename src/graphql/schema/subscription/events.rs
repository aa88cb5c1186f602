//! Events as they are recorded, from any position of the log on.

use std::sync::Arc;

use async_graphql::{Context, Result, Subscription};
use futures_util::{Stream, StreamExt, stream};

use crate::domain::Seq;
use crate::feed::FeedItem;
use crate::graphql::Api;
use crate::graphql::error::OrApiError;
use crate::graphql::execution::HeadAtStart;
use crate::graphql::execution::budget::RequestBudget;
use crate::graphql::execution::selection::Selected;
use crate::graphql::live::stream::resume_cursor;
use crate::graphql::live::{PositionCell, StartAt, StopAt};
use crate::graphql::schema::input::{EventFilter, ProposalEventFilter};
use crate::graphql::schema::model::feed::{self, EventFeedPage};
use crate::graphql::schema::model::{Event, ProposalEvent};
use crate::store::read::{self, EventRow};

#[derive(Default)]
pub struct EventSubscription;

#[Subscription]
impl EventSubscription {
    /// One message per event, in the order of the log. Without `after` only new events arrive. With
    /// `after` every matching event after that cursor arrives first, then the new ones, without a
    /// gap or a repeat.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions on the events; all that are given must hold.")] filter: Option<EventFilter>,
        #[graphql(desc = "Start after this cursor: that of the last event you processed, or `headCursor`.")]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Selected<Event>>> + use<>> {
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        Ok(follow_events(ctx, filter, after).await?.map(|row| row.map(|row| Selected(Event::from(row)))))
    }

    /// One message per event of a proposal, in the order of the log. Without `after` only new
    /// events arrive. With `after` every matching event after that cursor arrives first, then the
    /// new ones, without a gap or a repeat.
    async fn proposal_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions on the events; all that are given must hold.")] filter: Option<
            ProposalEventFilter,
        >,
        #[graphql(desc = "Start after this cursor: that of the last event you processed, or `headCursor`.")]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Selected<ProposalEvent>>> + use<>> {
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        Ok(follow_events(ctx, filter, after).await?.map(|row| row.map(|row| Selected(ProposalEvent(row)))))
    }

    /// The log in pages, for integrations: oldest event first. The first page arrives at once, even
    /// if it is empty; then one arrives whenever the log grows. Without `after` the first page
    /// starts at the first event of the log. The query `eventFeed` gives the same pages.
    async fn event_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions on the events; all that are given must hold.")] filter: Option<EventFilter>,
        #[graphql(
            desc = "Start after this cursor: the `cursor` of the previous page or of an event, or `headCursor`."
        )]
        after: Option<String>,
        #[graphql(desc = "The largest number of events in a page, 1 to 500.", default = 100)] page_size: Option<i32>,
    ) -> Result<impl Stream<Item = Result<Selected<EventFeedPage>>> + use<>> {
        let api = ctx.data::<Api>()?.clone();
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let limit = feed::page_size(page_size).or_api_error()?;
        let after = feed::start_position(&api, resume_cursor(ctx, after).as_deref()).await?;
        let (next_position, budget) = message_data(ctx)?;
        let pages = api.feed.follow_pages(filter, after, limit);
        Ok(pages.map(move |page| {
            budget.renew();
            if let Ok(page) = &page {
                next_position.set(page.position);
            }
            page.map(|page| Selected(EventFeedPage::new(&api, page))).or_api_error()
        }))
    }
}

/// What each message of a subscription sets before its fields are resolved: its position, and its
/// budget.
fn message_data(ctx: &Context<'_>) -> Result<(PositionCell, RequestBudget)> {
    let position = ctx.data_opt::<PositionCell>().cloned().unwrap_or_default();
    Ok((position, ctx.data::<RequestBudget>()?.clone()))
}

/// Follows the log from a cursor on; without one, from its head when the subscription began.
async fn follow_events(
    ctx: &Context<'_>,
    filter: read::EventFilter,
    after: Option<String>,
) -> Result<impl Stream<Item = Result<Arc<EventRow>>> + use<>> {
    let api = ctx.data::<Api>()?;
    let after = match (ctx.data_opt::<StartAt>(), resume_cursor(ctx, after)) {
        (Some(StartAt(position)), _) => *position,
        (None, Some(cursor)) => feed::resolve_cursor(api, &cursor).await?,
        (None, None) => ctx.data::<HeadAtStart>()?.0,
    };
    let (next_position, budget) = message_data(ctx)?;
    let events = match ctx.data_opt::<StopAt>().cloned() {
        None => api.feed.follow(filter, after).left_stream(),
        Some(StopAt { up_to, reached }) => {
            let missed = api.feed.catch_up(filter, after, up_to);
            record_when_reached(missed, up_to.max(after), reached).right_stream()
        }
    };
    let events = events.inspect(move |event| {
        budget.renew();
        if let Ok(event) = event {
            next_position.set(event.seq);
        }
    });
    Ok(events.map(OrApiError::or_api_error))
}

/// Records that a position is reached when the stream ends, unless an item was an error.
fn record_when_reached<S: Stream<Item = FeedItem>>(
    items: S,
    position: Seq,
    reached: PositionCell,
) -> impl Stream<Item = FeedItem> {
    let state = (Box::pin(items), false, reached);
    stream::unfold(state, move |(mut items, failed, reached)| async move {
        match items.next().await {
            Some(item) => {
                let failed = failed || item.is_err();
                Some((item, (items, failed, reached)))
            }
            None => {
                if !failed {
                    reached.set(position);
                }
                None
            }
        }
    })
}
