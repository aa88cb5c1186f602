//! Pages of the log, oldest event first, for programs that follow it.

use async_graphql::{Result, SimpleObject};

use super::Event;
use crate::domain::Seq;
use crate::feed::FeedPage;
use crate::graphql::Api;
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::execution::selection::Selected;
use crate::graphql::execution::types::PageSize;
use crate::graphql::pagination::cursor;

/// The largest `pageSize`.
const FEED_PAGE_SIZE_MAX: i32 = 500;
/// The default `pageSize`, also written in the `default` of the two `eventFeed` fields.
const FEED_PAGE_SIZE_DEFAULT: i32 = 100;
/// The pages of the feed, for the complexity of a request.
pub(crate) const FEED_PAGE_SIZE: PageSize =
    PageSize { arguments: &["pageSize"], default: FEED_PAGE_SIZE_DEFAULT, max: FEED_PAGE_SIZE_MAX };

/// A page of the log, oldest event first.
#[derive(SimpleObject)]
pub(crate) struct EventFeedPage {
    /// The events of this page that match the filter, oldest first; may be empty.
    events: Vec<Selected<Event>>,
    /// Pass it as `after` to get the next page. It advances even if no event matched the filter.
    cursor: String,
    /// Whether this page reaches the head of the log. If not, the next page is available now.
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

/// Checks a `pageSize`.
pub(crate) fn page_size(requested: Option<i32>) -> std::result::Result<u64, ApiError> {
    let size = requested.unwrap_or(FEED_PAGE_SIZE_DEFAULT);
    u64::try_from(size).ok().filter(|_| (1..=FEED_PAGE_SIZE_MAX).contains(&size)).ok_or_else(|| {
        ApiError::BadUserInput(format!("`pageSize` must be between 1 and {FEED_PAGE_SIZE_MAX}, it is {size}"))
    })
}

/// The position after which a feed starts: its cursor, or the start of the log.
pub(crate) async fn start_position(api: &Api, after: Option<&str>) -> Result<Seq> {
    match cursor::given(after) {
        Some(cursor) => resolve_cursor(api, cursor).await,
        None => Ok(Seq(0)),
    }
}

/// The position that a cursor names. It must not be past the head. A node whose own head is behind
/// asks the database, so that every node accepts the same cursors.
pub(crate) async fn resolve_cursor(api: &Api, cursor: &str) -> Result<Seq> {
    let position = cursor::decode_event(api.store.log_id(), cursor).or_api_error()?;
    if position > api.feed.head() && position > api.store.head().await.or_api_error()? {
        let problem = "this cursor is past the end of the log; was the database restored from an older backup?";
        return Err(ApiError::BadUserInput(problem.to_owned()).into_graphql_error());
    }
    Ok(position)
}
