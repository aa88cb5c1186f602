//! What the streams of each key hold: sockets and event streams, their operations, and the bytes of
//! documents and of messages that no client has received. Without a key, in open mode, all clients
//! count together. The sockets and event streams of all keys have a cap together too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::Access;
use crate::config;
use crate::metrics::{STREAM_BYTES, STREAMS_REFUSED};

/// The most that streams may hold.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Sockets and event streams of all keys; 0 means three quarters of the connections.
    all_streams: usize,
    /// Sockets and event streams of one key; 0 means half of the connections.
    streams: usize,
    /// Operations and bytes of one key.
    operations: usize,
    bytes: usize,
}

/// Why a stream or an operation is refused. The text is for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CapReached {
    #[error("the service has too many sockets and event streams open (server.max_streams); try again later")]
    AllStreams,
    #[error("the key has too many sockets and event streams open (server.max_streams_per_key)")]
    Streams,
    #[error("the key has too many operations under way (server.max_operations_per_key)")]
    Operations,
    #[error("the streams of the key hold too many bytes (server.max_stream_bytes_per_key)")]
    Bytes,
}

/// The streams of all keys.
#[derive(Clone, Debug)]
pub(super) struct StreamCaps {
    limits: Limits,
    /// The id of a key; none in open mode.
    held: Arc<Mutex<HashMap<Option<i64>, Held>>>,
}

/// What the streams of one key hold.
#[derive(Debug, Default)]
struct Held {
    streams: usize,
    operations: usize,
    bytes: usize,
}

/// The place of one socket or event stream.
#[derive(Debug)]
pub(super) struct StreamPlace {
    caps: StreamCaps,
    key: Option<i64>,
    /// The bytes of messages that its client has not received.
    waiting: usize,
}

/// The place of one operation, for as long as it runs.
#[derive(Debug)]
pub(super) struct OperationPlace {
    caps: StreamCaps,
    key: Option<i64>,
    bytes: usize,
}

impl StreamCaps {
    pub(super) fn new(server: &config::Server) -> Self {
        let limits = Limits {
            all_streams: server.max_streams,
            streams: server.max_streams_per_key,
            operations: server.max_operations_per_key,
            bytes: server.max_stream_bytes_per_key,
        };
        Self { limits, held: Arc::default() }
    }

    /// Gives a socket or an event stream a place, of the connections that the service has.
    pub(super) fn open(&self, access: Access, connections_max: usize) -> Result<StreamPlace, CapReached> {
        let key = access.key_id();
        let max = |limit: usize, default: usize| if limit == 0 { default.max(1) } else { limit };
        let mut held = self.lock();
        let of_key = held.get(&key).map_or(0, |held| held.streams);
        if of_key >= max(self.limits.streams, connections_max / 2) {
            return Err(refused(CapReached::Streams));
        }
        let of_all: usize = held.values().map(|held| held.streams).sum();
        if of_all >= max(self.limits.all_streams, connections_max - connections_max / 4) {
            return Err(refused(CapReached::AllStreams));
        }
        held.entry(key).or_default().streams += 1;
        Ok(StreamPlace { caps: self.clone(), key, waiting: 0 })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<i64>, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what a key holds, and forgets a key that holds nothing.
    fn release(&self, key: Option<i64>, change: impl FnOnce(&mut Held)) {
        let mut held = self.lock();
        let Some(of_key) = held.get_mut(&key) else { return };
        change(of_key);
        if of_key.streams == 0 && of_key.operations == 0 && of_key.bytes == 0 {
            held.remove(&key);
        }
    }
}

impl StreamPlace {
    /// Gives an operation a place that holds these bytes of its document and variables.
    pub(super) fn begin_operation(&self, bytes: usize) -> Result<OperationPlace, CapReached> {
        let limits = &self.caps.limits;
        let mut held = self.caps.lock();
        let held = held.entry(self.key).or_default();
        if held.operations >= limits.operations {
            return Err(refused(CapReached::Operations));
        }
        if held.bytes.saturating_add(bytes) > limits.bytes {
            return Err(refused(CapReached::Bytes));
        }
        held.operations += 1;
        held.bytes += bytes;
        add_to_gauge(bytes, 0);
        Ok(OperationPlace { caps: self.caps.clone(), key: self.key, bytes })
    }

    /// Sets how many bytes of messages wait for its client. The stream must end if that is too
    /// many.
    pub(super) fn set_waiting(&mut self, bytes: usize) -> Result<(), CapReached> {
        if bytes == self.waiting {
            return Ok(());
        }
        let mut held = self.caps.lock();
        let held = held.entry(self.key).or_default();
        held.bytes = held.bytes + bytes - self.waiting;
        add_to_gauge(bytes, self.waiting);
        let has_grown = bytes > self.waiting;
        self.waiting = bytes;
        if has_grown && held.bytes > self.caps.limits.bytes { Err(refused(CapReached::Bytes)) } else { Ok(()) }
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        add_to_gauge(0, self.waiting);
        self.caps.release(self.key, |held| {
            held.streams -= 1;
            held.bytes -= self.waiting;
        });
    }
}

impl Drop for OperationPlace {
    fn drop(&mut self) {
        add_to_gauge(0, self.bytes);
        self.caps.release(self.key, |held| {
            held.operations -= 1;
            held.bytes -= self.bytes;
        });
    }
}

fn refused(cap: CapReached) -> CapReached {
    let label = match cap {
        CapReached::AllStreams => "all_streams",
        CapReached::Streams => "streams",
        CapReached::Operations => "operations",
        CapReached::Bytes => "bytes",
    };
    metrics::counter!(STREAMS_REFUSED, "cap" => label).increment(1);
    cap
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; what a key holds is far below 2^52 bytes")]
fn add_to_gauge(more: usize, less: usize) {
    metrics::gauge!(STREAM_BYTES).increment(more as f64 - less as f64);
}
