//! Runs one event stream in a separate task. The operation therefore proceeds to its next event
//! even while its client does not receive the last one, and never pauses in the middle of a read
//! while it holds a database connection.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::event;
use crate::auth::{Access, Keys};
use crate::graphql::{OperationMessage, StreamItem};
use crate::http::access;
use crate::http::gauge::GaugeGuard;

/// How long a stream may be silent. Proxies and browsers close a connection on which nothing
/// arrives.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(12);

/// How many bytes of events one write gathers. A larger event goes alone.
const BATCH_BYTES: usize = 16 * 1024;

/// How long a client may take to receive an event before its stream is closed.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends the messages of an operation until it ends, its client disconnects, its key is revoked, or
/// the service stops. Only the end of the operation is a `complete`; in every other case the client
/// may reconnect and resume.
pub(super) async fn serve(
    operation: BoxStream<'static, StreamItem>,
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
        () = forward(operation, &events) => {}
    }
}

/// Sends all messages that are ready in one write, as a socket does. In a burst each would
/// otherwise cost a write.
async fn forward(mut operation: BoxStream<'static, StreamItem>, events: &mpsc::Sender<Bytes>) {
    loop {
        let keep_alive_at = Instant::now() + KEEP_ALIVE_INTERVAL;
        let (mut batch, mut is_last) = (Vec::new(), false);
        let mut ready = tokio::select! {
            item = operation.next() => Some(item),
            () = sleep_until(keep_alive_at) => None,
        };
        if ready.is_none() {
            batch.extend_from_slice(event::KEEP_ALIVE);
        }
        while let Some(item) = ready.take() {
            match item {
                Some(item) => push_item(&mut batch, &item),
                None => {
                    batch.extend_from_slice(event::COMPLETE);
                    is_last = true;
                    break;
                }
            }
            if batch.len() < BATCH_BYTES {
                ready = operation.next().now_or_never();
            }
        }
        let sent = timeout_at(Instant::now() + STALL_TIMEOUT, events.send(batch.into())).await;
        if is_last || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

fn push_item(batch: &mut Vec<u8>, item: &StreamItem) {
    match &item.message {
        OperationMessage::Next(response) => {
            event::push_next(batch, item.cursor.as_deref(), response);
        }
        // The protocol sends this as an event, too: a browser's EventSource does not show its page
        // the body of an error status.
        OperationMessage::Refused(errors) => {
            event::push_next(batch, None, &[&b"{\"errors\":"[..], errors, b"}"].concat());
        }
    }
}
