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

use super::StreamFormat;
use crate::auth::{Access, Keys};
use crate::graphql::StreamItem;
use crate::http::access;
use crate::http::gauge::GaugeGuard;
use crate::http::stream_caps::{OperationPlace, StreamPlace};

/// How many bytes of messages one write gathers. A larger message goes alone.
const BATCH_BYTES: usize = 16 * 1024;

/// How long a client may take to receive a message before its stream is closed.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends the messages of an operation until it ends, its client disconnects, its key is revoked, or
/// the service stops. Only the end of the operation is marked as such; in every other case the
/// client may reconnect and resume.
pub(super) async fn serve(
    operation: BoxStream<'static, StreamItem>,
    format: StreamFormat,
    messages: mpsc::Sender<Bytes>,
    (mut place, _operation_place): (StreamPlace, OperationPlace),
    (access, keys): (Access, Keys),
    shutdown: CancellationToken,
) {
    let _gauge = GaugeGuard::subscription();
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        denied = keys.wait_until_revoked(access) => access::count_denied(denied),
        () = messages.closed() => {}
        () = forward(operation, format, &messages, &mut place) => {}
    }
}

/// Sends all messages that are ready in one write, as a socket does. In a burst each would
/// otherwise cost a write.
async fn forward(
    mut operation: BoxStream<'static, StreamItem>,
    format: StreamFormat,
    messages: &mpsc::Sender<Bytes>,
    place: &mut StreamPlace,
) {
    let (keep_alive_interval, keep_alive) = format.keep_alive();
    let (mut batch, mut sent_length) = (format.start().to_vec(), 0);
    loop {
        let keep_alive_at = Instant::now() + keep_alive_interval;
        let mut is_last = false;
        let mut ready = tokio::select! {
            item = operation.next() => Some(item),
            () = sleep_until(keep_alive_at) => None,
        };
        if ready.is_none() {
            batch.extend_from_slice(keep_alive);
        }
        while let Some(item) = ready.take() {
            match item {
                Some(item) => format.push(&mut batch, &item),
                None => {
                    batch.extend_from_slice(format.end());
                    is_last = true;
                    break;
                }
            }
            if batch.len() < BATCH_BYTES {
                ready = operation.next().now_or_never();
            }
        }
        // The batch before this one may still be on its way.
        let length = batch.len();
        if place.set_waiting(sent_length + length).is_err() {
            return;
        }
        sent_length = length;
        let sent = timeout_at(Instant::now() + STALL_TIMEOUT, messages.send(std::mem::take(&mut batch).into())).await;
        if is_last || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}
