//! Where in the log a subscription stands, told beside its responses: for a transport that has a place for it of its own, as
//! server-sent events have.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Context, Request};
use futures_util::stream::{BoxStream, StreamExt};

use crate::auth::Access;
use crate::graphql::{Executor, OperationMessage};

/// A message, and the cursor to go on from once it has been dealt with, where it is one of a subscription to events.
#[derive(Clone, Debug)]
pub struct StreamItem {
    /// What is to be sent.
    pub message: OperationMessage,
    /// What `after` has to be to get all that follows.
    pub cursor: Option<String>,
}

impl Executor {
    /// As [`Executor::stream`], by an execution of its own, each message with its cursor. `after` is where a subscription goes on,
    /// whatever its own argument says: so a request can be repeated as it was.
    pub fn stream_with_cursors(
        &self,
        mut request: Request,
        access: Access,
        after: Option<String>,
    ) -> BoxStream<'static, StreamItem> {
        let position = CursorCell::default();
        // A subscription has one field: it is at one place.
        request = request.data(position.clone());
        if let Some(cursor) = after {
            request = request.data(ResumeCursor(cursor));
        }
        self.stream_unshared(request, access)
            .map(move |message| StreamItem { message, cursor: position.take() })
            .boxed()
    }
}

/// The cursor that a request is repeated with.
struct ResumeCursor(String);

/// The cursor of what an execution gives next. Set just before that is resolved, taken once it is written.
#[derive(Clone, Default)]
pub(crate) struct CursorCell(Arc<Mutex<Option<String>>>);

impl CursorCell {
    /// Notes where in the log stands what comes next, for a request that asks for it.
    pub(crate) fn record(position: Option<&Self>, cursor: impl FnOnce() -> String) {
        if let Some(Self(noted)) = position {
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor());
        }
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Where a subscription goes on whose argument says `after`.
pub(crate) fn resume_cursor(ctx: &Context<'_>, after: Option<String>) -> Option<String> {
    ctx.data_opt::<ResumeCursor>().map(|ResumeCursor(cursor)| cursor.clone()).or(after)
}
