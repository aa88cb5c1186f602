//! One execution, and those who read what it gives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use futures_util::{Stream, StreamExt};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::stream::OperationMessage;
use crate::domain::Seq;

/// How much of what a group has given is kept for slow readers.
const BACKLOG_BYTES_MAX: usize = 1024 * 1024;
const BACKLOG_MESSAGES_MAX: usize = 4096;

/// One execution. It ends when nobody reads it any more.
#[derive(Debug)]
pub(crate) struct Broadcast {
    backlog: Mutex<Backlog>,
    /// How many messages there have been, and whether that was all.
    progress: watch::Sender<(u64, bool)>,
    task: OnceLock<AbortHandle>,
}

#[derive(Debug)]
struct Backlog {
    /// All messages on events past here are kept.
    after: Seq,
    /// The number of the first that is kept.
    first_index: u64,
    messages: VecDeque<(Option<Seq>, OperationMessage)>,
    bytes: usize,
}

impl Broadcast {
    /// Runs an execution that begins past a place. Each of its messages comes with the place of its event, if it is of one.
    pub(super) fn spawn<S>(after: Seq, execute: S) -> Arc<Self>
    where
        S: Stream<Item = (Option<Seq>, OperationMessage)> + Send + 'static,
    {
        let given = Backlog { after, first_index: 0, messages: VecDeque::new(), bytes: 0 };
        let group = Arc::new(Self {
            backlog: Mutex::new(given),
            progress: watch::Sender::new((0, false)),
            task: OnceLock::new(),
        });
        let weak = Arc::downgrade(&group);
        let task = tokio::spawn(async move {
            // However it ends, its readers are told.
            let ending = EndGuard(weak);
            let mut execute = std::pin::pin!(execute);
            while let Some((at, message)) = execute.next().await {
                let Some(group) = ending.0.upgrade() else { return };
                group.publish(at, message);
            }
        });
        let _ = group.task.set(task.abort_handle());
        group
    }

    pub(super) fn has_ended(&self) -> bool {
        self.progress.borrow().1
    }

    fn publish(&self, at: Option<Seq>, message: OperationMessage) {
        let mut given = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        given.bytes += message_bytes(&message);
        given.messages.push_back((at, message));
        while given.bytes > BACKLOG_BYTES_MAX || given.messages.len() > BACKLOG_MESSAGES_MAX {
            // The newest one is for everybody, however large it is.
            if given.messages.len() == 1 {
                break;
            }
            let Some((at, oldest)) = given.messages.pop_front() else { break };
            given.bytes -= message_bytes(&oldest);
            given.after = at.unwrap_or(given.after).max(given.after);
            given.first_index += 1;
        }
        drop(given);
        self.progress.send_modify(|(count, _)| *count += 1);
    }

    /// Reads all messages on events past a place. `None` where not all of them are kept any more.
    pub(super) fn subscribe(self: &Arc<Self>, after: Seq) -> Option<Subscriber> {
        let given = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        (given.after <= after).then(|| Subscriber {
            broadcast: Arc::clone(self),
            progress: self.progress.subscribe(),
            next_index: given.first_index,
            after,
        })
    }
}

/// Tells the readers of a group that its execution has ended, when it is dropped.
struct EndGuard(Weak<Broadcast>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        if let Some(group) = self.0.upgrade() {
            group.progress.send_modify(|(_, ended)| *ended = true);
        }
    }
}

impl Drop for Broadcast {
    fn drop(&mut self) {
        if let Some(running) = self.task.get() {
            running.abort();
        }
    }
}

fn message_bytes(message: &OperationMessage) -> usize {
    match message {
        OperationMessage::Next(text) | OperationMessage::Refused(text) => text.len(),
        OperationMessage::Lagged => 0,
    }
}

/// One reader's place among the messages of a group.
#[derive(Debug)]
pub(crate) struct Subscriber {
    broadcast: Arc<Broadcast>,
    progress: watch::Receiver<(u64, bool)>,
    next_index: u64,
    after: Seq,
}

impl Subscriber {
    /// The next message; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<OperationMessage> {
        loop {
            let (count, ended) = *self.progress.borrow_and_update();
            while self.next_index < count {
                let given = self.broadcast.backlog.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(place) = self.next_index.checked_sub(given.first_index) else {
                    drop(given);
                    self.next_index = u64::MAX;
                    return Some(OperationMessage::Lagged);
                };
                let message = usize::try_from(place).ok().and_then(|place| given.messages.get(place)).cloned();
                drop(given);
                self.next_index += 1;
                match message {
                    // What it has seen before it joined.
                    Some((Some(at), _)) if at <= self.after => {}
                    Some((_, message)) => return Some(message),
                    None => {}
                }
            }
            if ended || self.next_index == u64::MAX {
                return None;
            }
            if self.progress.changed().await.is_err() {
                return None;
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

    fn message(text: &str) -> OperationMessage {
        OperationMessage::Next(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn text(message: Option<OperationMessage>) -> String {
        match message {
            Some(OperationMessage::Next(text)) => String::from_utf8(text.to_vec()).unwrap(),
            other => format!("{other:?}"),
        }
    }

    fn broadcast() -> (Arc<Broadcast>, mpsc::UnboundedSender<(Option<Seq>, OperationMessage)>) {
        let (send, receive) = mpsc::unbounded_channel();
        let messages = stream::unfold(receive, async |mut receive| Some((receive.recv().await?, receive)));
        (Broadcast::spawn(Seq(10), messages), send)
    }

    #[tokio::test]
    async fn subscriber_receives_all_messages_past_its_position() {
        let (group, send) = broadcast();
        assert!(group.subscribe(Seq(9)).is_none(), "it began later");
        let (mut early, mut late) = (group.subscribe(Seq(10)).unwrap(), group.subscribe(Seq(11)).unwrap());
        send.send((Some(Seq(11)), message("a"))).unwrap();
        send.send((Some(Seq(12)), message("b"))).unwrap();
        assert_eq!((text(early.next().await), text(early.next().await)), ("a".to_owned(), "b".to_owned()));
        assert_eq!(text(late.next().await), "b");
        assert!(late.next().now_or_never().is_none());
        // One that comes later still gets all past its place.
        assert_eq!(text(group.subscribe(Seq(10)).unwrap().next().await), "a");
        drop(send);
        assert!(early.next().await.is_none() && late.next().await.is_none());
        assert!(group.has_ended());
    }

    #[tokio::test]
    async fn lagging_subscriber_is_told_and_others_are_not_delayed() {
        let (group, send) = broadcast();
        let (mut slow, mut quick) = (group.subscribe(Seq(10)).unwrap(), group.subscribe(Seq(10)).unwrap());
        let large = "x".repeat(BACKLOG_BYTES_MAX / 4);
        for at in 11..20 {
            send.send((Some(Seq(at)), message(&large))).unwrap();
            assert_eq!(text(quick.next().await).len(), large.len());
        }
        assert!(matches!(slow.next().await, Some(OperationMessage::Lagged)));
        assert!(slow.next().await.is_none());
        assert!(group.subscribe(Seq(10)).is_none(), "what it would need is not kept any more");
        assert!(group.subscribe(Seq(19)).is_some());
    }

    #[tokio::test]
    async fn message_without_event_reaches_every_subscriber() {
        let (group, send) = broadcast();
        let mut reader = group.subscribe(Seq(30)).unwrap();
        send.send((Some(Seq(11)), message("a"))).unwrap();
        send.send((None, message("error"))).unwrap();
        assert_eq!(text(reader.next().await), "error");
    }

    #[tokio::test]
    async fn subscribers_end_when_execution_panics() {
        let broken = stream::once(async { panic!("as a defect would") });
        let group = Broadcast::spawn(Seq(10), broken);
        assert!(group.subscribe(Seq(10)).unwrap().next().await.is_none());
        assert!(group.has_ended());
    }

    #[tokio::test]
    async fn execution_ends_with_last_subscriber() {
        let (group, send) = broadcast();
        let reader = group.subscribe(Seq(10)).unwrap();
        drop(group);
        assert!(!send.is_closed());
        drop(reader);
        send.closed().await;
    }
}
