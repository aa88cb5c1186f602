//! Following the log: every event past a place, oldest first, without a gap or a repeat, then live.
//!
//! A follower is a place in the log and nothing else: no queue of its own that could overflow. It is woken by commits and
//! reads from the database, so a slow one holds nobody up and skips nothing.

use std::time::Duration;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::watch;

use crate::domain::Seq;
use crate::store::read::{self, EventFilter, EventRow};
use crate::store::{Store, StoreError, log};

/// How many events are read at once, bodies and all.
const PAGE: u64 = 50;
/// How long a follower waits for a database that is not available.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How often the database is asked for its head even where nobody woke us: another process may have written to it.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The log, to be followed.
#[derive(Clone, Debug)]
pub struct Feed {
    store: Store,
    head: watch::Sender<Seq>,
}

impl Feed {
    /// A feed of this database's log, from whose head it starts.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn new(store: Store) -> Result<Self, StoreError> {
        let head = watch::Sender::new(log::head(store.reader()).await?);
        Ok(Self { store, head })
    }

    /// The newest place that is known to be committed.
    #[must_use]
    pub fn head(&self) -> Seq {
        *self.head.borrow()
    }

    /// Where a commit's newest place is to be told.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker(self.head.clone())
    }

    /// Looks for events that others wrote, for as long as it is polled.
    pub async fn watch_database(&self) {
        let mut interval = tokio::time::interval(LOOK_EVERY);
        loop {
            interval.tick().await;
            match log::head(self.store.reader()).await {
                Ok(found) => {
                    self.waker().wake(found);
                }
                Err(error) => tracing::warn!(%error, "the log's head cannot be read"),
            }
        }
    }

    /// The next page of the log past a place: at most `limit` events that match, oldest first.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn page(&self, filter: &EventFilter, after: Seq, limit: u64) -> Result<FeedPage, StoreError> {
        let head = self.head().max(after);
        let events = read::events_after(self.store.reader(), filter, (after, head), limit).await?;
        // A page that is not full has all up to the head.
        let is_full = u64::try_from(events.len()).is_ok_and(|found| found >= limit);
        let at = events.last().filter(|_| is_full).map_or(head, |last| last.seq);
        Ok(FeedPage { events, at, caught_up: at == head })
    }

    /// Every event past `after` that matches, then live. While the database is not available the stream waits; only a value
    /// that cannot be read ends it with an error.
    pub fn follow(&self, filter: EventFilter, after: Seq) -> impl Stream<Item = Result<EventRow, StoreError>> + use<> {
        self.pages(filter, after, PAGE, false)
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
        self.pages(filter, after, limit, true)
    }

    fn pages(
        &self,
        filter: EventFilter,
        after: Seq,
        limit: u64,
        at_once: bool,
    ) -> impl Stream<Item = Result<FeedPage, StoreError>> + use<> {
        let state = (self.clone(), self.head.subscribe(), filter, after, at_once);
        stream::try_unfold(state, move |(feed, mut head, filter, at, at_once)| async move {
            // The service stops when nobody is left to tell of commits.
            if !at_once && head.wait_for(|head| *head > at).await.is_err() {
                return Ok(None);
            }
            let page = loop {
                match feed.page(&filter, at, limit).await {
                    // A follower is only a place: it waits for the database and goes on where it was.
                    Err(error @ StoreError::Unavailable(_)) => {
                        tracing::warn!(%error, "a follower of the log waits for the database");
                        tokio::time::sleep(TRY_AGAIN_AFTER).await;
                    }
                    page => break page?,
                }
            };
            let at = page.at;
            Ok(Some((page, (feed, head, filter, at, false))))
        })
    }
}

/// Wakes the followers of the log.
#[derive(Clone, Debug)]
pub struct Waker(watch::Sender<Seq>);

impl Waker {
    /// Tells the followers of the newest place that is committed. One that they know, or that is older, wakes nobody.
    pub fn wake(&self, newest: Seq) {
        self.0.send_if_modified(|head| {
            let moved = *head < newest;
            *head = newest.max(*head);
            moved
        });
    }
}

/// A page of the log.
#[derive(Clone, Debug)]
pub struct FeedPage {
    /// The events that match, oldest first.
    pub events: Vec<EventRow>,
    /// Everything up to here is in this page or an earlier one, or does not match.
    pub at: Seq,
    /// Whether this is the newest that was known when the page was read.
    pub caught_up: bool,
}
