//! What a transport that streams sends: the text of each response, and how it ends.

use async_graphql::Executor as _;
use async_graphql::{Data, Request};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};

use crate::auth::Access;
use crate::domain::Seq;
use crate::graphql::execution::response;
use crate::graphql::{Executor, live};

/// One thing that an operation gives.
#[derive(Clone, Debug)]
pub enum OperationMessage {
    /// The text of a response: `{"data":…}`.
    Next(Bytes),
    /// The texts of the errors, `[{"message":…}]`, of an operation that was refused before it was executed. Nothing follows.
    Refused(Bytes),
    /// Whoever reads has fallen so far behind that what it missed is not kept for it any more. Nothing follows: it is to come again
    /// with the cursor of what it has seen.
    Lagged,
}

impl Executor {
    /// Executes an operation: one response for a query or a mutation, as many as there are for a subscription. Subscriptions that
    /// ask for the same share one execution.
    pub fn stream(&self, mut request: Request, access: Access) -> BoxStream<'static, OperationMessage> {
        match live::find_sharing(&mut request, access.scope()) {
            Some(plan) => {
                let recipe = live::RequestTemplate::new(&request, access);
                live::subscribe_shared(self.clone(), self.broadcasts.clone(), plan.key, recipe, plan.resumes)
            }
            None => self.stream_unshared(request, access),
        }
    }

    /// The newest place of the log.
    pub(super) fn head(&self) -> Seq {
        self.api.feed.head()
    }

    /// The same, by an execution of its own.
    pub(super) fn stream_unshared(&self, request: Request, access: Access) -> BoxStream<'static, OperationMessage> {
        let mut session = Data::default();
        session.insert(access);
        self.execute_stream(request, Some(session.into()))
            .map(|response| {
                let text = if response::is_refused(&response) {
                    serde_json::to_vec(&response.errors).map(|errors| OperationMessage::Refused(errors.into()))
                } else {
                    response::to_json(&response).map(|text| OperationMessage::Next(text.into()))
                };
                text.unwrap_or_else(|error| {
                    tracing::error!(%error, "a response could not be written");
                    OperationMessage::Refused(Bytes::from_static(
                        b"[{\"message\":\"internal error\",\"extensions\":{\"code\":\"INTERNAL\"}}]",
                    ))
                })
            })
            .boxed()
    }
}
