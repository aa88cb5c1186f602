//! How a subscription joins a broadcast: it first catches up with the log, then goes live.

use std::sync::Arc;

use async_graphql::Data;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::broadcast::{Broadcast, Next, Subscriber};
use super::stream::{ResumeCursor, StreamItem};
use super::{PositionCell, Sharing, SharingKey, StartAt, StopAt};
use crate::auth::Access;
use crate::domain::Seq;
use crate::graphql::execution::operation::UnreadOperation;
use crate::graphql::{Executor, Operation};

/// How the executions of a subscription begin.
#[derive(Clone)]
pub(super) struct Start {
    executor: Executor,
    request: Arc<UnreadOperation>,
    /// The request as it was read. The first execution takes it.
    operation: Option<Operation>,
    access: Access,
}

/// A broadcast, and how a subscriber that lags behind it catches up.
pub(super) struct Shared {
    broadcast: Arc<Broadcast>,
    start: Start,
}

impl Shared {
    pub(super) fn has_ended(&self) -> bool {
        self.broadcast.has_ended()
    }

    pub(super) fn limit_backlog(&self, bytes_max: usize) {
        self.broadcast.limit_backlog(bytes_max);
    }
}

/// The phase of a subscription.
enum Phase {
    /// It receives the missed events by a separate execution, up to `stop_at`.
    CatchingUp { messages: BoxStream<'static, StreamItem>, stop_at: StopAt, start: Box<Start> },
    /// It has everything up to this position, and joins the broadcast next.
    CaughtUp(Seq, Box<Start>),
    /// It receives the broadcast.
    Live(Subscriber, Arc<Shared>),
}

/// Executes a subscription together with all equal ones. If it resumes from a cursor, it catches up
/// first.
pub(crate) fn subscribe_shared(
    executor: Executor,
    sharing: Sharing,
    operation: Operation,
    access: Access,
    resume_after: Option<String>,
) -> BoxStream<'static, StreamItem> {
    let Sharing { key, resumes } = sharing;
    let head = executor.head();
    let request = Arc::new(operation.to_unread());
    let start = Box::new(Start { executor, request, operation: Some(operation), access });
    let phase = if resumes || resume_after.is_some() {
        let mut data = Data::default();
        if let Some(cursor) = resume_after {
            data.insert(ResumeCursor(cursor));
        }
        start.catch_up(data, head)
    } else {
        Phase::CaughtUp(head, start)
    };
    stream::unfold((phase, key), async |(phase, key)| {
        let (item, phase) = next(phase, &key).await?;
        Some((item, (phase, key)))
    })
    .boxed()
}

async fn next(mut phase: Phase, key: &SharingKey) -> Option<(StreamItem, Phase)> {
    loop {
        phase = match phase {
            Phase::CatchingUp { mut messages, stop_at, start } => match messages.next().await {
                Some(item) => return Some((item, Phase::CatchingUp { messages, stop_at, start })),
                // No position: the execution failed or was refused, and its last message said why.
                None => Phase::CaughtUp(stop_at.reached.take()?, start),
            },
            Phase::CaughtUp(position, mut start) => {
                let broadcasts = start.executor.broadcasts.clone();
                let shared = broadcasts.get_or_start(key, |share| Arc::new(start.share(position, share)));
                match shared.broadcast.subscribe(position) {
                    Some(subscriber) => Phase::Live(subscriber, shared),
                    // The backlog begins after this position, so the subscription has events to
                    // catch up with.
                    None => start.catch_up_from(position),
                }
            }
            Phase::Live(mut subscriber, shared) => match subscriber.next().await {
                Next::Item(item) => return Some((item, Phase::Live(subscriber, shared))),
                // A burst of large events can pass a subscriber that reads as fast as it can.
                Next::Lagged(position) => Box::new(shared.start.clone()).catch_up_from(position),
                Next::Ended => return None,
            },
        };
    }
}

impl Start {
    fn catch_up_from(self: Box<Self>, position: Seq) -> Phase {
        let mut data = Data::default();
        data.insert(StartAt(position));
        let head = self.executor.head();
        self.catch_up(data, head)
    }

    fn take_operation(&mut self) -> Operation {
        self.operation.take().unwrap_or_else(|| self.request.read(&self.executor.limits))
    }

    fn catch_up(mut self: Box<Self>, mut data: Data, up_to: Seq) -> Phase {
        let stop_at = StopAt { up_to, reached: PositionCell::default() };
        data.insert(stop_at.clone());
        let operation = self.take_operation();
        let messages = self.executor.stream_unshared(operation, self.access, data);
        Phase::CatchingUp { messages, stop_at, start: self }
    }

    fn share(&mut self, after: Seq, backlog_bytes: usize) -> Shared {
        let mut data = Data::default();
        data.insert(StartAt(after));
        let operation = self.take_operation();
        let messages = self.executor.stream_unshared(operation, self.access, data);
        Shared { broadcast: Broadcast::spawn(after, backlog_bytes, messages), start: self.clone() }
    }
}
