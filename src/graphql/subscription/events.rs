//! Events as they come, from any place in the log on.

use async_graphql::{Context, Result, Subscription};
use futures_util::{Stream, StreamExt};

use crate::domain::Seq;
use crate::graphql::Api;
use crate::graphql::cursor::{self, CursorKind};
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::input::{EventFilter, ProposalEventFilter};
use crate::graphql::model::{Event, ProposalEvent};
use crate::store::log;
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
    ) -> Result<impl Stream<Item = Result<Event>> + use<>> {
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        Ok(follow(ctx, filter, after).await?.map(|row| row.map(Event::from)))
    }

    /// One message an event of a proposal, in the order of the log. Without `after`: live only. With it: every matching event
    /// past that cursor, then live, without a gap or a repeat.
    async fn proposal_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only events that meet this.")] filter: Option<ProposalEventFilter>,
        #[graphql(desc = "The cursor of the last event seen, or `headCursor`.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<ProposalEvent>> + use<>> {
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        Ok(follow(ctx, filter, after).await?.map(|row| row.map(|row| ProposalEvent(row.into()))))
    }
}

/// Follows the log from a cursor on, or from its head.
async fn follow(
    ctx: &Context<'_>,
    filter: read::EventFilter,
    after: Option<String>,
) -> Result<impl Stream<Item = Result<EventRow>> + use<>> {
    let api = ctx.data::<Api>()?;
    let after = match after {
        Some(cursor) => place(api, &cursor).await?,
        None => api.feed.head(),
    };
    Ok(api.feed.follow(filter, after).map(OrApiError::or_api_error))
}

/// The place that a cursor names, which must not lie past the head: judged by the database, the same on every node.
async fn place(api: &Api, cursor: &str) -> Result<Seq> {
    let place = Seq(cursor::decode(CursorKind::Event, api.store.log_id(), cursor).or_api_error()?);
    if place > api.feed.head() && place > log::head(api.store.reader()).await.or_api_error()? {
        let problem = "this cursor lies past the end of the log; was the database restored from an older copy?";
        return Err(ApiError::BadUserInput(problem.to_owned()).extended());
    }
    Ok(place)
}
