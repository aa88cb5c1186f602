//! What a socket does by the clock: it asks whether its peer is still there, and gives up on one that is not.

use std::time::Duration;

use tokio::time::Instant;

use super::close::CloseReason;

/// How long a socket may take to say who opens it: until then it costs and is nobody's.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often the service sends a ping. Proxies close what is silent for a minute; so do we.
const PING_INTERVAL: Duration = Duration::from_secs(12);

/// How long a peer may be silent. It has been sent several pings by then, and every one is to be answered.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a peer may take to receive what waits for it, which is little.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// The times of one socket.
#[derive(Debug)]
pub(super) struct KeepAlive {
    opened_at: Instant,
    /// When the peer was last heard of, by whatever came from it.
    last_message_at: Instant,
    next_ping_at: Instant,
    /// Since when something waits to be received by the peer.
    blocked_since: Option<Instant>,
}

/// What is to be done, and when to look again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NextCheck {
    pub(super) send_ping: bool,
    pub(super) check_at: Instant,
}

impl KeepAlive {
    pub(super) fn new(now: Instant) -> Self {
        Self { opened_at: now, last_message_at: now, next_ping_at: now + PING_INTERVAL, blocked_since: None }
    }

    /// When to look for the first time.
    pub(super) fn first_check_at(&self) -> Instant {
        self.opened_at + INIT_TIMEOUT
    }

    /// The peer was heard of.
    pub(super) fn on_message(&mut self, now: Instant) {
        self.last_message_at = now;
    }

    /// Whether the peer receives what was sent to it.
    pub(super) fn on_flush(&mut self, receives: bool, now: Instant) {
        if receives {
            self.blocked_since = None;
        } else {
            self.blocked_since.get_or_insert(now);
        }
    }

    /// Looks at the clock. What begins after a look and lasts at least [`PING_EVERY`] does not end before the next.
    ///
    /// # Errors
    ///
    /// Where the socket is to be closed.
    pub(super) fn check_deadlines(&mut self, now: Instant, is_let_in: bool) -> Result<NextCheck, CloseReason> {
        let init_by = (!is_let_in).then(|| self.first_check_at());
        if init_by.is_some_and(|at| at <= now) {
            return Err(CloseReason::InitTimeout);
        }
        let stalled_at = self.blocked_since.map(|since| since + STALL_TIMEOUT);
        if stalled_at.is_some_and(|at| at <= now) {
            return Err(CloseReason::TooSlow);
        }
        let silent_at = self.last_message_at + SILENCE_TIMEOUT;
        if silent_at <= now {
            return Err(CloseReason::KeepAliveTimeout);
        }
        let is_time = self.next_ping_at <= now;
        if is_time {
            self.next_ping_at = now + PING_INTERVAL;
        }
        let look_at = [init_by, stalled_at].into_iter().flatten().fold(self.next_ping_at.min(silent_at), Instant::min);
        // What waits already is as good as a ping.
        Ok(NextCheck { send_ping: is_time && is_let_in && self.blocked_since.is_none(), check_at: look_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Looks whenever it asked to be looked at. Gives when pings were sent, and when and how it ended.
    fn run(mut pulse: KeepAlive, is_let_in: bool, until: Instant) -> (Vec<Instant>, Option<(Instant, CloseReason)>) {
        let (mut pings, mut now) = (Vec::new(), pulse.first_check_at());
        while now < until {
            match pulse.check_deadlines(now, is_let_in) {
                Err(close) => return (pings, Some((now, close))),
                Ok(due) => {
                    assert!(due.check_at > now, "it is looked at no more often than needed");
                    pings.extend(due.send_ping.then_some(now));
                    now = due.check_at;
                }
            }
        }
        (pings, None)
    }

    #[test]
    fn peer_silent_is_pinged_then_closed() {
        let start = Instant::now();
        let (pings, end) = run(KeepAlive::new(start), true, start + 300 * SECOND);
        assert_eq!(pings, [12, 24, 36, 48].map(|seconds| start + seconds * SECOND));
        assert_eq!(end, Some((start + 60 * SECOND, CloseReason::KeepAliveTimeout)));
        let mut heard = KeepAlive::new(start);
        heard.on_message(start + 9 * SECOND);
        let (_, end) = run(heard, true, start + 300 * SECOND);
        assert_eq!(end, Some((start + 69 * SECOND, CloseReason::KeepAliveTimeout)));
    }

    #[test]
    fn peer_without_init_times_out() {
        let start = Instant::now();
        let (pings, end) = run(KeepAlive::new(start), false, start + 300 * SECOND);
        assert_eq!((pings, end), (vec![], Some((start + 10 * SECOND, CloseReason::InitTimeout))));
    }

    #[test]
    fn peer_stalled_is_closed_without_pings() {
        let start = Instant::now();
        let mut pulse = KeepAlive::new(start);
        pulse.on_flush(false, start + 2 * SECOND);
        pulse.on_flush(false, start + 9 * SECOND);
        let (pings, end) = run(pulse, true, start + 300 * SECOND);
        assert_eq!((pings, end), (vec![], Some((start + 22 * SECOND, CloseReason::TooSlow))));

        let mut pulse = KeepAlive::new(start);
        pulse.on_flush(false, start + 2 * SECOND);
        pulse.on_flush(true, start + 9 * SECOND);
        let (pings, _) = run(pulse, true, start + 30 * SECOND);
        assert_eq!(pings, [12, 24].map(|seconds| start + seconds * SECOND));
    }
}
