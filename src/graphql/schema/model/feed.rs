//! Pages of the log, for integrations.

use async_graphql::{Result, SimpleObject};

use super::Event;
use crate::domain::Seq;
use crate::feed::FeedPage;
use crate::graphql::Api;
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::execution::selection::Selected;
use crate::graphql::pagination::cursor;

/// How many events a page has at most, and where nothing is said.
const FEED_PAGE_SIZE_MAX: i32 = 500;
const FEED_PAGE_SIZE_DEFAULT: i32 = 100;

/// A page of the log, oldest first.
#[derive(SimpleObject)]
pub(crate) struct EventFeedPage {
    /// The events that match, oldest first.
    events: Vec<Selected<Event>>,
    /// Where to go on: it moves on even where nothing matched.
    cursor: String,
    /// Whether the log's head was reached.
    caught_up: bool,
}

impl EventFeedPage {
    pub(crate) fn new(api: &Api, page: FeedPage) -> Self {
        Self {
            events: page.events.into_iter().map(|row| Selected(Event::from(row))).collect(),
            cursor: cursor::encode_event(api.store.log_id(), page.position),
            caught_up: page.caught_up,
        }
    }
}

/// The number of events that a page may have.
pub(crate) fn page_size(asked: Option<i32>) -> std::result::Result<u64, ApiError> {
    let asked = asked.unwrap_or(FEED_PAGE_SIZE_DEFAULT);
    u64::try_from(asked).ok().filter(|_| (1..=FEED_PAGE_SIZE_MAX).contains(&asked)).ok_or_else(|| {
        ApiError::BadUserInput(format!("`pageSize` must be between 1 and {FEED_PAGE_SIZE_MAX}, it is {asked}"))
    })
}

/// What a page costs in the count of a query's complexity.
pub(crate) fn page_cost(asked: Option<i32>, of_an_event: usize) -> usize {
    let events =
        usize::try_from(asked.unwrap_or(FEED_PAGE_SIZE_DEFAULT).clamp(0, FEED_PAGE_SIZE_MAX)).unwrap_or_default();
    events.saturating_mul(of_an_event).saturating_add(1)
}

/// Where a feed begins: past its cursor, or at the log's first event.
pub(crate) async fn start_position(api: &Api, after: Option<&str>) -> Result<Seq> {
    match after {
        Some(cursor) => resolve_cursor(api, cursor).await,
        None => Ok(Seq(0)),
    }
}

/// The place that a cursor names, which must not lie past the head: judged by the database, the same on every node.
pub(crate) async fn resolve_cursor(api: &Api, cursor: &str) -> Result<Seq> {
    let place = cursor::decode_event(api.store.log_id(), cursor).or_api_error()?;
    if place > api.feed.head() && place > api.store.head().await.or_api_error()? {
        let problem = "this cursor lies past the end of the log; was the database restored from an older copy?";
        return Err(ApiError::BadUserInput(problem.to_owned()).into_graphql_error());
    }
    Ok(place)
}
