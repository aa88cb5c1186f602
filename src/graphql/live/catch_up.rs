//! How a subscription joins those that ask for the same: what it has missed first, then what all of them get.

use std::sync::Arc;

use async_graphql::Request;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::stream::Message;
use super::{At, Begin, End, Group, Groups, Key, Noted, Reader};
use crate::auth::Access;
use crate::domain::Seq;
use crate::graphql::Executor;

/// What makes requests that are executed: one cannot be copied, so its parts are kept.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    query: String,
    operation: Option<String>,
    variables: async_graphql::Variables,
    access: Access,
}

impl Recipe {
    pub(crate) fn of(request: &Request, access: Access) -> Self {
        let Request { query, operation_name, variables, .. } = request;
        Self { query: query.clone(), operation: operation_name.clone(), variables: variables.clone(), access }
    }

    fn request(&self) -> Request {
        let mut request = Request::new(self.query.clone()).variables(self.variables.clone());
        request.operation_name.clone_from(&self.operation);
        request
    }
}

/// Where a subscription is on its way.
enum Step {
    /// It gets what it has missed, by an execution of its own: up to `end`, where that is where it was to go.
    Missed { messages: BoxStream<'static, Message>, end: End },
    /// It has everything up to here, and joins the others.
    Arrived(Seq),
    /// It reads what all get.
    Live(Reader),
    /// Nothing comes any more.
    Over,
}

/// Executes a subscription together with all that ask for the same.
pub(crate) fn joining(
    executor: Executor,
    groups: Groups,
    key: Key,
    recipe: Recipe,
    resumes: bool,
) -> BoxStream<'static, Message> {
    let head = executor.head();
    let first = if resumes { missed(&executor, &recipe, None, head) } else { Step::Arrived(head) };
    stream::unfold((first, executor, groups, key, recipe), async |(mut step, executor, groups, key, recipe)| {
        loop {
            step = match step {
                Step::Missed { mut messages, end } => match messages.next().await {
                    Some(message) => {
                        return Some((message, (Step::Missed { messages, end }, executor, groups, key, recipe)));
                    }
                    None => match end.arrived.take() {
                        Some(place) => Step::Arrived(place),
                        // It was refused, or has failed: it has said so.
                        None => Step::Over,
                    },
                },
                Step::Arrived(place) => {
                    let group = groups.join(&key, || run(&executor, &recipe, place));
                    match group.read(place) {
                        Some(reader) => Step::Live(reader),
                        // The others are further than what is kept for them: there is something to be caught up with.
                        None => missed(&executor, &recipe, Some(place), executor.head()),
                    }
                }
                Step::Live(mut reader) => {
                    let message = reader.next().await?;
                    return Some((message, (Step::Live(reader), executor, groups, key, recipe)));
                }
                Step::Over => return None,
            };
        }
    })
    .boxed()
}

fn missed(executor: &Executor, recipe: &Recipe, from: Option<Seq>, up_to: Seq) -> Step {
    let end = End { up_to, arrived: Noted::default() };
    let mut request = recipe.request().data(end.clone());
    if let Some(from) = from {
        request = request.data(Begin(from));
    }
    Step::Missed { messages: executor.stream_alone(request, recipe.access), end }
}

fn run(executor: &Executor, recipe: &Recipe, after: Seq) -> Arc<Group> {
    let at = At::default();
    let request = recipe.request().data(Begin(after)).data(at.clone());
    let messages = executor.stream_alone(request, recipe.access).map(move |message| (at.0.take(), message));
    Group::run(after, messages)
}
