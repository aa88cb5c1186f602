//! Following the log: every event past a place, oldest first, without a gap or a repeat, then live.
//!
//! A follower is a place in the log and nothing else: no queue of its own that could overflow. It is woken by commits and
//! reads from the newest part of the log, which is in memory (`tail`), or from the database where it is further behind: a slow
//! one holds nobody up and skips nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::watch;

mod tail;

use tail::Tail;

use crate::domain::Seq;
use crate::store::read::{self, EventFilter, EventRow};
use crate::store::{Store, StoreError, Wake};

/// How many events are read at once, bodies and all.
const FOLLOW_PAGE_SIZE: u64 = 50;
/// How long a follower waits for a database that is not available.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// The log, to be followed.
#[derive(Clone, Debug)]
pub struct Feed {
    store: Store,
    head: watch::Sender<Seq>,
    tail: Tail,
}

impl Feed {
    /// A feed of this database's log, from whose head it starts.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn new(store: Store) -> Result<Self, StoreError> {
        let head = store.head().await?;
        Ok(Self { store, head: watch::Sender::new(head), tail: Tail::new(head) })
    }

    /// The newest place that is known to be committed.
    #[must_use]
    pub fn head(&self) -> Seq {
        *self.head.borrow()
    }

    /// Where a commit's newest place is to be told.
    #[must_use]
    pub fn waker(&self) -> FollowerWaker {
        FollowerWaker(self.head.clone())
    }

    /// Gives followers what was committed, here and by other nodes, and tells those, for as long as it is polled. It ends where the log
    /// was found to have lost events: what is known of it here is wrong then.
    pub async fn run(&self) {
        tokio::select! {
            () = self.tail.fill(&self.store, self.head.subscribe()) => {}
            () = self.watch_database() => {}
            () = self.store.notify_peers() => {}
        }
    }

    /// Looks for events that others wrote, when they say so and every now and then.
    async fn watch_database(&self) {
        let mut news = self.store.head_watch();
        loop {
            let why = news.next_wake(|| self.head()).await;
            // What is committed here meanwhile is not expected in the answer.
            let known = self.head();
            match news.head(&self.store, why).await {
                Ok(found) if found < known => {
                    tracing::error!(
                        %found, %known,
                        "the log ends before a place that it had: the database was put back to an earlier state, from a backup or by a \
                         replica that was behind"
                    );
                    return;
                }
                Ok(found) => {
                    if self.waker().wake(found) && why == Wake::Interval {
                        news.reconnect();
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the log's head cannot be read");
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    /// The next page of the log past a place: at most `limit` events that match, oldest first.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn read_page(&self, filter: &EventFilter, after: Seq, limit: u64) -> Result<FeedPage, StoreError> {
        self.read_page_up_to(filter, after, self.head().max(after), limit).await
    }

    /// The next page of the log past a place and up to another.
    async fn read_page_up_to(
        &self,
        filter: &EventFilter,
        after: Seq,
        head: Seq,
        limit: u64,
    ) -> Result<FeedPage, StoreError> {
        let in_memory = if head <= self.tail.head() {
            self.tail.read_after(filter, (after, head), usize::try_from(limit).unwrap_or(usize::MAX))
        } else {
            None
        };
        let events = match in_memory {
            Some(events) => events,
            None => {
                let events = read::events_after(self.store.reader(), filter, (after, head), limit).await?;
                events.into_iter().map(Arc::new).collect()
            }
        };
        // A page that is not full has all up to the head.
        let is_full = u64::try_from(events.len()).is_ok_and(|found| found >= limit);
        let at = events.last().filter(|_| is_full).map_or(head, |last| last.seq);
        Ok(FeedPage { events, position: at, caught_up: at == head })
    }

    /// Every event past `after` that matches, then live. While the database is not available the stream waits; only a value
    /// that cannot be read ends it with an error.
    pub fn follow(&self, filter: EventFilter, after: Seq) -> impl Stream<Item = FeedItem> + use<> {
        self.stream_pages(filter, after, FOLLOW_PAGE_SIZE, StreamBounds { first_page_at_once: false, up_to: None })
            .map_ok(|page| stream::iter(page.events).map(Ok::<_, StoreError>))
            .try_flatten()
    }

    /// Every event past `after` and up to another place that matches.
    pub fn catch_up(&self, filter: EventFilter, after: Seq, up_to: Seq) -> impl Stream<Item = FeedItem> + use<> {
        self.stream_pages(
            filter,
            after,
            FOLLOW_PAGE_SIZE,
            StreamBounds { first_page_at_once: true, up_to: Some(up_to) },
        )
        .map_ok(|page| stream::iter(page.events).map(Ok::<_, StoreError>))
        .try_flatten()
    }

    /// Pages past `after`, the first at once, then one whenever the log grows, with or without events that match.
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
        ends: StreamBounds,
    ) -> impl Stream<Item = Result<FeedPage, StoreError>> + use<> {
        // What was committed before it was asked for belongs to the first page.
        let first = if ends.first_page_at_once { self.head() } else { after };
        let state = (self.clone(), self.tail.subscribe(), filter, after, ends.first_page_at_once);
        stream::try_unfold(state, move |(feed, mut grown, filter, at, at_once)| async move {
            if ends.up_to.is_some_and(|up_to| at >= up_to) {
                return Ok(None);
            }
            // The service stops when nobody is left to tell of commits.
            let known = grown.wait_for(|head| if at_once { *head >= first } else { *head > at }).await;
            let Ok(known) = known.map(|head| *head) else { return Ok(None) };
            let head = ends.up_to.map_or(known, |up_to| known.min(up_to)).max(at);
            let page = loop {
                match feed.read_page_up_to(&filter, at, head, limit).await {
                    // A follower is only a place: it waits for the database and goes on where it was.
                    Err(error @ StoreError::Unavailable(_)) => {
                        tracing::warn!(%error, "a follower of the log waits for the database");
                        tokio::time::sleep(RETRY_DELAY).await;
                    }
                    page => break page?,
                }
            };
            let at = page.position;
            Ok(Some((page, (feed, grown, filter, at, false))))
        })
    }
}

/// Wakes the followers of the log.
#[derive(Clone, Debug)]
pub struct FollowerWaker(watch::Sender<Seq>);

impl FollowerWaker {
    /// Tells the followers of the newest place that is committed, and says whether it is new to them. One that they know, or that is
    /// older, wakes nobody.
    pub fn wake(&self, newest: Seq) -> bool {
        self.0.send_if_modified(|head| {
            let moved = *head < newest;
            *head = newest.max(*head);
            moved
        })
    }
}

/// An event that is followed, or why there is none.
pub type FeedItem = Result<Arc<EventRow>, StoreError>;

/// Where a stream of pages begins and ends.
#[derive(Clone, Copy, Debug)]
struct StreamBounds {
    /// Whether the first page is given at once, even if it is empty.
    first_page_at_once: bool,
    /// Where it ends, if it does.
    up_to: Option<Seq>,
}

/// A page of the log.
#[derive(Clone, Debug)]
pub struct FeedPage {
    /// The events that match, oldest first.
    pub events: Vec<Arc<EventRow>>,
    /// Everything up to here is in this page or an earlier one, or does not match.
    pub position: Seq,
    /// Whether this is the newest that was known when the page was read.
    pub caught_up: bool,
}
