//! The operations that are under way on one socket, each in its turn.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::graphql::Message;
use crate::http::gauge::Counted;

/// How many operations a socket may have under way. A page has one for each of its parts; a thousand would be a mistake.
pub(super) const MOST: usize = 100;

/// The client's name for an operation.
pub(super) type Id = Arc<str>;

/// The operations of a socket. One that is taken out is not executed any further from that moment on.
#[derive(Default)]
pub(super) struct Operations {
    running: Vec<Operation>,
    /// Whose turn it is: one that has always something to say does not keep the others from it.
    turn: usize,
}

struct Operation {
    id: Id,
    responses: BoxStream<'static, Message>,
    /// What it has said, or that it has come to its end, where that was not asked for yet.
    held: Option<Option<Message>>,
    _counted: Counted,
}

impl Operations {
    /// Whether there is one of this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.running.iter().any(|operation| &*operation.id == id)
    }

    /// Whether there may be no more.
    pub(super) fn is_full(&self) -> bool {
        self.running.len() >= MOST
    }

    /// Adds one, of an id that there is not yet.
    pub(super) fn start(&mut self, id: Id, responses: BoxStream<'static, Message>) {
        self.running.push(Operation { id, responses, held: None, _counted: Counted::subscription() });
    }

    /// Ends one, if there is one of this id.
    pub(super) fn end(&mut self, id: &str) {
        if let Some(at) = self.running.iter().position(|operation| &*operation.id == id) {
            self.take_out(at);
        }
    }

    /// What the next operation in turn says that has something to say, and nothing where it has come to its end. It is not there
    /// any more then, and neither after [`Message::Refused`].
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<(Id, Option<Message>)> {
        let count = self.running.len();
        for step in 0..count {
            let at = (self.turn + step) % count;
            let Some(operation) = self.running.get_mut(at) else { continue };
            let message = match operation.held.take() {
                Some(held) => Poll::Ready(held),
                None => operation.responses.poll_next_unpin(cx),
            };
            if let Poll::Ready(message) = message {
                let id = Arc::clone(&operation.id);
                self.turn = at + 1;
                match &message {
                    Some(Message::Next(_) | Message::TooSlow) => {}
                    Some(Message::Refused(_)) | None => self.take_out(at),
                }
                return Poll::Ready((id, message));
            }
        }
        Poll::Pending
    }

    /// Lets every operation go on to its next message, which is held until it is its turn. While a peer receives nothing, this keeps
    /// an operation from standing still half-way through a read, with a connection of the database in its hands.
    ///
    /// Gives how many bytes are held, of how many messages.
    pub(super) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> (usize, usize) {
        let (mut bytes, mut messages) = (0, 0);
        for operation in &mut self.running {
            if operation.held.is_none()
                && let Poll::Ready(message) = operation.responses.poll_next_unpin(cx)
            {
                operation.held = Some(message);
            }
            match &operation.held {
                Some(Some(Message::Next(text) | Message::Refused(text))) => {
                    bytes += text.len();
                    messages += 1;
                }
                Some(Some(Message::TooSlow) | None) | None => {}
            }
        }
        (bytes, messages)
    }

    fn take_out(&mut self, at: usize) {
        self.running.remove(at);
        if at < self.turn {
            self.turn -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn said(times: usize) -> BoxStream<'static, Message> {
        stream::iter(std::iter::repeat_n(Message::Next("{}".into()), times)).boxed()
    }

    fn next(operations: &mut Operations) -> Option<(String, bool)> {
        match operations.poll_next(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready((id, message)) => Some((id.to_string(), message.is_some())),
            Poll::Pending => None,
        }
    }

    #[test]
    fn each_has_its_turn() {
        let mut operations = Operations::default();
        operations.start("always".into(), said(1000));
        operations.start("silent".into(), stream::pending().boxed());
        operations.start("twice".into(), said(2));
        operations.start("once".into(), said(1));
        let order: Vec<_> = (0..8).map(|_| next(&mut operations).unwrap()).collect();
        let expected = [
            ("always", true),
            ("twice", true),
            ("once", true),
            ("always", true),
            ("twice", true),
            ("once", false),
            ("always", true),
            ("twice", false),
        ];
        assert_eq!(order, expected.map(|(id, more)| (id.to_owned(), more)));
        assert!(operations.has("silent") && !operations.has("once") && !operations.has("twice"));
        operations.end("always");
        assert_eq!(next(&mut operations), None);
    }

    #[test]
    fn what_is_held_is_one_message_of_each() {
        let mut operations = Operations::default();
        operations.start("twice".into(), said(2));
        operations.start("never".into(), said(0));
        operations.start("silent".into(), stream::pending().boxed());
        for _ in 0..3 {
            let mut cx = Context::from_waker(std::task::Waker::noop());
            assert_eq!(operations.poll_ahead(&mut cx), (2, 1));
        }
        let order: Vec<_> = (0..4).map_while(|_| next(&mut operations)).collect();
        assert_eq!(
            order,
            [("twice", true), ("never", false), ("twice", true), ("twice", false)]
                .map(|(id, more)| (id.to_owned(), more))
        );
    }

    #[test]
    fn nothing_follows_a_refusal() {
        let mut operations = Operations::default();
        operations.start("1".into(), stream::iter([Message::Refused("[]".into())]).boxed());
        assert_eq!(next(&mut operations), Some(("1".to_owned(), true)));
        assert!(!operations.has("1"));
        assert_eq!(next(&mut operations), None);
    }
}
