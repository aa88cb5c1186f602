//! Following the log: every event past a place, oldest first, without a gap or a repeat, then live.
//!
//! A follower is a place in the log and nothing else: no queue of its own that could overflow. It is woken by commits and
//! reads from the database, so a slow one holds nobody up and skips nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream;
use tokio::sync::watch;

use crate::domain::Seq;
use crate::store::read::{EventFilter, EventRow, event};
use crate::store::{Store, StoreError, log};

/// How many events are read at once.
const PAGE: u64 = 200;
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
    pub fn waker(&self) -> watch::Sender<Seq> {
        self.head.clone()
    }

    /// Looks for events that others wrote, for as long as it is polled.
    pub async fn watch_database(&self) {
        let mut interval = tokio::time::interval(LOOK_EVERY);
        loop {
            interval.tick().await;
            match log::head(self.store.reader()).await {
                Ok(found) => {
                    self.head.send_if_modified(|head| {
                        let moved = *head < found;
                        *head = found.max(*head);
                        moved
                    });
                }
                Err(error) => tracing::warn!(%error, "the log's head cannot be read"),
            }
        }
    }

    /// Every event past `after` that matches, then live. A failing database ends the stream with an error; the follower
    /// comes back with the last cursor it saw.
    pub fn follow(&self, filter: EventFilter, after: Seq) -> impl Stream<Item = Result<EventRow, StoreError>> + use<> {
        let follower = Follower {
            store: self.store.clone(),
            head: self.head.subscribe(),
            filter: Arc::new(filter),
            at: after,
            page: Vec::new().into_iter(),
        };
        stream::try_unfold(
            follower,
            |mut follower| async move { Ok(follower.next().await?.map(|event| (event, follower))) },
        )
    }
}

struct Follower {
    store: Store,
    head: watch::Receiver<Seq>,
    filter: Arc<EventFilter>,
    /// Everything up to here was given or does not match.
    at: Seq,
    page: std::vec::IntoIter<EventRow>,
}

impl Follower {
    /// The next event; `None` when the service stops.
    async fn next(&mut self) -> Result<Option<EventRow>, StoreError> {
        loop {
            if let Some(event) = self.page.next() {
                return Ok(Some(event));
            }
            let at = self.at;
            let Ok(head) = self.head.wait_for(|head| *head > at).await.map(|head| *head) else { return Ok(None) };
            let page = event::after(self.store.reader(), &self.filter, at, head, PAGE).await?;
            // A page that is not full has all up to the head.
            let is_full = u64::try_from(page.len()).is_ok_and(|found| found >= PAGE);
            self.at = page.last().filter(|_| is_full).map_or(head, |last| last.seq);
            self.page = page.into_iter();
        }
    }
}
