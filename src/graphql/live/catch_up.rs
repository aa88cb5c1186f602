//! How a subscription joins a broadcast: it first catches up with the log, then goes live.

use std::sync::Arc;

use async_graphql::Request;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::stream::OperationMessage;
use super::{Broadcast, Broadcasts, NextEventPosition, PositionCell, SharingKey, StartAt, StopAt, Subscriber};
use crate::auth::Access;
use crate::domain::Seq;
use crate::graphql::Executor;

/// The parts of a request, from which it can be built again. A [`Request`] cannot be cloned.
#[derive(Clone, Debug)]
pub(crate) struct RequestTemplate {
    query: String,
    operation_name: Option<String>,
    variables: async_graphql::Variables,
    access: Access,
}

impl RequestTemplate {
    pub(crate) fn new(request: &Request, access: Access) -> Self {
        let Request { query, operation_name, variables, .. } = request;
        Self { query: query.clone(), operation_name: operation_name.clone(), variables: variables.clone(), access }
    }

    fn to_request(&self) -> Request {
        let mut request = Request::new(self.query.clone()).variables(self.variables.clone());
        request.operation_name.clone_from(&self.operation_name);
        request
    }
}

/// The phase of a subscription.
enum Phase {
    /// It receives the missed events by a separate execution, up to `stop_at`.
    CatchingUp { messages: BoxStream<'static, OperationMessage>, stop_at: StopAt },
    /// It has everything up to this position, and joins the broadcast next.
    CaughtUp(Seq),
    /// It receives the broadcast.
    Live(Subscriber),
    /// It has ended.
    Done,
}

/// Executes a subscription together with all equal ones. If it `resumes` from a cursor, it catches
/// up first.
pub(crate) fn subscribe_shared(
    executor: Executor,
    broadcasts: Broadcasts,
    key: SharingKey,
    template: RequestTemplate,
    resumes: bool,
) -> BoxStream<'static, OperationMessage> {
    let head = executor.head();
    let first_phase = if resumes { start_catch_up(&executor, &template, None, head) } else { Phase::CaughtUp(head) };
    stream::unfold(
        (first_phase, executor, broadcasts, key, template),
        async |(mut phase, executor, broadcasts, key, template)| {
            loop {
                phase = match phase {
                    Phase::CatchingUp { mut messages, stop_at } => match messages.next().await {
                        Some(message) => {
                            return Some((
                                message,
                                (Phase::CatchingUp { messages, stop_at }, executor, broadcasts, key, template),
                            ));
                        }
                        None => match stop_at.reached.take() {
                            Some(position) => Phase::CaughtUp(position),
                            // The execution was refused or failed. Its last message says so.
                            None => Phase::Done,
                        },
                    },
                    Phase::CaughtUp(position) => {
                        let broadcast =
                            broadcasts.get_or_start(&key, || start_broadcast(&executor, &template, position));
                        match broadcast.subscribe(position) {
                            Some(subscriber) => Phase::Live(subscriber),
                            // The backlog begins after this position, so the subscription has
                            // events to catch up with.
                            None => start_catch_up(&executor, &template, Some(position), executor.head()),
                        }
                    }
                    Phase::Live(mut subscriber) => {
                        let message = subscriber.next().await?;
                        return Some((message, (Phase::Live(subscriber), executor, broadcasts, key, template)));
                    }
                    Phase::Done => return None,
                };
            }
        },
    )
    .boxed()
}

fn start_catch_up(executor: &Executor, template: &RequestTemplate, from: Option<Seq>, up_to: Seq) -> Phase {
    let stop_at = StopAt { up_to, reached: PositionCell::default() };
    let mut request = template.to_request().data(stop_at.clone());
    if let Some(from) = from {
        request = request.data(StartAt(from));
    }
    Phase::CatchingUp { messages: executor.stream_unshared(request, template.access), stop_at }
}

fn start_broadcast(executor: &Executor, template: &RequestTemplate, after: Seq) -> Arc<Broadcast> {
    let next_position = NextEventPosition::default();
    let request = template.to_request().data(StartAt(after)).data(next_position.clone());
    let messages =
        executor.stream_unshared(request, template.access).map(move |message| (next_position.0.take(), message));
    Broadcast::spawn(after, messages)
}
