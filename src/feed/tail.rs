//! The tail: the newest events, held in memory, so that a commit costs one read however many
//! followers there are.
//!
//! One task fills the tail; commits wake it. The writer hands no events over, so no queue can
//! overflow. A follower that is further behind than the tail reads the database.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::Seq;
use crate::store::read::{self, EventFilter, EventRow};
use crate::store::{Store, StoreError};

/// How much the tail holds and reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct TailBounds {
    /// How many events it holds at most, and how many bytes of bodies.
    pub(super) held: (usize, usize),
    /// How many events it reads at once, and how many bytes of bodies unless one event alone has
    /// more.
    pub(super) read_at_once: (u64, u64),
}

impl TailBounds {
    pub(super) const DEFAULT: Self = Self { held: (4096, 16 * 1024 * 1024), read_at_once: (64, 4 * 1024 * 1024) };
}

/// How long the task waits before it retries while the database is not available.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// The newest events of the log.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    bounds: TailBounds,
    buffer: Arc<Mutex<TailBuffer>>,
    head: watch::Sender<Seq>,
}

#[derive(Debug)]
struct TailBuffer {
    /// The buffer has all events after this position, up to the head.
    after: Seq,
    events: VecDeque<Arc<EventRow>>,
    bytes: usize,
}

impl Tail {
    /// An empty tail that begins at `head`.
    pub(super) fn new(head: Seq, bounds: TailBounds) -> Self {
        let buffer = TailBuffer { after: head, events: VecDeque::new(), bytes: 0 };
        Self { bounds, buffer: Arc::new(Mutex::new(buffer)), head: watch::Sender::new(head) }
    }

    /// The newest position that the tail covers.
    pub(super) fn head(&self) -> Seq {
        *self.head.borrow()
    }

    /// A receiver that is notified whenever the tail grows.
    pub(super) fn subscribe(&self) -> watch::Receiver<Seq> {
        self.head.subscribe()
    }

    /// The first events after `after` and up to `up_to` that match, oldest first: at most `limit`,
    /// and as many as have `bytes_max` bytes of bodies together, but the first one in any case.
    /// Whether others may follow is told too. `None` if only the database can say: the tail begins
    /// later than `after`, or an event lacks a column.
    pub(super) fn read_after(
        &self,
        filter: &EventFilter,
        (after, up_to): (Seq, Seq),
        (limit, bytes_max): (usize, usize),
    ) -> Option<(Vec<Arc<EventRow>>, bool)> {
        let buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        if after < buffer.after {
            return None;
        }
        let first = buffer.events.partition_point(|event| event.seq <= after);
        let in_range = buffer.events.iter().skip(first).take_while(|event| event.seq <= up_to);
        let (mut page, mut bytes): (Vec<Arc<EventRow>>, usize) = (Vec::new(), 0);
        for event in in_range {
            if !filter.matches(event).ok()? {
                continue;
            }
            bytes += body_length(event);
            if page.len() >= limit || bytes > bytes_max && !page.is_empty() {
                return Some((page, true));
            }
            page.push(Arc::clone(event));
        }
        Some((page, false))
    }

    /// Reads committed events into the tail, for as long as it is polled.
    pub(super) async fn fill(&self, store: &Store) {
        loop {
            let head = self.head();
            let newest = store.wait_for_commit(head).await;
            // Without followers the tail stays empty. A follower that arrives meanwhile reads the
            // database.
            if self.head.receiver_count() == 0 {
                self.skip_to(newest);
                continue;
            }
            let filter = EventFilter::default();
            let at_once = self.bounds.read_at_once;
            match read::events_after(store.reserved_reader(), &filter, (head, newest), at_once).await {
                Ok((events, may_follow)) => {
                    let reached = events.last().filter(|_| may_follow).map_or(newest, |last| last.seq);
                    self.push_events(events, reached);
                }
                Err(error @ StoreError::Unavailable(_)) => {
                    tracing::warn!(%error, "the tail of the log cannot be read; will retry");
                    tokio::time::sleep(RETRY_DELAY).await;
                }
                // Only followers whose filter matches an unreadable event are affected. They get
                // the error from the database.
                Err(error @ (StoreError::Unreadable(_) | StoreError::Refused(_) | StoreError::OverBudget)) => {
                    tracing::error!(%error, "an event in the log cannot be read; followers that match it get an error");
                    self.skip_to(newest);
                }
            }
        }
    }

    /// Empties the tail and continues at `newest`.
    fn skip_to(&self, newest: Seq) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        *buffer = TailBuffer { after: newest, events: VecDeque::new(), bytes: 0 };
        drop(buffer);
        self.head.send_replace(newest);
    }

    fn push_events(&self, events: Vec<EventRow>, reached: Seq) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            buffer.bytes += body_length(&event);
            buffer.events.push_back(Arc::new(event));
        }
        let (events_max, bytes_max) = self.bounds.held;
        while buffer.events.len() > events_max || buffer.bytes > bytes_max {
            let Some(oldest) = buffer.events.pop_front() else { break };
            buffer.bytes -= body_length(&oldest);
            buffer.after = oldest.seq;
        }
        drop(buffer);
        self.head.send_replace(reached);
    }
}

fn body_length(event: &EventRow) -> usize {
    event.body.get().map_or(0, String::len)
}
