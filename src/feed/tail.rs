//! The newest part of the log in memory, so that a commit costs one read however many follow.
//!
//! One task fills it, woken by commits; nobody hands events over, so nothing can overflow. Whoever is further behind than it
//! reaches reads the database.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::Seq;
use crate::store::read::{self, EventFilter, EventRow};
use crate::store::{Store, StoreError};

/// How many events are kept at most, and of how many bytes.
const TAIL_EVENTS_MAX: usize = 4096;
const TAIL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How many are read at once, bodies and all.
const FILL_PAGE_SIZE: u64 = 64;
/// How long the task waits for a database that is not available.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// The newest part of the log.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    buffer: Arc<Mutex<TailBuffer>>,
    head: watch::Sender<Seq>,
}

#[derive(Debug)]
struct TailBuffer {
    /// All events past here, up to the head, are kept.
    after: Seq,
    events: VecDeque<Arc<EventRow>>,
    bytes: usize,
}

impl Tail {
    /// One that holds nothing, and goes on from here.
    pub(super) fn new(head: Seq) -> Self {
        let kept = TailBuffer { after: head, events: VecDeque::new(), bytes: 0 };
        Self { buffer: Arc::new(Mutex::new(kept)), head: watch::Sender::new(head) }
    }

    /// The newest place that is in it.
    pub(super) fn head(&self) -> Seq {
        *self.head.borrow()
    }

    /// Is told whenever it has grown.
    pub(super) fn subscribe(&self) -> watch::Receiver<Seq> {
        self.head.subscribe()
    }

    /// The first events past a place, up to another, that match, oldest first, at most `limit`. `None` where it does not reach back
    /// so far.
    pub(super) fn read_after(
        &self,
        filter: &EventFilter,
        (after, up_to): (Seq, Seq),
        limit: usize,
    ) -> Option<Vec<Arc<EventRow>>> {
        let kept = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        if after < kept.after {
            return None;
        }
        let first = kept.events.partition_point(|event| event.seq <= after);
        let past = kept.events.iter().skip(first).take_while(|event| event.seq <= up_to);
        Some(past.filter(|event| filter.matches(event)).take(limit).cloned().collect())
    }

    /// Takes in what was committed, for as long as it is polled.
    pub(super) async fn fill(&self, store: &Store, mut committed: watch::Receiver<Seq>) {
        loop {
            let head = self.head();
            let newest = match committed.wait_for(|newest| *newest > head).await {
                Ok(newest) => *newest,
                Err(_) => return,
            };
            // Where nobody follows, nobody needs what it would hold; who comes meanwhile reads the database.
            if self.head.receiver_count() == 0 {
                self.skip_to(newest);
                continue;
            }
            match read::events_after(store.reserved_reader(), &EventFilter::default(), (head, newest), FILL_PAGE_SIZE)
                .await
            {
                Ok(events) => {
                    let is_full = u64::try_from(events.len()).is_ok_and(|read| read >= FILL_PAGE_SIZE);
                    let reached = events.last().filter(|_| is_full).map_or(newest, |last| last.seq);
                    self.push_events(events, reached);
                }
                Err(error @ StoreError::Unavailable(_)) => {
                    tracing::warn!(%error, "those who follow the log wait for the database");
                    tokio::time::sleep(RETRY_DELAY).await;
                }
                // What cannot be read concerns those alone whose filter asks for it: they will find it in the database.
                Err(error @ (StoreError::Unreadable(_) | StoreError::Refused(_))) => {
                    tracing::error!(%error, "a part of the log is unreadable");
                    self.skip_to(newest);
                }
            }
        }
    }

    /// Holds nothing, and goes on from here.
    fn skip_to(&self, newest: Seq) {
        let mut kept = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = TailBuffer { after: newest, events: VecDeque::new(), bytes: 0 };
        drop(kept);
        self.head.send_replace(newest);
    }

    fn push_events(&self, events: Vec<EventRow>, reached: Seq) {
        let mut kept = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            kept.bytes += event.body.len();
            kept.events.push_back(Arc::new(event));
        }
        while kept.events.len() > TAIL_EVENTS_MAX || kept.bytes > TAIL_BYTES_MAX {
            let Some(oldest) = kept.events.pop_front() else { break };
            kept.bytes -= oldest.body.len();
            kept.after = oldest.seq;
        }
        drop(kept);
        self.head.send_replace(reached);
    }
}
