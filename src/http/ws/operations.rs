//! The operations that are under way on one socket, each in its turn.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::graphql::OperationMessage;
use crate::http::gauge::GaugeGuard;

/// How many operations a socket may have under way. A page has one for each of its parts; a thousand would be a mistake.
pub(super) const OPERATIONS_MAX: usize = 100;

/// The client's name for an operation.
pub(super) type OperationId = Arc<str>;

/// The operations of a socket. One that is taken out is not executed any further from that moment on.
#[derive(Default)]
pub(super) struct Operations {
    running: Vec<Operation>,
    /// Whose turn it is: one that has always something to say does not keep the others from it.
    next_index: usize,
}

struct Operation {
    id: OperationId,
    responses: BoxStream<'static, OperationMessage>,
    /// What it has said, or that it has come to its end, where that was not asked for yet.
    buffered: Option<Option<OperationMessage>>,
    _gauge: GaugeGuard,
}

impl Operations {
    /// Whether there is one of this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.running.iter().any(|operation| &*operation.id == id)
    }

    /// Whether there may be no more.
    pub(super) fn is_full(&self) -> bool {
        self.running.len() >= OPERATIONS_MAX
    }

    /// Adds one, of an id that there is not yet.
    pub(super) fn start(&mut self, id: OperationId, responses: BoxStream<'static, OperationMessage>) {
        self.running.push(Operation { id, responses, buffered: None, _gauge: GaugeGuard::subscription() });
    }

    /// Ends one, if there is one of this id.
    pub(super) fn stop(&mut self, id: &str) {
        if let Some(at) = self.running.iter().position(|operation| &*operation.id == id) {
            self.remove_at(at);
        }
    }

    /// What the next operation in turn says that has something to say, and nothing where it has come to its end. It is not there
    /// any more then, and neither after [`Message::Refused`].
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<(OperationId, Option<OperationMessage>)> {
        let count = self.running.len();
        for step in 0..count {
            let at = (self.next_index + step) % count;
            let Some(operation) = self.running.get_mut(at) else { continue };
            let message = match operation.buffered.take() {
                Some(held) => Poll::Ready(held),
                None => operation.responses.poll_next_unpin(cx),
            };
            if let Poll::Ready(message) = message {
                let id = Arc::clone(&operation.id);
                self.next_index = at + 1;
                match &message {
                    Some(OperationMessage::Next(_) | OperationMessage::Lagged) => {}
                    Some(OperationMessage::Refused(_)) | None => self.remove_at(at),
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
    pub(super) fn poll_prefetch(&mut self, cx: &mut Context<'_>) -> (usize, usize) {
        let (mut bytes, mut messages) = (0, 0);
        for operation in &mut self.running {
            if operation.buffered.is_none()
                && let Poll::Ready(message) = operation.responses.poll_next_unpin(cx)
            {
                operation.buffered = Some(message);
            }
            match &operation.buffered {
                Some(Some(OperationMessage::Next(text) | OperationMessage::Refused(text))) => {
                    bytes += text.len();
                    messages += 1;
                }
                Some(Some(OperationMessage::Lagged) | None) | None => {}
            }
        }
        (bytes, messages)
    }

    fn remove_at(&mut self, at: usize) {
        self.running.remove(at);
        if at < self.next_index {
            self.next_index -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn repeat_message(times: usize) -> BoxStream<'static, OperationMessage> {
        stream::iter(std::iter::repeat_n(OperationMessage::Next("{}".into()), times)).boxed()
    }

    fn next(operations: &mut Operations) -> Option<(String, bool)> {
        match operations.poll_next(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready((id, message)) => Some((id.to_string(), message.is_some())),
            Poll::Pending => None,
        }
    }

    #[test]
    fn operations_ready_take_turns() {
        let mut operations = Operations::default();
        operations.start("always".into(), repeat_message(1000));
        operations.start("silent".into(), stream::pending().boxed());
        operations.start("twice".into(), repeat_message(2));
        operations.start("once".into(), repeat_message(1));
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
        operations.stop("always");
        assert_eq!(next(&mut operations), None);
    }

    #[test]
    fn prefetch_buffers_one_message_per_operation() {
        let mut operations = Operations::default();
        operations.start("twice".into(), repeat_message(2));
        operations.start("never".into(), repeat_message(0));
        operations.start("silent".into(), stream::pending().boxed());
        for _ in 0..3 {
            let mut cx = Context::from_waker(std::task::Waker::noop());
            assert_eq!(operations.poll_prefetch(&mut cx), (2, 1));
        }
        let order: Vec<_> = (0..4).map_while(|_| next(&mut operations)).collect();
        assert_eq!(
            order,
            [("twice", true), ("never", false), ("twice", true), ("twice", false)]
                .map(|(id, more)| (id.to_owned(), more))
        );
    }

    #[test]
    fn operation_refused_is_removed() {
        let mut operations = Operations::default();
        operations.start("1".into(), stream::iter([OperationMessage::Refused("[]".into())]).boxed());
        assert_eq!(next(&mut operations), Some(("1".to_owned(), true)));
        assert!(!operations.has("1"));
        assert_eq!(next(&mut operations), None);
    }
}
