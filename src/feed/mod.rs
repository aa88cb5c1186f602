//! The feed follows the log: every event after a position, oldest first, without a gap or a repeat,
//! then live.
//!
//! A follower is a position in the log and nothing else. It has no queue that could overflow.
//! Commits wake it, and it reads from the tail in memory (`tail`), or from the database if it is
//! further behind. A slow follower delays no other and skips nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};

mod tail;

use tail::{Tail, TailBounds};

use crate::domain::Seq;
use crate::store::read::{self, EventFilter, EventRow, SEARCHED_EVENTS_MAX};
use crate::store::{Reader, Store, StoreError};

/// The bounds of a follower's page.
const PAGE_BOUNDS: (u64, usize) = (50, 1024 * 1024);
/// How long a follower waits before it retries while the database is not available.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Follows the log of one database.
#[derive(Clone, Debug)]
pub struct Feed {
    store: Store,
    tail: Tail,
    /// How many events a follower reads at once, and how many bytes of bodies unless the first
    /// event of a page alone has more. Each follower may hold a page.
    page_bounds: (u64, usize),
}

impl Feed {
    /// A feed of this database's log. It starts at the head.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self::with_bounds(store, TailBounds::DEFAULT, PAGE_BOUNDS)
    }

    fn with_bounds(store: Store, tail_bounds: TailBounds, page_bounds: (u64, usize)) -> Self {
        let tail = Tail::new(store.known_head(), tail_bounds);
        Self { store, tail, page_bounds }
    }

    /// The newest position that this node knows to be committed.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.store.known_head()
    }

    /// Serves the followers: fills the tail with what this and other nodes commit. It runs for as
    /// long as it is polled.
    pub async fn run(&self) {
        self.tail.fill(&self.store).await;
    }

    /// The next page of the log after a position: at most `limit` events that match, oldest first,
    /// and about a megabyte of them. The request's own reader reads it.
    pub async fn read_page(
        &self,
        db: &Reader,
        filter: &EventFilter,
        after: Seq,
        limit: u64,
    ) -> Result<FeedPage, StoreError> {
        self.read_page_up_to(db, filter, (after, self.head().max(after)), limit).await
    }

    /// The next page of the log after a position, up to `head`.
    async fn read_page_up_to(
        &self,
        db: &Reader,
        filter: &EventFilter,
        (after, head): (Seq, Seq),
        limit: u64,
    ) -> Result<FeedPage, StoreError> {
        let (_, bytes_max) = self.page_bounds;
        // A search for a text in payloads reads so many events at once, whether they match or not.
        let newest = head;
        let head = match filter.payload_contains {
            Some(_) => head.min(Seq(after.0.saturating_add(SEARCHED_EVENTS_MAX))),
            None => head,
        };
        let in_memory = if head <= self.tail.head() {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            self.tail.read_after(filter, (after, head), (limit, bytes_max))
        } else {
            None
        };
        let (events, may_follow) = match in_memory {
            Some(page) => page,
            None => {
                let bytes_max = u64::try_from(bytes_max).unwrap_or(u64::MAX);
                let (events, may_follow) = read::events_after(db, filter, (after, head), (limit, bytes_max)).await?;
                (events.into_iter().map(Arc::new).collect(), may_follow)
            }
        };
        // A page that nothing follows has everything up to the head.
        let at = events.last().filter(|_| may_follow).map_or(head, |last| last.seq);
        Ok(FeedPage { events, position: at, caught_up: at == newest })
    }

    /// Every event after `after` that matches, then live. The stream waits while the database is
    /// not available. Only an event that cannot be read ends it with an error.
    pub fn follow(&self, filter: EventFilter, after: Seq) -> impl Stream<Item = FeedItem> + use<> {
        self.stream_pages(filter, after, self.page_bounds.0, StreamBounds { first_page_at_once: false, up_to: None })
            .map_ok(|page| stream::iter(page.events).map(Ok::<_, StoreError>))
            .try_flatten()
    }

    /// Every event after `after` and up to `up_to` that matches.
    pub fn catch_up(&self, filter: EventFilter, after: Seq, up_to: Seq) -> impl Stream<Item = FeedItem> + use<> {
        self.stream_pages(
            filter,
            after,
            self.page_bounds.0,
            StreamBounds { first_page_at_once: true, up_to: Some(up_to) },
        )
        .map_ok(|page| stream::iter(page.events).map(Ok::<_, StoreError>))
        .try_flatten()
    }

    /// Pages after `after`: the first at once, then one whenever the log grows, with or without
    /// events that match.
    pub fn follow_pages(
        &self,
        filter: EventFilter,
        after: Seq,
        limit: u64,
    ) -> impl Stream<Item = Result<FeedPage, StoreError>> + use<> {
        self.stream_pages(filter, after, limit, StreamBounds { first_page_at_once: true, up_to: None })
    }

    fn stream_pages(
        &self,
        filter: EventFilter,
        after: Seq,
        limit: u64,
        bounds: StreamBounds,
    ) -> impl Stream<Item = Result<FeedPage, StoreError>> + use<> {
        // The first page has everything that was committed before this call.
        let first = if bounds.first_page_at_once { self.head() } else { after };
        let state = (self.clone(), self.tail.subscribe(), filter, after, bounds.first_page_at_once);
        stream::try_unfold(state, move |(feed, mut tail_heads, filter, at, at_once)| async move {
            if bounds.up_to.is_some_and(|up_to| at >= up_to) {
                return Ok(None);
            }
            // The channel closes when the service stops.
            let tail_head = tail_heads.wait_for(|head| if at_once { *head >= first } else { *head > at }).await;
            let Ok(tail_head) = tail_head.map(|head| *head) else { return Ok(None) };
            let head = bounds.up_to.map_or(tail_head, |up_to| tail_head.min(up_to)).max(at);
            let page = loop {
                match feed.read_page_up_to(feed.store.reader(), &filter, (at, head), limit).await {
                    // A follower is only a position, so it waits for the database and resumes
                    // there.
                    Err(error @ StoreError::Unavailable(_)) => {
                        tracing::warn!(%error, "a follower cannot read the log; will retry");
                        tokio::time::sleep(RETRY_DELAY).await;
                    }
                    page => break page?,
                }
            };
            let at = page.position;
            Ok(Some((page, (feed, tail_heads, filter, at, false))))
        })
    }
}

/// An event of a followed log, or the error that ends the stream.
pub type FeedItem = Result<Arc<EventRow>, StoreError>;

/// How a stream of pages begins and ends.
#[derive(Clone, Copy, Debug)]
struct StreamBounds {
    /// Whether the first page comes at once, even if it is empty.
    first_page_at_once: bool,
    /// The position at which the stream ends. `None` for a live stream.
    up_to: Option<Seq>,
}

/// A page of the log.
#[derive(Clone, Debug)]
pub struct FeedPage {
    /// The events that match, oldest first.
    pub events: Vec<Arc<EventRow>>,
    /// Every matching event up to this position is in this page or an earlier one.
    pub position: Seq,
    /// Whether `position` was the newest known head when the page was read.
    pub caught_up: bool,
}

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tail_tests;
