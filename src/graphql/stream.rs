//! What a transport that streams sends: the text of each response, and how it ends.

use async_graphql::Executor as _;
use async_graphql::{Data, Request};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};

use super::{Executor, response};
use crate::auth::Access;

/// One thing that an operation gives.
#[derive(Clone, Debug)]
pub enum Message {
    /// The text of a response: `{"data":…}`.
    Next(Bytes),
    /// The texts of the errors, `[{"message":…}]`, of an operation that was refused before it was executed. Nothing follows.
    Refused(Bytes),
    /// Whoever reads has fallen so far behind that what it missed is not kept for it any more. Nothing follows: it is to come again
    /// with the cursor of what it has seen.
    TooSlow,
}

impl Executor {
    /// Executes an operation: one response for a query or a mutation, as many as there are for a subscription.
    pub fn stream(&self, request: Request, access: Access) -> BoxStream<'static, Message> {
        let mut session = Data::default();
        session.insert(access);
        self.execute_stream(request, Some(session.into()))
            .map(|response| {
                let text = if response::refused(&response) {
                    serde_json::to_vec(&response.errors).map(|errors| Message::Refused(errors.into()))
                } else {
                    response::to_json(&response).map(|text| Message::Next(text.into()))
                };
                text.unwrap_or_else(|error| {
                    tracing::error!(%error, "a response could not be written");
                    Message::Refused(Bytes::from_static(
                        b"[{\"message\":\"internal error\",\"extensions\":{\"code\":\"INTERNAL\"}}]",
                    ))
                })
            })
            .boxed()
    }
}
