//! How a node learns that another node has committed. A notification is only a hint: the log is
//! read after it, and every few seconds anyway.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::postgres::listener::Listener;
use crate::domain::Seq;
use crate::store::{Store, StoreError};

/// How often the log is read without a notification.
pub(super) const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Why the log should be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Another node has committed, or may have while no listener was connected.
    Notified,
    /// The poll interval has passed.
    Interval,
}

/// Watches for commits by other nodes.
#[derive(Debug)]
pub struct HeadWatch {
    poll_interval: Duration,
    listener: Option<Listener>,
}

impl HeadWatch {
    pub(super) const fn by_polling(poll_interval: Duration) -> Self {
        Self { poll_interval, listener: None }
    }

    pub(super) const fn by_listening(listener: Listener) -> Self {
        Self { poll_interval: POLL_INTERVAL, listener: Some(listener) }
    }

    /// Waits until the log should be read. `known` returns the newest seq that the caller knows,
    /// which may move on meanwhile.
    pub async fn next_wake(&mut self, known: impl Fn() -> Seq) -> Wake {
        let due = Instant::now() + self.poll_interval;
        let Some(listener) = &mut self.listener else {
            tokio::time::sleep_until(due).await;
            return Wake::Interval;
        };
        match timeout_at(due, listener.wait_for_commit(known)).await {
            Ok(()) => Wake::Notified,
            Err(_) => Wake::Interval,
        }
    }

    /// The newest seq that is committed. After a notification it is read over the listener's
    /// connection, which has just shown that it is alive: each commit of another node costs this
    /// node one such read.
    pub async fn head(&mut self, store: &Store, wake: Wake) -> Result<Seq, StoreError> {
        if let (Wake::Notified, Some(listener)) = (wake, &mut self.listener)
            && let Some(head) = listener.head().await
        {
            return head;
        }
        store.head().await
    }

    /// Drops the listener's connection, which is then made again. Call it after a commit was found
    /// without a notification: the connection may be dead unnoticed.
    pub fn reconnect(&mut self) {
        if let Some(listener) = &mut self.listener {
            listener.disconnect();
        }
    }
}
