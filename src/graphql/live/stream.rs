//! The messages that a streaming transport sends: the text of each response, and the end.

use async_graphql::Executor as _;
use async_graphql::{Data, Request};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};

use crate::auth::Access;
use crate::domain::Seq;
use crate::graphql::execution::response;
use crate::graphql::{Executor, live};

/// One message of an operation.
#[derive(Clone, Debug)]
pub enum OperationMessage {
    /// The text of a response: `{"data":…}`.
    Next(Bytes),
    /// The text of the errors, `[{"message":…}]`, of an operation that was refused before
    /// execution. Nothing follows.
    Refused(Bytes),
    /// The subscriber fell behind the backlog. Nothing follows. The client must subscribe again
    /// with the cursor of the last event that it received.
    Lagged,
}

impl Executor {
    /// Executes an operation. A query or a mutation gives one response; a subscription gives a
    /// stream of them. Equal subscriptions share one execution.
    pub fn stream(&self, mut request: Request, access: Access) -> BoxStream<'static, OperationMessage> {
        match live::find_sharing(&mut request, access.scope()) {
            Some(sharing) => {
                let template = live::RequestTemplate::new(&request, access);
                live::subscribe_shared(self.clone(), self.broadcasts.clone(), sharing.key, template, sharing.resumes)
            }
            None => self.stream_unshared(request, access),
        }
    }

    /// The log's head.
    pub(super) fn head(&self) -> Seq {
        self.api.feed.head()
    }

    /// Executes an operation without sharing the execution.
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
                        b"[{\"message\":\"an internal error; the service's log has the details\",\
                          \"extensions\":{\"code\":\"INTERNAL\"}}]",
                    ))
                })
            })
            .boxed()
    }
}
