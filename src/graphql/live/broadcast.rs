//! One execution, and those who read what it gives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use futures_util::{Stream, StreamExt};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::stream::Message;
use crate::domain::Seq;

/// How much of what a group has given is kept for slow readers.
const MOST_BYTES: usize = 1024 * 1024;
const MOST_MESSAGES: usize = 4096;

/// One execution. It ends when nobody reads it any more.
#[derive(Debug)]
pub(crate) struct Group {
    given: Mutex<Given>,
    /// How many messages there have been, and whether that was all.
    count: watch::Sender<(u64, bool)>,
    running: OnceLock<AbortHandle>,
}

#[derive(Debug)]
struct Given {
    /// All messages on events past here are kept.
    after: Seq,
    /// The number of the first that is kept.
    first: u64,
    messages: VecDeque<(Option<Seq>, Message)>,
    bytes: usize,
}

impl Group {
    /// Runs an execution that begins past a place. Each of its messages comes with the place of its event, if it is of one.
    pub(super) fn run<S>(after: Seq, execute: S) -> Arc<Self>
    where
        S: Stream<Item = (Option<Seq>, Message)> + Send + 'static,
    {
        let given = Given { after, first: 0, messages: VecDeque::new(), bytes: 0 };
        let group = Arc::new(Self {
            given: Mutex::new(given),
            count: watch::Sender::new((0, false)),
            running: OnceLock::new(),
        });
        let weak = Arc::downgrade(&group);
        let task = tokio::spawn(async move {
            // However it ends, its readers are told.
            let ending = Ending(weak);
            let mut execute = std::pin::pin!(execute);
            while let Some((at, message)) = execute.next().await {
                let Some(group) = ending.0.upgrade() else { return };
                group.give(at, message);
            }
        });
        let _ = group.running.set(task.abort_handle());
        group
    }

    pub(super) fn has_ended(&self) -> bool {
        self.count.borrow().1
    }

    fn give(&self, at: Option<Seq>, message: Message) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.bytes += size(&message);
        given.messages.push_back((at, message));
        while given.bytes > MOST_BYTES || given.messages.len() > MOST_MESSAGES {
            // The newest one is for everybody, however large it is.
            if given.messages.len() == 1 {
                break;
            }
            let Some((at, oldest)) = given.messages.pop_front() else { break };
            given.bytes -= size(&oldest);
            given.after = at.unwrap_or(given.after).max(given.after);
            given.first += 1;
        }
        drop(given);
        self.count.send_modify(|(count, _)| *count += 1);
    }

    /// Reads all messages on events past a place. `None` where not all of them are kept any more.
    pub(super) fn read(self: &Arc<Self>, after: Seq) -> Option<Reader> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        (given.after <= after).then(|| Reader {
            group: Arc::clone(self),
            count: self.count.subscribe(),
            next: given.first,
            after,
        })
    }
}

/// Tells the readers of a group that its execution has ended, when it is dropped.
struct Ending(Weak<Group>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(group) = self.0.upgrade() {
            group.count.send_modify(|(_, ended)| *ended = true);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(running) = self.running.get() {
            running.abort();
        }
    }
}

fn size(message: &Message) -> usize {
    match message {
        Message::Next(text) | Message::Refused(text) => text.len(),
        Message::TooSlow => 0,
    }
}

/// One reader's place among the messages of a group.
#[derive(Debug)]
pub(crate) struct Reader {
    group: Arc<Group>,
    count: watch::Receiver<(u64, bool)>,
    next: u64,
    after: Seq,
}

impl Reader {
    /// The next message; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Message> {
        loop {
            let (count, ended) = *self.count.borrow_and_update();
            while self.next < count {
                let given = self.group.given.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(place) = self.next.checked_sub(given.first) else {
                    drop(given);
                    self.next = u64::MAX;
                    return Some(Message::TooSlow);
                };
                let message = usize::try_from(place).ok().and_then(|place| given.messages.get(place)).cloned();
                drop(given);
                self.next += 1;
                match message {
                    // What it has seen before it joined.
                    Some((Some(at), _)) if at <= self.after => {}
                    Some((_, message)) => return Some(message),
                    None => {}
                }
            }
            if ended || self.next == u64::MAX {
                return None;
            }
            if self.count.changed().await.is_err() {
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

    fn message(text: &str) -> Message {
        Message::Next(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn text(message: Option<Message>) -> String {
        match message {
            Some(Message::Next(text)) => String::from_utf8(text.to_vec()).unwrap(),
            other => format!("{other:?}"),
        }
    }

    fn group() -> (Arc<Group>, mpsc::UnboundedSender<(Option<Seq>, Message)>) {
        let (send, receive) = mpsc::unbounded_channel();
        let messages = stream::unfold(receive, async |mut receive| Some((receive.recv().await?, receive)));
        (Group::run(Seq(10), messages), send)
    }

    #[tokio::test]
    async fn every_reader_gets_what_lies_past_its_place() {
        let (group, send) = group();
        assert!(group.read(Seq(9)).is_none(), "it began later");
        let (mut early, mut late) = (group.read(Seq(10)).unwrap(), group.read(Seq(11)).unwrap());
        send.send((Some(Seq(11)), message("a"))).unwrap();
        send.send((Some(Seq(12)), message("b"))).unwrap();
        assert_eq!((text(early.next().await), text(early.next().await)), ("a".to_owned(), "b".to_owned()));
        assert_eq!(text(late.next().await), "b");
        assert!(late.next().now_or_never().is_none());
        // One that comes later still gets all past its place.
        assert_eq!(text(group.read(Seq(10)).unwrap().next().await), "a");
        drop(send);
        assert!(early.next().await.is_none() && late.next().await.is_none());
        assert!(group.has_ended());
    }

    #[tokio::test]
    async fn one_that_falls_behind_is_told_and_others_are_not_held_up() {
        let (group, send) = group();
        let (mut slow, mut quick) = (group.read(Seq(10)).unwrap(), group.read(Seq(10)).unwrap());
        let large = "x".repeat(MOST_BYTES / 4);
        for at in 11..20 {
            send.send((Some(Seq(at)), message(&large))).unwrap();
            assert_eq!(text(quick.next().await).len(), large.len());
        }
        assert!(matches!(slow.next().await, Some(Message::TooSlow)));
        assert!(slow.next().await.is_none());
        assert!(group.read(Seq(10)).is_none(), "what it would need is not kept any more");
        assert!(group.read(Seq(19)).is_some());
    }

    #[tokio::test]
    async fn what_is_of_no_event_is_for_everybody() {
        let (group, send) = group();
        let mut reader = group.read(Seq(30)).unwrap();
        send.send((Some(Seq(11)), message("a"))).unwrap();
        send.send((None, message("error"))).unwrap();
        assert_eq!(text(reader.next().await), "error");
    }

    #[tokio::test]
    async fn readers_are_told_of_the_end_of_an_execution_that_panics() {
        let broken = stream::once(async { panic!("as a defect would") });
        let group = Group::run(Seq(10), broken);
        assert!(group.read(Seq(10)).unwrap().next().await.is_none());
        assert!(group.has_ended());
    }

    #[tokio::test]
    async fn it_ends_with_its_last_reader() {
        let (group, send) = group();
        let reader = group.read(Seq(10)).unwrap();
        drop(group);
        assert!(!send.is_closed());
        drop(reader);
        send.closed().await;
    }
}
