//! One execution, and its subscribers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use futures_util::{Stream, StreamExt};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::stream::{OperationMessage, StreamItem};
use crate::domain::Seq;
use crate::metrics::BACKLOG_BYTES;

/// The size of the backlog that one broadcast holds for slow subscribers.
const BACKLOG_BYTES_MAX: usize = 1024 * 1024;
const BACKLOG_MESSAGES_MAX: usize = 4096;

/// One execution that several subscribers share. It ends with its last subscriber.
#[derive(Debug)]
pub(crate) struct Broadcast {
    backlog: Mutex<Backlog>,
    /// The number of messages so far, and whether the execution has ended.
    progress: watch::Sender<(u64, bool)>,
    task: OnceLock<AbortHandle>,
}

#[derive(Debug)]
struct Backlog {
    /// The backlog has all messages on events after this position.
    after: Seq,
    /// The index of the oldest message in the backlog, counted from the start of the execution.
    first_index: u64,
    messages: VecDeque<StreamItem>,
    bytes: usize,
    /// How many bytes it may have: its share of what all broadcasts may have.
    bytes_max: usize,
}

impl Backlog {
    /// Removes the oldest messages beyond the limits. The newest one stays, unless it alone is
    /// larger than the share of a broadcast may ever be.
    fn trim(&mut self) {
        while self.bytes > self.bytes_max.min(BACKLOG_BYTES_MAX) || self.messages.len() > BACKLOG_MESSAGES_MAX {
            if self.messages.len() == 1 && self.bytes <= self.bytes_max {
                break;
            }
            let Some(oldest) = self.messages.pop_front() else { break };
            self.count(message_bytes(&oldest.message), false);
            self.after = oldest.position.unwrap_or(self.after).max(self.after);
            self.first_index += 1;
        }
    }

    /// Adds to or takes from its bytes.
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; a message has a few megabytes")]
    fn count(&mut self, bytes: usize, is_added: bool) {
        let gauge = metrics::gauge!(BACKLOG_BYTES);
        if is_added {
            self.bytes += bytes;
            gauge.increment(bytes as f64);
        } else {
            self.bytes -= bytes;
            gauge.decrement(bytes as f64);
        }
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        self.count(self.bytes, false);
    }
}

impl Broadcast {
    /// Runs an execution that begins after a position, with a backlog of at most `bytes_max` bytes.
    pub(super) fn spawn<S>(after: Seq, bytes_max: usize, messages: S) -> Arc<Self>
    where
        S: Stream<Item = StreamItem> + Send + 'static,
    {
        let backlog = Backlog { after, first_index: 0, messages: VecDeque::new(), bytes: 0, bytes_max };
        let broadcast = Arc::new(Self {
            backlog: Mutex::new(backlog),
            progress: watch::Sender::new((0, false)),
            task: OnceLock::new(),
        });
        let weak = Arc::downgrade(&broadcast);
        let task = tokio::spawn(async move {
            // The guard notifies the subscribers however the execution ends, by a panic too.
            let end_guard = EndGuard(weak);
            let mut messages = std::pin::pin!(messages);
            while let Some(item) = messages.next().await {
                let Some(broadcast) = end_guard.0.upgrade() else { return };
                broadcast.publish(item);
            }
        });
        let _ = broadcast.task.set(task.abort_handle());
        broadcast
    }

    pub(super) fn has_ended(&self) -> bool {
        self.progress.borrow().1
    }

    fn publish(&self, item: StreamItem) {
        let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        backlog.count(message_bytes(&item.message), true);
        backlog.messages.push_back(item);
        backlog.trim();
        drop(backlog);
        self.progress.send_modify(|(count, _)| *count += 1);
    }

    /// Bounds its backlog by this share of what all broadcasts may have.
    pub(super) fn limit_backlog(&self, bytes_max: usize) {
        let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        backlog.bytes_max = bytes_max;
        backlog.trim();
    }

    /// Subscribes to all messages on events after a position. `None` if the backlog no longer has
    /// all of them.
    pub(super) fn subscribe(self: &Arc<Self>, after: Seq) -> Option<Subscriber> {
        let backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        (backlog.after <= after).then(|| Subscriber {
            broadcast: Arc::clone(self),
            progress: self.progress.subscribe(),
            next_index: backlog.first_index,
            after,
        })
    }
}

/// Notifies the subscribers of the end of the execution when it is dropped.
struct EndGuard(Weak<Broadcast>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        if let Some(broadcast) = self.0.upgrade() {
            broadcast.progress.send_modify(|(_, ended)| *ended = true);
        }
    }
}

impl Drop for Broadcast {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

fn message_bytes(message: &OperationMessage) -> usize {
    match message {
        OperationMessage::Next(text) | OperationMessage::Refused(text) => text.len(),
    }
}

/// One subscriber's position in a broadcast.
#[derive(Debug)]
pub(crate) struct Subscriber {
    broadcast: Arc<Broadcast>,
    progress: watch::Receiver<(u64, bool)>,
    next_index: u64,
    /// The subscriber has all events up to this position.
    after: Seq,
}

/// What a subscriber gets next.
#[derive(Debug)]
pub(super) enum Next {
    Item(StreamItem),
    /// The backlog no longer has what follows this position. Nothing follows.
    Lagged(Seq),
    /// The execution has ended.
    Ended,
}

impl Subscriber {
    /// Waits for the next message.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            let (count, ended) = *self.progress.borrow_and_update();
            while self.next_index < count {
                let backlog = self.broadcast.backlog.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(offset) = self.next_index.checked_sub(backlog.first_index) else {
                    return Next::Lagged(self.after);
                };
                let item = usize::try_from(offset).ok().and_then(|offset| backlog.messages.get(offset)).cloned();
                drop(backlog);
                self.next_index += 1;
                match item {
                    // The subscriber received this event before it joined.
                    Some(StreamItem { position: Some(position), .. }) if position <= self.after => {}
                    Some(item) => {
                        self.after = item.position.unwrap_or(self.after);
                        return Next::Item(item);
                    }
                    None => {}
                }
            }
            if ended || self.progress.changed().await.is_err() {
                return Next::Ended;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::{FutureExt, stream};
    use tokio::sync::mpsc;

    use super::*;

    fn item(position: Option<u64>, text: &str) -> StreamItem {
        let message = OperationMessage::Next(Bytes::copy_from_slice(text.as_bytes()));
        let position = position.map(|position| Seq(i64::try_from(position).unwrap()));
        StreamItem { message, position, cursor: None }
    }

    fn text(next: Next) -> String {
        match next {
            Next::Item(StreamItem { message: OperationMessage::Next(text), .. }) => {
                String::from_utf8(text.to_vec()).unwrap()
            }
            other @ (Next::Item(_) | Next::Lagged(_) | Next::Ended) => format!("{other:?}"),
        }
    }

    fn broadcast() -> (Arc<Broadcast>, mpsc::UnboundedSender<StreamItem>) {
        let (send, receive) = mpsc::unbounded_channel();
        let messages = stream::unfold(receive, async |mut receive| Some((receive.recv().await?, receive)));
        (Broadcast::spawn(Seq(10), usize::MAX, messages), send)
    }

    #[tokio::test]
    async fn subscriber_receives_all_messages_past_its_position() {
        let (broadcast, send) = broadcast();
        assert!(broadcast.subscribe(Seq(9)).is_none(), "the broadcast began later");
        let (mut early, mut late) = (broadcast.subscribe(Seq(10)).unwrap(), broadcast.subscribe(Seq(11)).unwrap());
        send.send(item(Some(11), "a")).unwrap();
        send.send(item(Some(12), "b")).unwrap();
        assert_eq!((text(early.next().await), text(early.next().await)), ("a".to_owned(), "b".to_owned()));
        assert_eq!(text(late.next().await), "b");
        assert!(late.next().now_or_never().is_none());
        // A later subscriber still receives everything after its position.
        assert_eq!(text(broadcast.subscribe(Seq(10)).unwrap().next().await), "a");
        drop(send);
        assert!(matches!(early.next().await, Next::Ended) && matches!(late.next().await, Next::Ended));
        assert!(broadcast.has_ended());
    }

    #[tokio::test]
    async fn lagging_subscriber_is_notified_and_others_are_not_delayed() {
        let (broadcast, send) = broadcast();
        let (mut slow, mut fast) = (broadcast.subscribe(Seq(10)).unwrap(), broadcast.subscribe(Seq(10)).unwrap());
        let large = "x".repeat(BACKLOG_BYTES_MAX / 4);
        for seq in 11..20 {
            send.send(item(Some(seq), &large)).unwrap();
            assert_eq!(text(fast.next().await).len(), large.len());
        }
        assert!(matches!(slow.next().await, Next::Lagged(Seq(10))));
        assert!(broadcast.subscribe(Seq(10)).is_none(), "the backlog no longer has the first messages");
        assert!(broadcast.subscribe(Seq(19)).is_some());
    }

    #[tokio::test]
    async fn subscriber_lags_after_more_messages_than_the_backlog_may_have() {
        for (count, lags) in [(BACKLOG_MESSAGES_MAX, false), (BACKLOG_MESSAGES_MAX + 1, true)] {
            let (broadcast, send) = broadcast();
            let (mut slow, mut fast) = (broadcast.subscribe(Seq(10)).unwrap(), broadcast.subscribe(Seq(10)).unwrap());
            for seq in (11..).take(count) {
                send.send(item(Some(seq), "a")).unwrap();
                assert_eq!(text(fast.next().await), "a");
            }
            assert_eq!(matches!(slow.next().await, Next::Lagged(Seq(10))), lags, "{count} messages");
            assert_eq!(broadcast.subscribe(Seq(10)).is_none(), lags, "{count} messages");
        }
    }

    #[tokio::test]
    async fn backlog_shrinks_to_its_share_of_all_broadcasts() {
        let (broadcast, send) = broadcast();
        let mut subscriber = broadcast.subscribe(Seq(10)).unwrap();
        let mut late = broadcast.subscribe(Seq(10)).unwrap();
        for seq in 11..15 {
            send.send(item(Some(seq), &"x".repeat(1000))).unwrap();
            assert_eq!(text(subscriber.next().await).len(), 1000);
        }
        broadcast.limit_backlog(2500);
        assert!(broadcast.subscribe(Seq(11)).is_none() && broadcast.subscribe(Seq(12)).is_some());
        assert!(matches!(late.next().await, Next::Lagged(Seq(10))));
        // A message that exceeds the share is not held: each subscriber reads its event itself.
        send.send(item(Some(15), &"x".repeat(3000))).unwrap();
        assert!(matches!(subscriber.next().await, Next::Lagged(Seq(14))));
        assert!(broadcast.subscribe(Seq(14)).is_none() && broadcast.subscribe(Seq(15)).is_some());
    }

    #[tokio::test]
    async fn message_without_event_reaches_every_subscriber() {
        let (broadcast, send) = broadcast();
        let mut subscriber = broadcast.subscribe(Seq(30)).unwrap();
        send.send(item(Some(11), "a")).unwrap();
        send.send(item(None, "error")).unwrap();
        assert_eq!(text(subscriber.next().await), "error");
    }

    #[tokio::test]
    async fn subscribers_end_when_execution_panics() {
        let broken = stream::once(async { panic!("a defect") });
        let broadcast = Broadcast::spawn(Seq(10), usize::MAX, broken);
        assert!(matches!(broadcast.subscribe(Seq(10)).unwrap().next().await, Next::Ended));
        assert!(broadcast.has_ended());
    }

    #[tokio::test]
    async fn execution_ends_with_last_subscriber() {
        let (broadcast, send) = broadcast();
        let subscriber = broadcast.subscribe(Seq(10)).unwrap();
        drop(broadcast);
        assert!(!send.is_closed());
        drop(subscriber);
        send.closed().await;
    }
}
