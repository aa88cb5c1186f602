//! The deadlines of a socket: when to send pings, and when to close a socket whose peer does not
//! respond.

use std::time::Duration;

use tokio::time::Instant;

use super::close::CloseReason;

/// How long a client may take to authenticate its socket. Until then the socket costs resources and
/// belongs to no key.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often the service sends a ping. Proxies often close a connection that is silent for a
/// minute.
const PING_INTERVAL: Duration = Duration::from_secs(12);

/// How long a peer may be silent. By then it has not answered several pings, and the protocol
/// requires an answer to each.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a peer may take to receive the messages that wait for it, which are few.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// The deadlines of one socket.
#[derive(Debug)]
pub(super) struct KeepAlive {
    opened_at: Instant,
    /// When the last message of any kind arrived from the peer.
    last_message_at: Instant,
    next_ping_at: Instant,
    /// Since when written messages wait for the peer to receive them.
    blocked_since: Option<Instant>,
}

/// Whether to send a ping now, and when to check the deadlines again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NextCheck {
    pub(super) send_ping: bool,
    pub(super) check_at: Instant,
}

impl KeepAlive {
    pub(super) fn new(now: Instant) -> Self {
        Self { opened_at: now, last_message_at: now, next_ping_at: now + PING_INTERVAL, blocked_since: None }
    }

    /// When to check the deadlines for the first time.
    pub(super) fn first_check_at(&self) -> Instant {
        self.opened_at + INIT_TIMEOUT
    }

    /// Records that a message arrived from the peer.
    pub(super) fn on_message(&mut self, now: Instant) {
        self.last_message_at = now;
    }

    /// Records whether the peer has received all written messages.
    pub(super) fn on_flush(&mut self, is_complete: bool, now: Instant) {
        if is_complete {
            self.blocked_since = None;
        } else {
            self.blocked_since.get_or_insert(now);
        }
    }

    /// Checks the deadlines; an error is the reason to close the socket. Checks are at most
    /// [`PING_INTERVAL`] apart, and every time-out that begins between two checks is longer, so
    /// none expires unnoticed.
    pub(super) fn check_deadlines(&mut self, now: Instant, is_acknowledged: bool) -> Result<NextCheck, CloseReason> {
        let init_deadline = (!is_acknowledged).then(|| self.first_check_at());
        if init_deadline.is_some_and(|at| at <= now) {
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
        let is_ping_due = self.next_ping_at <= now;
        if is_ping_due {
            self.next_ping_at = now + PING_INTERVAL;
        }
        let check_at =
            [init_deadline, stalled_at].into_iter().flatten().fold(self.next_ping_at.min(silent_at), Instant::min);
        // If messages wait for the peer, they serve as a ping.
        Ok(NextCheck { send_ping: is_ping_due && is_acknowledged && self.blocked_since.is_none(), check_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Checks the deadlines whenever a check is due. Returns when pings were sent, and when and why
    /// the socket was closed.
    fn run(
        mut keep_alive: KeepAlive,
        is_acknowledged: bool,
        until: Instant,
    ) -> (Vec<Instant>, Option<(Instant, CloseReason)>) {
        let (mut pings, mut now) = (Vec::new(), keep_alive.first_check_at());
        while now < until {
            match keep_alive.check_deadlines(now, is_acknowledged) {
                Err(close) => return (pings, Some((now, close))),
                Ok(next) => {
                    assert!(next.check_at > now, "the next check is later");
                    pings.extend(next.send_ping.then_some(now));
                    now = next.check_at;
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
        let mut active = KeepAlive::new(start);
        active.on_message(start + 9 * SECOND);
        let (_, end) = run(active, true, start + 300 * SECOND);
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
        let mut keep_alive = KeepAlive::new(start);
        keep_alive.on_flush(false, start + 2 * SECOND);
        keep_alive.on_flush(false, start + 9 * SECOND);
        let (pings, end) = run(keep_alive, true, start + 300 * SECOND);
        assert_eq!((pings, end), (vec![], Some((start + 22 * SECOND, CloseReason::TooSlow))));

        let mut keep_alive = KeepAlive::new(start);
        keep_alive.on_flush(false, start + 2 * SECOND);
        keep_alive.on_flush(true, start + 9 * SECOND);
        let (pings, _) = run(keep_alive, true, start + 30 * SECOND);
        assert_eq!(pings, [12, 24].map(|seconds| start + seconds * SECOND));
    }
}
