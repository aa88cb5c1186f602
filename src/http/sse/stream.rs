//! The work of one event stream, in a task of its own: so an operation goes on to its next event even while its client does not
//! receive the last, and never stands still half-way through a read with a connection of the database in its hands.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::event;
use crate::auth::{Access, Keys};
use crate::graphql::{OperationMessage, StreamItem};
use crate::http::access;
use crate::http::gauge::GaugeGuard;

/// How long a stream may be silent: proxies and browsers take a connection on which nothing comes for dead.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(12);

/// How long a client may take to make room for the next event.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends what an operation says until it has come to its end, its client is gone, or it must end: on account of its key, or since
/// the service stops. Only the first is a `complete`; after anything else the client may come again and go on.
pub(super) async fn serve(
    operation: BoxStream<'static, StreamItem>,
    events: mpsc::Sender<Bytes>,
    access: Access,
    keys: Keys,
    stopping: CancellationToken,
) {
    let _counted = GaugeGuard::subscription();
    tokio::select! {
        biased;
        () = stopping.cancelled() => {}
        denied = keys.wait_until_revoked(access) => access::count_denied(denied),
        () = events.closed() => {}
        () = forward(operation, &events) => {}
    }
}

async fn forward(mut operation: BoxStream<'static, StreamItem>, events: &mpsc::Sender<Bytes>) {
    loop {
        let keep_alive_at = Instant::now() + KEEP_ALIVE_INTERVAL;
        let (event, is_last) = tokio::select! {
            placed = operation.next() => match placed {
                Some(StreamItem { message: OperationMessage::Next(response), cursor }) => {
                    (event::next(cursor.as_deref(), &response), false)
                }
                // By the protocol this too is an event: a browser's EventSource tells its page nothing of other answers.
                Some(StreamItem { message: OperationMessage::Refused(errors), .. }) => {
                    let response = [&b"{\"errors\":"[..], &errors, b"}"].concat();
                    (event::next(None, &response), false)
                }
                Some(StreamItem { message: OperationMessage::Lagged, .. }) => return,
                None => (event::COMPLETE, true),
            },
            () = sleep_until(keep_alive_at) => (event::KEEP_ALIVE, false),
        };
        let sent = timeout_at(Instant::now() + STALL_TIMEOUT, events.send(event)).await;
        if is_last || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}
