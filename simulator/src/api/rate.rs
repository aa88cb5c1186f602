//! The rate limit.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Limits the requests in any window of the given length; documented as 100 in 20 seconds for each
/// token. Whether a refused request counts is not documented. Here it does not, so a client that
/// keeps trying is accepted again when the window is over.
#[derive(Debug)]
pub(super) struct RateLimit {
    limit: Option<(usize, Duration)>,
    /// The times of the requests in the current window, oldest first.
    admitted: VecDeque<Instant>,
}

impl RateLimit {
    pub(super) fn new(limit: Option<(u32, Duration)>) -> RateLimit {
        let limit = limit.map(|(requests_max, window)| (usize::try_from(requests_max).unwrap_or(usize::MAX), window));
        RateLimit { limit, admitted: VecDeque::new() }
    }

    /// Whether a request is accepted at `now`.
    pub(super) fn try_admit(&mut self, now: Instant) -> bool {
        let Some((requests_max, window)) = self.limit else { return true };
        while self.admitted.front().is_some_and(|&admitted_at| now.duration_since(admitted_at) >= window) {
            self.admitted.pop_front();
        }
        let has_room = self.admitted.len() < requests_max;
        if has_room {
            self.admitted.push_back(now);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_in_any_window_stay_within_the_limit() {
        let mut limit = RateLimit::new(Some((3, Duration::from_secs(20))));
        let start = Instant::now();
        let mut admitted_at = |seconds| limit.try_admit(start + Duration::from_secs(seconds));
        assert_eq!([0, 10, 19, 19].map(&mut admitted_at), [true, true, true, false]);
        // The first is 20 seconds old and no longer counts. The refused one never did.
        assert_eq!([20, 20, 29, 30, 30].map(&mut admitted_at), [true, false, false, true, false]);
    }

    #[test]
    fn missing_limit_admits_every_request() {
        let mut limit = RateLimit::new(None);
        let now = Instant::now();
        assert!((0..1_000).all(|_| limit.try_admit(now)));
        assert!(!RateLimit::new(Some((0, Duration::from_secs(1)))).try_admit(now));
    }
}
