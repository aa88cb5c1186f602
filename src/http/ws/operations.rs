//! The running operations of one socket, polled in turn.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::graphql::{OperationMessage, StreamItem};
use crate::http::gauge::GaugeGuard;
use crate::http::stream_caps::OperationPlace;

/// The id that the client chose for an operation.
pub(super) type OperationId = Arc<str>;

/// The operations of a socket. Removing one stops its execution at once.
#[derive(Default)]
pub(super) struct Operations {
    running: Vec<Operation>,
    /// The index of the operation whose turn is next. With turns, a busy operation does not starve
    /// the others.
    next_index: usize,
}

struct Operation {
    id: OperationId,
    responses: BoxStream<'static, StreamItem>,
    /// The prefetched message, or `Some(None)` for the prefetched end.
    buffered: Option<Option<OperationMessage>>,
    _place: Option<OperationPlace>,
    _gauge: GaugeGuard,
}

impl Operation {
    fn poll_response(&mut self, cx: &mut Context<'_>) -> Poll<Option<OperationMessage>> {
        self.responses.poll_next_unpin(cx).map(|item| item.map(|item| item.message))
    }
}

impl Operations {
    /// Whether an operation with this id is running.
    pub(super) fn contains(&self, id: &str) -> bool {
        self.running.iter().any(|operation| &*operation.id == id)
    }

    /// How many operations run.
    pub(super) const fn len(&self) -> usize {
        self.running.len()
    }

    /// Adds an operation, whose id must be new.
    pub(super) fn start(
        &mut self,
        id: OperationId,
        responses: BoxStream<'static, StreamItem>,
        place: Option<OperationPlace>,
    ) {
        let gauge = GaugeGuard::subscription();
        self.running.push(Operation { id, responses, buffered: None, _place: place, _gauge: gauge });
    }

    /// Stops the operation with this id. Returns whether there was one.
    pub(super) fn stop(&mut self, id: &str) -> bool {
        let index = self.running.iter().position(|operation| &*operation.id == id);
        if let Some(index) = index {
            self.remove_at(index);
        }
        index.is_some()
    }

    /// The next message of the first ready operation in turn, or `None` if that operation has
    /// ended. An operation is removed at its end and after [`OperationMessage::Refused`].
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<(OperationId, Option<OperationMessage>)> {
        let count = self.running.len();
        for step in 0..count {
            let index = (self.next_index + step) % count;
            let Some(operation) = self.running.get_mut(index) else { continue };
            let message = match operation.buffered.take() {
                Some(message) => Poll::Ready(message),
                None => operation.poll_response(cx),
            };
            if let Poll::Ready(message) = message {
                let id = Arc::clone(&operation.id);
                self.next_index = index + 1;
                match &message {
                    Some(OperationMessage::Next(_)) => {}
                    Some(OperationMessage::Refused(_)) | None => self.remove_at(index),
                }
                return Poll::Ready((id, message));
            }
        }
        Poll::Pending
    }

    /// Polls every operation for its next message and buffers that until its turn. While a peer
    /// receives nothing, an operation therefore never pauses in the middle of a read while it holds
    /// a database connection.
    ///
    /// Returns how many bytes and how many messages are buffered.
    pub(super) fn poll_prefetch(&mut self, cx: &mut Context<'_>) -> (usize, usize) {
        let (mut bytes, mut messages) = (0, 0);
        for operation in &mut self.running {
            if operation.buffered.is_none()
                && let Poll::Ready(message) = operation.poll_response(cx)
            {
                operation.buffered = Some(message);
            }
            match &operation.buffered {
                Some(Some(OperationMessage::Next(text) | OperationMessage::Refused(text))) => {
                    bytes += text.len();
                    messages += 1;
                }
                Some(None) | None => {}
            }
        }
        (bytes, messages)
    }

    fn remove_at(&mut self, index: usize) {
        self.running.remove(index);
        if index < self.next_index {
            self.next_index -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn item(message: OperationMessage) -> StreamItem {
        StreamItem { message, position: None, cursor: None }
    }

    fn repeat_message(times: usize) -> BoxStream<'static, StreamItem> {
        stream::iter(std::iter::repeat_n(item(OperationMessage::Next("{}".into())), times)).boxed()
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
        operations.start("always".into(), repeat_message(1000), None);
        operations.start("silent".into(), stream::pending().boxed(), None);
        operations.start("twice".into(), repeat_message(2), None);
        operations.start("once".into(), repeat_message(1), None);
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
        assert!(operations.contains("silent") && !operations.contains("once") && !operations.contains("twice"));
        assert!(operations.stop("always") && !operations.stop("always"));
        assert_eq!(next(&mut operations), None);
    }

    #[test]
    fn prefetch_buffers_one_message_per_operation() {
        let mut operations = Operations::default();
        operations.start("twice".into(), repeat_message(2), None);
        operations.start("never".into(), repeat_message(0), None);
        operations.start("silent".into(), stream::pending().boxed(), None);
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
        operations.start("1".into(), stream::iter([item(OperationMessage::Refused("[]".into()))]).boxed(), None);
        assert_eq!(next(&mut operations), Some(("1".to_owned(), true)));
        assert!(!operations.contains("1"));
        assert_eq!(next(&mut operations), None);
    }
}
