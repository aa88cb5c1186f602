//! Delivers the cursor of each message beside it, for a transport that has its own field for it,
//! such as server-sent events.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Context, Request};
use futures_util::stream::{BoxStream, StreamExt};

use crate::auth::Access;
use crate::graphql::{Executor, OperationMessage};

/// A message, and the cursor to resume from once the message is processed.
#[derive(Clone, Debug)]
pub struct StreamItem {
    /// The message to send.
    pub message: OperationMessage,
    /// The value of `after` that delivers everything after this message. `None` for a message
    /// without a position, such as an error.
    pub cursor: Option<String>,
}

impl Executor {
    /// Like [`Executor::stream`], but each message comes with its cursor, and the execution is not
    /// shared. `after` overrides the subscription's own argument, so that a client can repeat a
    /// request unchanged.
    pub fn stream_with_cursors(
        &self,
        mut request: Request,
        access: Access,
        after: Option<String>,
    ) -> BoxStream<'static, StreamItem> {
        let cell = CursorCell::default();
        // A subscription has one root field, so one cell is enough.
        request = request.data(cell.clone());
        if let Some(cursor) = after {
            request = request.data(ResumeCursor(cursor));
        }
        self.stream_unshared(request, access).map(move |message| StreamItem { message, cursor: cell.take() }).boxed()
    }
}

/// The cursor that a repeated request resumes from.
struct ResumeCursor(String);

/// The cursor of the next message. It is set before the message is resolved, and taken after the
/// message is encoded.
#[derive(Clone, Default)]
pub(crate) struct CursorCell(Arc<Mutex<Option<String>>>);

impl CursorCell {
    /// Sets the cursor of the next message if the request has a cell for it.
    pub(crate) fn record(cell: Option<&Self>, cursor: impl FnOnce() -> String) {
        if let Some(Self(slot)) = cell {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor());
        }
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The cursor that a subscription resumes from: that of the repeated request, or else its argument
/// `after`.
pub(crate) fn resume_cursor(ctx: &Context<'_>, after: Option<String>) -> Option<String> {
    ctx.data_opt::<ResumeCursor>().map(|ResumeCursor(cursor)| cursor.clone()).or(after)
}
