//! How a subscription joins those that ask for the same: what it has missed first, then what all of them get.

use std::sync::Arc;

use async_graphql::Request;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::stream::OperationMessage;
use super::{Broadcast, Broadcasts, NextEventPosition, PositionCell, SharingKey, StartAt, StopAt, Subscriber};
use crate::auth::Access;
use crate::domain::Seq;
use crate::graphql::Executor;

/// What makes requests that are executed: one cannot be copied, so its parts are kept.
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

/// Where a subscription is on its way.
enum Phase {
    /// It gets what it has missed, by an execution of its own: up to `end`, where that is where it was to go.
    CatchingUp { messages: BoxStream<'static, OperationMessage>, end: StopAt },
    /// It has everything up to here, and joins the others.
    CaughtUp(Seq),
    /// It reads what all get.
    Live(Subscriber),
    /// Nothing comes any more.
    Done,
}

/// Executes a subscription together with all that ask for the same.
pub(crate) fn subscribe_shared(
    executor: Executor,
    groups: Broadcasts,
    key: SharingKey,
    recipe: RequestTemplate,
    resumes: bool,
) -> BoxStream<'static, OperationMessage> {
    let head = executor.head();
    let first = if resumes { start_catch_up(&executor, &recipe, None, head) } else { Phase::CaughtUp(head) };
    stream::unfold((first, executor, groups, key, recipe), async |(mut step, executor, groups, key, recipe)| {
        loop {
            step = match step {
                Phase::CatchingUp { mut messages, end } => match messages.next().await {
                    Some(message) => {
                        return Some((message, (Phase::CatchingUp { messages, end }, executor, groups, key, recipe)));
                    }
                    None => match end.reached.take() {
                        Some(place) => Phase::CaughtUp(place),
                        // It was refused, or has failed: it has said so.
                        None => Phase::Done,
                    },
                },
                Phase::CaughtUp(place) => {
                    let group = groups.get_or_start(&key, || start_broadcast(&executor, &recipe, place));
                    match group.subscribe(place) {
                        Some(reader) => Phase::Live(reader),
                        // The others are further than what is kept for them: there is something to be caught up with.
                        None => start_catch_up(&executor, &recipe, Some(place), executor.head()),
                    }
                }
                Phase::Live(mut reader) => {
                    let message = reader.next().await?;
                    return Some((message, (Phase::Live(reader), executor, groups, key, recipe)));
                }
                Phase::Done => return None,
            };
        }
    })
    .boxed()
}

fn start_catch_up(executor: &Executor, recipe: &RequestTemplate, from: Option<Seq>, up_to: Seq) -> Phase {
    let end = StopAt { up_to, reached: PositionCell::default() };
    let mut request = recipe.to_request().data(end.clone());
    if let Some(from) = from {
        request = request.data(StartAt(from));
    }
    Phase::CatchingUp { messages: executor.stream_unshared(request, recipe.access), end }
}

fn start_broadcast(executor: &Executor, recipe: &RequestTemplate, after: Seq) -> Arc<Broadcast> {
    let at = NextEventPosition::default();
    let request = recipe.to_request().data(StartAt(after)).data(at.clone());
    let messages = executor.stream_unshared(request, recipe.access).map(move |message| (at.0.take(), message));
    Broadcast::spawn(after, messages)
}
