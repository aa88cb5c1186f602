//! What a socket does by the clock: it asks whether its peer is still there, and gives up on one that is not.

use std::time::Duration;

use tokio::time::Instant;

use super::close::Close;

/// How long a socket may take to say who opens it: until then it costs and is nobody's.
const INIT_WITHIN: Duration = Duration::from_secs(10);

/// How often the service sends a ping. Proxies close what is silent for a minute; so do we.
const PING_EVERY: Duration = Duration::from_secs(12);

/// How long a peer may be silent. It has been sent several pings by then, and every one is to be answered.
const SILENT_AFTER: Duration = Duration::from_secs(60);

/// How long a peer may take to receive what waits for it, which is little.
pub(super) const STALLED_AFTER: Duration = Duration::from_secs(20);

/// The times of one socket.
#[derive(Debug)]
pub(super) struct Pulse {
    opened_at: Instant,
    /// When the peer was last heard of, by whatever came from it.
    heard_at: Instant,
    ping_at: Instant,
    /// Since when something waits to be received by the peer.
    blocked_since: Option<Instant>,
}

/// What is to be done, and when to look again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) ping: bool,
    pub(super) look_at: Instant,
}

impl Pulse {
    pub(super) fn new(now: Instant) -> Self {
        Self { opened_at: now, heard_at: now, ping_at: now + PING_EVERY, blocked_since: None }
    }

    /// When to look for the first time.
    pub(super) fn first_look(&self) -> Instant {
        self.opened_at + INIT_WITHIN
    }

    /// The peer was heard of.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
    }

    /// Whether the peer receives what was sent to it.
    pub(super) fn receives(&mut self, receives: bool, now: Instant) {
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
    pub(super) fn look(&mut self, now: Instant, is_let_in: bool) -> Result<Due, Close> {
        let init_by = (!is_let_in).then(|| self.first_look());
        if init_by.is_some_and(|at| at <= now) {
            return Err(Close::InitTimeout);
        }
        let stalled_at = self.blocked_since.map(|since| since + STALLED_AFTER);
        if stalled_at.is_some_and(|at| at <= now) {
            return Err(Close::TooSlow);
        }
        let silent_at = self.heard_at + SILENT_AFTER;
        if silent_at <= now {
            return Err(Close::Silent);
        }
        let is_time = self.ping_at <= now;
        if is_time {
            self.ping_at = now + PING_EVERY;
        }
        let look_at = [init_by, stalled_at].into_iter().flatten().fold(self.ping_at.min(silent_at), Instant::min);
        // What waits already is as good as a ping.
        Ok(Due { ping: is_time && is_let_in && self.blocked_since.is_none(), look_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Looks whenever it asked to be looked at. Gives when pings were sent, and when and how it ended.
    fn run(mut pulse: Pulse, is_let_in: bool, until: Instant) -> (Vec<Instant>, Option<(Instant, Close)>) {
        let (mut pings, mut now) = (Vec::new(), pulse.first_look());
        while now < until {
            match pulse.look(now, is_let_in) {
                Err(close) => return (pings, Some((now, close))),
                Ok(due) => {
                    assert!(due.look_at > now, "it is looked at no more often than needed");
                    pings.extend(due.ping.then_some(now));
                    now = due.look_at;
                }
            }
        }
        (pings, None)
    }

    #[test]
    fn a_silent_peer_is_pinged_and_given_up() {
        let start = Instant::now();
        let (pings, end) = run(Pulse::new(start), true, start + 300 * SECOND);
        assert_eq!(pings, [12, 24, 36, 48].map(|seconds| start + seconds * SECOND));
        assert_eq!(end, Some((start + 60 * SECOND, Close::Silent)));
        let mut heard = Pulse::new(start);
        heard.heard(start + 9 * SECOND);
        let (_, end) = run(heard, true, start + 300 * SECOND);
        assert_eq!(end, Some((start + 69 * SECOND, Close::Silent)));
    }

    #[test]
    fn who_does_not_say_who_it_is_is_not_waited_for() {
        let start = Instant::now();
        let (pings, end) = run(Pulse::new(start), false, start + 300 * SECOND);
        assert_eq!((pings, end), (vec![], Some((start + 10 * SECOND, Close::InitTimeout))));
    }

    #[test]
    fn who_does_not_receive_is_given_up_and_not_pinged_meanwhile() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        pulse.receives(false, start + 2 * SECOND);
        pulse.receives(false, start + 9 * SECOND);
        let (pings, end) = run(pulse, true, start + 300 * SECOND);
        assert_eq!((pings, end), (vec![], Some((start + 22 * SECOND, Close::TooSlow))));

        let mut pulse = Pulse::new(start);
        pulse.receives(false, start + 2 * SECOND);
        pulse.receives(true, start + 9 * SECOND);
        let (pings, _) = run(pulse, true, start + 30 * SECOND);
        assert_eq!(pings, [12, 24].map(|seconds| start + seconds * SECOND));
    }
}
