//! The messages that a streaming transport sends: the text of each response, and the end.

use std::sync::Arc;

use async_graphql::{Context, Data};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};

use super::PositionCell;
use crate::auth::Access;
use crate::domain::Seq;
use crate::graphql::execution::response::{self, Response};
use crate::graphql::pagination::cursor;
use crate::graphql::{Executor, Operation, live};

/// One message of an operation.
#[derive(Clone, Debug)]
pub enum OperationMessage {
    /// The text of a response: `{"data":…}`.
    Next(Bytes),
    /// The text of the errors, `[{"message":…}]`, of an operation that was refused before
    /// execution. Nothing follows.
    Refused(Bytes),
}

/// A message, and its position in the log.
#[derive(Clone, Debug)]
pub struct StreamItem {
    /// The message to send.
    pub message: OperationMessage,
    /// The position to resume from once the message is processed. `None` for a message without a
    /// position, such as an error.
    pub position: Option<Seq>,
    /// The cursor of the position. It is encoded once for all subscribers of a shared execution.
    pub cursor: Option<Arc<str>>,
}

/// The cursor that a repeated request resumes from, whatever its argument `after` says.
pub(super) struct ResumeCursor(pub(super) String);

/// The cursor that a subscription resumes from: that of the repeated request, or else its argument
/// `after`.
pub(crate) fn resume_cursor(ctx: &Context<'_>, after: Option<String>) -> Option<String> {
    ctx.data_opt::<ResumeCursor>().map(|ResumeCursor(cursor)| cursor.clone()).or_else(|| cursor::given(after))
}

impl Executor {
    /// Executes an operation. A query or a mutation gives one response; a subscription gives a
    /// stream of them. Equal subscriptions share one execution.
    ///
    /// `resume_after` is a cursor that overrides the subscription's own argument `after`, so that a
    /// client can repeat a request unchanged.
    pub fn stream(
        &self,
        operation: Operation,
        access: Access,
        resume_after: Option<String>,
    ) -> BoxStream<'static, StreamItem> {
        if let Some(sharing) = live::find_sharing(&operation, access.scope()) {
            return live::subscribe_shared(self.clone(), sharing, operation, access, resume_after);
        }
        let mut data = Data::default();
        if let Some(cursor) = resume_after {
            data.insert(ResumeCursor(cursor));
        }
        self.stream_unshared(operation, access, data)
    }

    /// The log's head.
    pub(super) fn head(&self) -> Seq {
        self.api.feed.head()
    }

    /// Executes an operation without sharing the execution.
    pub(super) fn stream_unshared(
        &self,
        operation: Operation,
        access: Access,
        mut data: Data,
    ) -> BoxStream<'static, StreamItem> {
        // A subscription has one root field, so one cell is enough.
        let position = PositionCell::default();
        data.insert(position.clone());
        let log_id = self.api.store.log_id().clone();
        self.execute_stream(operation, access, data)
            .map(move |response| {
                let text = match &response {
                    Response::Refused(errors) => {
                        serde_json::to_vec(errors).map(|errors| OperationMessage::Refused(errors.into()))
                    }
                    Response::Executed { .. } => {
                        response::to_json(&response).map(|text| OperationMessage::Next(text.into()))
                    }
                };
                let message = text.unwrap_or_else(|error| {
                    tracing::error!(%error, "a response could not be written");
                    OperationMessage::Refused(Bytes::from_static(
                        b"[{\"message\":\"an internal error; the service's log has the details\",\
                          \"extensions\":{\"code\":\"INTERNAL\"}}]",
                    ))
                });
                let position = position.take();
                let cursor = position.map(|position| cursor::encode_event(&log_id, position).into());
                StreamItem { message, position, cursor }
            })
            .boxed()
    }
}
