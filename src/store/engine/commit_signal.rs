//! The one signal of commits. `Store::commit` announces this node's commits; a [`HeadWatch`]
//! announces those of other nodes. The followers of the log and the notifier wait on it.
//!
//! A notification of another node is only a hint: the log is read after it, and every few seconds
//! anyway.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::deadline::Reader;
use super::postgres::listener::Listener;
use crate::domain::Seq;
use crate::store::{StoreError, log};

/// How often the log is read without a notification.
pub(super) const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// How long to wait before the log is read again while the database is not available.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Wakes those who wait for commits. A clone is the same signal.
#[derive(Clone, Debug)]
pub(in crate::store) struct CommitSignal(watch::Sender<Heads>);

/// How far the log is committed, as this node knows.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Heads {
    pub(in crate::store) newest: Seq,
    /// The newest seq that this node has committed itself: other nodes are notified of no other.
    pub(super) own: Seq,
}

impl CommitSignal {
    pub(in crate::store) fn new(head: Seq) -> Self {
        Self(watch::Sender::new(Heads { newest: head, own: Seq(0) }))
    }

    /// The newest seq that this node knows to be committed.
    pub(in crate::store) fn head(&self) -> Seq {
        self.0.borrow().newest
    }

    /// Announces a commit of this node.
    pub(in crate::store) fn announce_own(&self, committed: Seq) {
        self.0.send_modify(|heads| {
            heads.newest = heads.newest.max(committed);
            heads.own = heads.own.max(committed);
        });
    }

    /// Announces the head that was read. Returns whether it is new.
    fn announce_found(&self, found: Seq) -> bool {
        self.0.send_if_modified(|heads| {
            let is_new = heads.newest < found;
            heads.newest = heads.newest.max(found);
            is_new
        })
    }

    /// Waits until one of the heads is after `known`, and returns it.
    pub(in crate::store) async fn wait_for(&self, known: Seq, head: impl Fn(&Heads) -> Seq) -> Seq {
        // It cannot fail: the sender is `self`.
        self.0.subscribe().wait_for(|heads| head(heads) > known).await.map_or(known, |heads| head(&heads))
    }
}

/// Why the log should be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    /// Another node has committed, or may have while no listener was connected.
    Notified,
    /// The poll interval has passed.
    Interval,
}

/// Watches for commits by other nodes.
#[derive(Debug)]
pub(super) struct HeadWatch {
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

    /// Reads the head on each notification of another node and at the poll interval, and announces
    /// it. Ends only if the log has lost events.
    pub(super) async fn run(mut self, reader: &Reader, signal: &CommitSignal) {
        loop {
            let wake = self.next_wake(signal).await;
            // The query below need not see what this node commits from now on.
            let known = signal.head();
            match self.head(reader, wake).await {
                Ok(found) if found < known => {
                    tracing::error!(
                        %found, %known,
                        "the log has lost events: the database was restored to an earlier state, from a backup or by a replica \
                         that lagged behind"
                    );
                    return;
                }
                Ok(found) => {
                    if signal.announce_found(found)
                        && wake == Wake::Interval
                        && let Some(listener) = &mut self.listener
                    {
                        // There was no notification: the connection may be dead unnoticed.
                        listener.disconnect();
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the log's head cannot be read; will retry");
                    sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    /// Waits until the log should be read.
    async fn next_wake(&mut self, signal: &CommitSignal) -> Wake {
        let notified = async {
            match &mut self.listener {
                Some(listener) => listener.wait_for_commit(|| signal.head()).await,
                None => std::future::pending().await,
            }
        };
        timeout(self.poll_interval, notified).await.map_or(Wake::Interval, |()| Wake::Notified)
    }

    /// The newest seq that is committed. After a notification it is read over the listener's
    /// connection, which has just shown that it is alive: each commit of another node costs this
    /// node one such read.
    async fn head(&mut self, reader: &Reader, wake: Wake) -> Result<Seq, StoreError> {
        if let (Wake::Notified, Some(listener)) = (wake, &mut self.listener)
            && let Some(head) = listener.head().await
        {
            return head;
        }
        log::head(reader).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn commits_of_other_nodes_wake_followers_and_not_the_notifier() {
        let signal = CommitSignal::new(Seq(5));
        assert!(!signal.announce_found(Seq(5)) && signal.announce_found(Seq(7)));
        assert_eq!(signal.wait_for(Seq(5), |heads| heads.newest).await, Seq(7));
        let mut notifier = Box::pin(signal.wait_for(Seq(0), |heads| heads.own));
        assert!(futures_util::poll!(&mut notifier).is_pending());
        signal.announce_own(Seq(8));
        assert_eq!((notifier.await, signal.head()), (Seq(8), Seq(8)));
        // A read that began before the commit finds less.
        assert!(!signal.announce_found(Seq(7)));
        assert_eq!(signal.head(), Seq(8));
    }
}
