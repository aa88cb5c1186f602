//! Runs one event stream in a separate task. The operation therefore proceeds to its next event
//! even while its client does not receive the last one, and never pauses in the middle of a read
//! while it holds a database connection.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::event;
use crate::auth::{Access, Keys};
use crate::graphql::{Executor, OperationMessage, StreamItem};
use crate::http::access;
use crate::http::gauge::GaugeGuard;

/// How long a stream may be silent. Proxies and browsers close a connection on which nothing
/// arrives.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(12);

/// How long a client may take to receive an event before its stream is closed.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends the messages of an operation until it ends, its client disconnects, its key is revoked, or
/// the service stops. Only the end of the operation is a `complete`; in every other case the client
/// may reconnect and resume.
pub(super) async fn serve(
    operation: BoxStream<'static, StreamItem>,
    executor: Executor,
    events: mpsc::Sender<Bytes>,
    access: Access,
    keys: Keys,
    shutdown: CancellationToken,
) {
    let _gauge = GaugeGuard::subscription();
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        denied = keys.wait_until_revoked(access) => access::count_denied(denied),
        () = events.closed() => {}
        () = forward(operation, &executor, &events) => {}
    }
}

async fn forward(mut operation: BoxStream<'static, StreamItem>, executor: &Executor, events: &mpsc::Sender<Bytes>) {
    loop {
        let keep_alive_at = Instant::now() + KEEP_ALIVE_INTERVAL;
        let (event, is_last) = tokio::select! {
            item = operation.next() => match item {
                Some(StreamItem { message: OperationMessage::Next(response), position }) => {
                    let cursor = position.map(|position| executor.cursor(position));
                    (event::next(cursor.as_deref(), &response), false)
                }
                // The protocol sends this as an event, too: a browser's EventSource does not show
                // its page the body of an error status.
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
