//! How a subscription joins a broadcast: it first catches up with the log, then goes live.

use std::sync::Arc;

use async_graphql::Data;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::stream::{ResumeCursor, StreamItem};
use super::{Broadcast, PositionCell, Sharing, StartAt, StopAt, Subscriber};
use crate::auth::Access;
use crate::domain::Seq;
use crate::graphql::{Executor, Operation};

/// What a subscription needs until it is live.
struct Start {
    executor: Executor,
    sharing: Sharing,
    operation: Operation,
    access: Access,
}

/// The phase of a subscription.
enum Phase {
    /// It receives the missed events by a separate execution, up to `stop_at`.
    CatchingUp { messages: BoxStream<'static, StreamItem>, stop_at: StopAt, start: Box<Start> },
    /// It has everything up to this position, and joins the broadcast next.
    CaughtUp(Seq, Box<Start>),
    /// It receives the broadcast.
    Live(Subscriber),
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
    let head = executor.head();
    let resumes = sharing.resumes || resume_after.is_some();
    let start = Box::new(Start { executor, sharing, operation, access });
    let phase = if resumes {
        let mut data = Data::default();
        if let Some(cursor) = resume_after {
            data.insert(ResumeCursor(cursor));
        }
        start.catch_up(data, head)
    } else {
        Phase::CaughtUp(head, start)
    };
    stream::unfold(phase, next).boxed()
}

async fn next(mut phase: Phase) -> Option<(StreamItem, Phase)> {
    loop {
        phase = match phase {
            Phase::CatchingUp { mut messages, stop_at, start } => match messages.next().await {
                Some(message) => return Some((message, Phase::CatchingUp { messages, stop_at, start })),
                // No position: the execution failed or was refused, and its last message said why.
                None => Phase::CaughtUp(stop_at.reached.take()?, start),
            },
            Phase::CaughtUp(position, start) => {
                let broadcasts = &start.executor.broadcasts;
                let broadcast = broadcasts.get_or_start(&start.sharing.key, || start.broadcast(position));
                match broadcast.subscribe(position) {
                    Some(subscriber) => Phase::Live(subscriber),
                    // The backlog begins after this position, so the subscription has events to
                    // catch up with.
                    None => {
                        let mut data = Data::default();
                        data.insert(StartAt(position));
                        let head = start.executor.head();
                        start.catch_up(data, head)
                    }
                }
            }
            Phase::Live(mut subscriber) => return Some((subscriber.next().await?, Phase::Live(subscriber))),
        };
    }
}

impl Start {
    fn catch_up(self: Box<Self>, mut data: Data, up_to: Seq) -> Phase {
        let stop_at = StopAt { up_to, reached: PositionCell::default() };
        data.insert(stop_at.clone());
        let messages = self.executor.stream_unshared(self.operation.clone(), self.access, data);
        Phase::CatchingUp { messages, stop_at, start: self }
    }

    fn broadcast(&self, after: Seq) -> Arc<Broadcast> {
        let mut data = Data::default();
        data.insert(StartAt(after));
        Broadcast::spawn(after, self.executor.stream_unshared(self.operation.clone(), self.access, data))
    }
}
