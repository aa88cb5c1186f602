//! One request in progress: its place, its body and its answer.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::body::{Bytes, HttpBody};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use metrics::Gauge;
use tokio::time::{Instant, Sleep, sleep, timeout_at};

use super::activity::{Activity, WRITE_PROGRESS_BYTES};
use super::connections::{Connections, RequestPlace};
use super::failures::{Failure, Failures};
use super::peer::Peer;
use crate::metrics::BODY_BYTES;

/// How many bytes of one body count against the budget. No handler keeps more; it discards the rest
/// of a body that is too large.
const BODY_BYTES_HELD_MAX: usize = 1024 * 1024;

/// How much of a body that no handler wants is read and discarded, and for how long.
const DRAIN_BYTES_MAX: usize = 8 * 1024 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// A request in progress. It ends with the last part that holds it: its answer, or its WebSocket.
pub(in crate::http) struct Exchange {
    activity: Arc<Activity>,
    /// The number of its answer on this connection.
    answer: u64,
    /// Who sends it, for the failures.
    peer: Option<Peer>,
    failures: Arc<Failures>,
    place: RequestPlace,
}

impl Exchange {
    pub(super) fn begin(
        activity: Arc<Activity>,
        place: RequestPlace,
        (peer, failures): (Option<Peer>, Arc<Failures>),
        is_http2: bool,
        has_body: bool,
    ) -> Self {
        let answer = activity.begin_request(is_http2, has_body, Instant::now());
        Self { activity, answer, peer, failures, place }
    }

    /// Counts a failure of this peer to prove itself. An error says how long it should wait before
    /// it tries again.
    pub(in crate::http) fn record_failure(&self, failure: Failure) -> Result<(), Duration> {
        self.failures.record(self.peer, failure)
    }

    /// Counts a refusal that is a part of ordinary use. Only the audit sums it up.
    pub(in crate::http) fn count_refusal(&self, refusal: Failure) {
        self.failures.count(refusal);
    }

    /// Counts another refusal. The log and the audit sum it up.
    pub(in crate::http) fn note_refusal(&self, refusal: Failure) {
        self.failures.note(self.peer, refusal);
    }

    /// How many connections the service may have.
    pub(in crate::http) fn connections_max(&self) -> usize {
        self.place.connections_max()
    }

    /// Declares that the connection becomes a WebSocket. Until [`Self::prove_socket`] it may send
    /// only a little, and gives way to other connections.
    pub(in crate::http) fn begin_socket(&self) {
        self.activity.begin_socket(Instant::now());
    }

    /// Declares that the client of the WebSocket has proven itself.
    pub(in crate::http) fn prove_socket(&self) {
        self.activity.prove_socket();
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.activity.end_answer_wait(self.answer);
        self.activity.end_request(Instant::now());
    }
}

/// The bytes of bodies that may be in memory at once.
#[derive(Clone)]
pub(super) struct BodyBudget {
    free: Arc<AtomicUsize>,
    gauge: Gauge,
}

/// The bytes that one request holds of a budget.
pub(super) struct HeldBytes {
    budget: BodyBudget,
    replaceable: Option<Replaceable>,
    held: AtomicUsize,
}

/// The connection of a request that takes the place of a larger body when the budget is used up,
/// and gives way to a smaller one.
pub(super) struct Replaceable {
    pub(super) activity: Arc<Activity>,
    pub(super) connections: Arc<Connections>,
}

impl BodyBudget {
    pub(super) fn new(bytes: usize) -> Self {
        Self { free: Arc::new(AtomicUsize::new(bytes)), gauge: metrics::gauge!(BODY_BYTES) }
    }

    /// Begins to hold bytes.
    pub(super) fn hold(&self, replaceable: Option<Replaceable>) -> Arc<HeldBytes> {
        Arc::new(HeldBytes { budget: self.clone(), replaceable, held: AtomicUsize::new(0) })
    }

    /// Takes bytes, if it has so many.
    fn take(&self, count: usize) -> bool {
        let less = |free: usize| free.checked_sub(count);
        self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    fn give_back(&self, count: usize) {
        self.free.fetch_add(count, Ordering::Relaxed);
    }
}

impl HeldBytes {
    /// Holds more bytes. False if the budget does not have them.
    fn grow(&self, count: usize) -> bool {
        let more = count.min(BODY_BYTES_HELD_MAX.saturating_sub(self.held.load(Ordering::Relaxed)));
        if !self.budget.take(more) && !self.take_of_larger(more) {
            return false;
        }
        if let Some(Replaceable { activity, .. }) = &self.replaceable
            && !activity.hold_bytes(more)
        {
            self.budget.give_back(more);
            return false;
        }
        self.held.fetch_add(more, Ordering::Relaxed);
        self.add_to_gauge(more);
        true
    }

    /// Closes the connection that holds the most, if it holds more than this one will, and takes
    /// what is needed of its bytes. The rest is free at once.
    fn take_of_larger(&self, count: usize) -> bool {
        let Some(Replaceable { activity, connections }) = &self.replaceable else { return false };
        let Some(taken_back) = connections.take_back_larger_body(activity.held_bytes() + count) else { return false };
        self.budget.give_back(taken_back - count);
        true
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; a body has at most a megabyte")]
    fn add_to_gauge(&self, count: usize) {
        self.budget.gauge.increment(count as f64);
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        let held = *self.held.get_mut();
        if self.replaceable.as_ref().is_none_or(|Replaceable { activity, .. }| activity.release_bytes(held)) {
            self.budget.give_back(held);
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; a body has at most a megabyte")]
        self.budget.gauge.decrement(held as f64);
    }
}

/// Why a body cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum BodyError {
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    Timeout,
    /// Too many bytes of other bodies are in memory.
    #[error("too many bodies are being read")]
    NoBudget,
    /// The connection was interrupted.
    #[error(transparent)]
    Interrupted(#[from] hyper::Error),
}

/// The body of a request, with its time-out and its part of the budget.
pub(super) struct RequestBody {
    /// None once it is dropped or has failed.
    body: Option<Incoming>,
    unread: UnreadBody,
    activity: Arc<Activity>,
    held: Arc<HeldBytes>,
    timeout: Duration,
    /// Begins with the first read.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Whether the activity counts it as unread.
    is_unread: bool,
}

impl RequestBody {
    pub(super) fn new(body: Incoming, activity: Arc<Activity>, held: Arc<HeldBytes>, timeout: Duration) -> Self {
        let is_unread = !body.is_end_stream();
        let unread = UnreadBody::default();
        Self { body: Some(body), unread, activity, held, timeout, deadline: None, is_unread }
    }

    /// What is left of it when it is dropped.
    pub(super) fn unread(&self) -> UnreadBody {
        self.unread.clone()
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.is_unread) {
            self.activity.end_body();
        }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let frame = match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let timeout = this.timeout;
                let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
                ready!(deadline.poll_unpin(cx));
                this.body = None;
                return Poll::Ready(Some(Err(BodyError::Timeout)));
            }
        };
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                this.activity.on_body_read();
                let count = frame.data_ref().map_or(0, Bytes::len);
                if body.is_end_stream() {
                    this.end();
                }
                Some(if this.held.grow(count) { Ok(frame) } else { Err(BodyError::NoBudget) })
            }
            Some(Err(error)) => {
                this.body = None;
                Some(Err(error.into()))
            }
            None => {
                this.end();
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if self.is_unread {
            *self.unread.lock() = self.body.take();
        }
        self.end();
    }
}

/// The rest of a body that no handler wants.
#[derive(Clone, Default)]
pub(super) struct UnreadBody(Arc<Mutex<Option<Incoming>>>);

impl UnreadBody {
    /// Reads and discards the rest, up to a limit, while the answer is sent: a sender that is cut
    /// off while it writes does not see the answer.
    pub(super) fn drain(&self, activity: Arc<Activity>) {
        let Some(mut body) = self.lock().take() else { return };
        tokio::spawn(async move {
            let deadline = Instant::now() + DRAIN_TIMEOUT;
            let mut read = 0;
            while read <= DRAIN_BYTES_MAX
                && let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await
            {
                activity.on_body_read();
                read += frame.data_ref().map_or(0, Bytes::len);
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Incoming>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of an answer, in pieces. The client must receive each piece within the write time-out.
pub(super) struct AnswerBody {
    body: Body,
    /// The rest of a frame that was larger than a piece.
    rest: Bytes,
    exchange: Arc<Exchange>,
}

impl AnswerBody {
    pub(super) const fn new(body: Body, exchange: Arc<Exchange>) -> Self {
        Self { body, rest: Bytes::new(), exchange }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let Exchange { activity, answer, .. } = &*this.exchange;
        // hyper asks for the next piece when the last one is written.
        activity.end_answer_wait(*answer);
        let mut data = std::mem::take(&mut this.rest);
        if data.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => data = bytes,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        if data.len() > WRITE_PROGRESS_BYTES {
            this.rest = data.split_off(WRITE_PROGRESS_BYTES);
        }
        activity.begin_answer_wait(*answer, Instant::now());
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}
