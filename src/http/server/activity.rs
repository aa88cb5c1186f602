//! What one connection is doing, and since when it waits for its client.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many bytes a client must take within the write time-out.
pub(super) const WRITE_PROGRESS_BYTES: usize = 16 * 1024;

/// How many bytes a socket may send before it is proven: `connection_init` with its token.
pub(in crate::http) const UNPROVEN_SOCKET_BYTES_MAX: usize = 16 * 1024;

/// How many bytes that are no head and no body may arrive between two sweeps. Frames of HTTP/2 such
/// as SETTINGS and PING cost time and bring no request.
const CONTROL_BYTES_MAX: usize = 256 * 1024;

/// How long an answer may take from its end to the network, if its client receives it.
const ANSWER_FLUSH_TIME: Duration = Duration::from_millis(500);

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeOuts {
    /// For a whole head.
    pub(super) head: Duration,
    /// Until its next request begins.
    pub(super) idle: Duration,
    /// To receive [`WRITE_PROGRESS_BYTES`] of an answer.
    pub(super) write: Duration,
}

/// Why the service closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CloseCause {
    /// The head did not arrive in time.
    HeadTimeout,
    /// No request came in time.
    IdleTimeout,
    /// The client did not receive an answer in time.
    WriteTimeout,
    /// Too many bytes came that belong to no request.
    ControlFlood,
    /// Its place went to a new connection.
    Replaced,
    /// There was no place for it.
    NoPlace,
    /// The service stops, and no whole request has come.
    Stopping,
}

impl CloseCause {
    /// Its label in the metrics.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::HeadTimeout => "head_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::WriteTimeout => "write_timeout",
            Self::ControlFlood => "control_flood",
            Self::Replaced => "replaced",
            Self::NoPlace => "no_place",
            Self::Stopping => "stopping",
        }
    }
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    is_http2: bool,
    /// The requests in progress, and those of them whose body has not been read whole.
    requests: usize,
    unread_bodies: usize,
    /// Since when no request is in progress, or the bodies of all of them are awaited.
    waiting_since: Instant,
    /// Since when a head is awaited whole: from the opening of the connection, later from its first
    /// byte.
    head_since: Option<Instant>,
    socket: Option<Socket>,
    /// Since when the client has not received what was written, and how much it has received since.
    blocked_since: Option<Instant>,
    bytes_since_blocked: usize,
    /// The answers of which a piece waits to be written, and since when. In HTTP/2 a client can
    /// stop one answer without blocking the connection.
    waiting_answers: HashMap<u64, Instant>,
    next_answer: u64,
    control_bytes: usize,
    /// The bytes of deliveries that its requests hold of the budget.
    held_bytes: usize,
    /// Whether they were taken back. It is closed.
    is_taken_back: bool,
}

/// How far a WebSocket is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Socket {
    /// It has not authenticated itself.
    Unproven { since: Instant, bytes: usize },
    /// It is a client's with a key, and has deadlines of its own.
    Proven,
}

impl Activity {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            is_http2: false,
            requests: 0,
            unread_bodies: 0,
            waiting_since: now,
            head_since: Some(now),
            socket: None,
            blocked_since: None,
            bytes_since_blocked: 0,
            waiting_answers: HashMap::new(),
            next_answer: 0,
            control_bytes: 0,
            held_bytes: 0,
            is_taken_back: false,
        }))
    }

    /// Records that bytes arrived. False if a socket has sent too many of them without a proof.
    pub(super) fn on_read(&self, count: usize, now: Instant) -> bool {
        let mut state = self.lock();
        match &mut state.socket {
            Some(Socket::Unproven { bytes, .. }) => {
                *bytes += count;
                return *bytes <= UNPROVEN_SOCKET_BYTES_MAX;
            }
            Some(Socket::Proven) => return true,
            None => {}
        }
        state.control_bytes += count;
        // The frames of HTTP/2 that keep an idle connection alive are no head.
        if state.requests == 0 && !state.is_http2 {
            state.head_since.get_or_insert(now);
        }
        true
    }

    /// Records that the client does not receive what is written.
    pub(super) fn on_write_blocked(&self, now: Instant) {
        let mut state = self.lock();
        if state.blocked_since.is_none() {
            state.blocked_since = Some(now);
            state.bytes_since_blocked = 0;
        }
    }

    /// Records that the client has room for these bytes, and whether for all that was written.
    pub(super) fn on_written(&self, count: usize, is_all: bool) {
        let mut state = self.lock();
        state.bytes_since_blocked += count;
        if is_all || state.bytes_since_blocked >= WRITE_PROGRESS_BYTES {
            state.blocked_since = None;
        }
    }

    /// Records a whole head. Returns the number of its answer.
    pub(super) fn begin_request(&self, is_http2: bool, has_body: bool, now: Instant) -> u64 {
        let mut state = self.lock();
        if state.requests == 0 {
            state.waiting_since = now;
        }
        state.is_http2 = is_http2;
        state.requests += 1;
        state.unread_bodies += usize::from(has_body);
        state.head_since = None;
        state.control_bytes = 0;
        state.next_answer += 1;
        state.next_answer
    }

    /// Records a piece of a body.
    pub(super) fn on_body_read(&self) {
        self.lock().control_bytes = 0;
    }

    /// Records that a body is read whole, or not wanted.
    pub(super) fn end_body(&self) {
        let mut state = self.lock();
        state.unread_bodies -= 1;
    }

    /// Records that a request is answered.
    pub(super) fn end_request(&self, now: Instant) {
        let mut state = self.lock();
        state.requests -= 1;
        if state.requests == state.unread_bodies {
            state.waiting_since = now;
        }
    }

    /// How many bytes of deliveries its requests hold of the budget.
    pub(super) fn held_bytes(&self) -> usize {
        self.lock().held_bytes
    }

    /// Records that its requests hold more bytes of deliveries. False if what they hold was taken
    /// back.
    pub(super) fn hold_bytes(&self, count: usize) -> bool {
        let mut state = self.lock();
        if !state.is_taken_back {
            state.held_bytes += count;
        }
        !state.is_taken_back
    }

    /// Records that they hold fewer. False if these were taken back before.
    pub(super) fn release_bytes(&self, count: usize) -> bool {
        let mut state = self.lock();
        if !state.is_taken_back {
            state.held_bytes -= count;
        }
        !state.is_taken_back
    }

    /// How many bytes of deliveries it holds, if nothing but its client is awaited.
    pub(super) fn held_while_waiting(&self) -> Option<usize> {
        self.waiting_since().map(|_| self.held_bytes())
    }

    /// Takes back all bytes of deliveries that it holds, if they are more than `count`: others may
    /// have them, although they are in memory until it is closed. Returns how many they are.
    pub(super) fn take_back_bytes(&self, count: usize) -> Option<usize> {
        let mut state = self.lock();
        if state.is_taken_back || state.held_bytes <= count {
            return None;
        }
        state.is_taken_back = true;
        Some(std::mem::take(&mut state.held_bytes))
    }

    /// Records that a piece of an answer waits to be written.
    pub(super) fn begin_answer_wait(&self, answer: u64, now: Instant) {
        self.lock().waiting_answers.insert(answer, now);
    }

    /// Records that it is written.
    pub(super) fn end_answer_wait(&self, answer: u64) {
        self.lock().waiting_answers.remove(&answer);
    }

    /// Records that the connection becomes a WebSocket.
    pub(super) fn begin_socket(&self, now: Instant) {
        self.lock().socket = Some(Socket::Unproven { since: now, bytes: 0 });
    }

    /// Records that the client of the WebSocket has proven itself.
    pub(super) fn prove_socket(&self) {
        self.lock().socket = Some(Socket::Proven);
    }

    /// Since when nothing but its client is awaited, so that nothing is lost if the service closes
    /// the connection: no whole request has come, or its answer is not received.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        let state = self.lock();
        match state.socket {
            Some(Socket::Unproven { since, .. }) => Some(since),
            Some(Socket::Proven) => None,
            None if state.requests == state.unread_bodies => Some(state.waiting_since),
            // In HTTP/2 some requests may wait for their bodies, and the others for room for their
            // answers.
            None if state.requests == state.unread_bodies + state.waiting_answers.len() => {
                state.waiting_answers.values().min().copied()
            }
            None => state.blocked_since,
        }
    }

    /// Whether no whole request is in progress. A connection that is idle counts only after a
    /// moment, because its last answer may still be on its way.
    pub(super) fn is_without_request(&self, now: Instant) -> bool {
        let state = self.lock();
        let is_idle = state.requests == 0 && state.waiting_since + ANSWER_FLUSH_TIME <= now;
        let is_incomplete = state.head_since.is_some() || state.requests > 0 && state.requests == state.unread_bodies;
        state.socket.is_none() && state.blocked_since.is_none() && (is_idle || is_incomplete)
    }

    /// Why the connection must be closed now. Called once a sweep.
    pub(super) fn sweep(&self, timeouts: &TimeOuts, now: Instant) -> Option<CloseCause> {
        let mut state = self.lock();
        // A socket has deadlines and close codes of its own.
        if state.socket.is_some() {
            return None;
        }
        let is_over = |since: Option<Instant>, limit: Duration| since.is_some_and(|since| since + limit <= now);
        let idle_since = (state.requests == 0).then_some(state.waiting_since);
        let answer_since = state.waiting_answers.values().min().copied();
        let is_flood = state.control_bytes > CONTROL_BYTES_MAX;
        state.control_bytes = 0;
        if is_over(state.blocked_since, timeouts.write) || is_over(answer_since, timeouts.write) {
            Some(CloseCause::WriteTimeout)
        } else if is_over(state.head_since, timeouts.head) {
            Some(CloseCause::HeadTimeout)
        } else if is_over(idle_since, timeouts.idle) {
            Some(CloseCause::IdleTimeout)
        } else {
            is_flood.then_some(CloseCause::ControlFlood)
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TIME_OUTS: TimeOuts = TimeOuts { head: SECOND, idle: Duration::from_secs(5), write: Duration::from_secs(3) };

    /// When and why a connection without further activity is closed, in seconds after `start`.
    fn end(activity: &Activity, start: Instant) -> Option<(u32, CloseCause)> {
        (0..60).find_map(|seconds| Some((seconds, activity.sweep(&TIME_OUTS, start + SECOND * seconds)?)))
    }

    #[test]
    fn head_begun_or_never_begun_times_out() {
        let start = Instant::now();
        let activity = Activity::new(start);
        assert!(activity.is_without_request(start));
        assert_eq!(end(&activity, start), Some((1, CloseCause::HeadTimeout)));
        activity.begin_request(false, false, start);
        assert_eq!((end(&activity, start), activity.waiting_since()), (None, None));
        assert!(!activity.is_without_request(start + 9 * SECOND));
        activity.end_request(start + SECOND);
        assert!(!activity.is_without_request(start + SECOND) && activity.is_without_request(start + 2 * SECOND));
        assert_eq!(end(&activity, start), Some((6, CloseCause::IdleTimeout)));
        // A head that drips does not begin again with each byte.
        activity.on_read(1, start + 2 * SECOND);
        activity.on_read(1, start + 3 * SECOND);
        assert_eq!(end(&activity, start), Some((3, CloseCause::HeadTimeout)));
    }

    #[test]
    fn idle_connection_of_http2_is_not_in_a_head() {
        let start = Instant::now();
        let activity = Activity::new(start);
        activity.begin_request(true, false, start);
        activity.end_request(start);
        activity.on_read(17, start);
        assert_eq!(end(&activity, start), Some((5, CloseCause::IdleTimeout)));
    }

    #[test]
    fn request_waits_for_its_client_until_its_body_is_whole() {
        let start = Instant::now();
        let activity = Activity::new(start);
        activity.begin_request(false, true, start + SECOND);
        assert_eq!(activity.waiting_since(), Some(start + SECOND));
        assert!(activity.is_without_request(start + SECOND));
        activity.end_body();
        assert_eq!(activity.waiting_since(), None);
        assert!(!activity.is_without_request(start + 9 * SECOND));
    }

    #[test]
    fn answer_not_received_times_out_and_progress_extends_it() {
        let start = Instant::now();
        let activity = Activity::new(start);
        activity.begin_request(false, false, start);
        activity.on_write_blocked(start);
        assert_eq!(activity.waiting_since(), Some(start));
        activity.on_written(1, false);
        assert_eq!(end(&activity, start), Some((3, CloseCause::WriteTimeout)));
        activity.on_written(WRITE_PROGRESS_BYTES, false);
        assert_eq!(end(&activity, start), None);
        let answer = activity.begin_request(true, false, start);
        assert_eq!(activity.waiting_since(), None);
        activity.end_request(start);
        activity.begin_answer_wait(answer, start + SECOND);
        assert_eq!(activity.waiting_since(), Some(start + SECOND));
        assert_eq!(end(&activity, start), Some((4, CloseCause::WriteTimeout)));
        activity.end_answer_wait(answer);
        assert_eq!(end(&activity, start), None);
    }

    #[test]
    fn control_frames_without_requests_are_bounded() {
        let start = Instant::now();
        let activity = Activity::new(start);
        activity.begin_request(true, false, start);
        activity.on_read(CONTROL_BYTES_MAX, start);
        assert_eq!(activity.sweep(&TIME_OUTS, start), None);
        activity.on_read(CONTROL_BYTES_MAX + 1, start);
        assert_eq!(activity.sweep(&TIME_OUTS, start), Some(CloseCause::ControlFlood));
    }

    #[test]
    fn socket_is_bounded_until_it_is_proven() {
        let start = Instant::now();
        let activity = Activity::new(start);
        activity.begin_request(false, false, start);
        activity.begin_socket(start + SECOND);
        assert_eq!(activity.waiting_since(), Some(start + SECOND));
        assert!(activity.on_read(UNPROVEN_SOCKET_BYTES_MAX, start) && !activity.on_read(1, start));
        activity.prove_socket();
        assert!(activity.on_read(1, start));
        assert_eq!((activity.waiting_since(), end(&activity, start)), (None, None));
    }
}
