//! The limit of requests.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// So many requests in any stretch of so long; documented as 100 in 20 seconds a token. Whether a refused request counts
/// is not documented: it does not, so that a client that goes on asking is let in again as soon as the stretch is over.
#[derive(Debug)]
pub(super) struct Rate {
    limit: Option<(usize, Duration)>,
    /// When those were let in that still count, oldest first.
    admitted: VecDeque<Instant>,
}

impl Rate {
    pub(super) fn new(limit: Option<(u32, Duration)>) -> Rate {
        let limit = limit.map(|(most, within)| (usize::try_from(most).unwrap_or(usize::MAX), within));
        Rate { limit, admitted: VecDeque::new() }
    }

    /// Whether a request is let in at `now`.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        let Some((most, within)) = self.limit else { return true };
        while self.admitted.front().is_some_and(|&at| now.duration_since(at) >= within) {
            self.admitted.pop_front();
        }
        let free = self.admitted.len() < most;
        if free {
            self.admitted.push_back(now);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stretch_of_the_length_has_more_than_the_limit() {
        let mut rate = Rate::new(Some((3, Duration::from_secs(20))));
        let start = Instant::now();
        let mut admitted_at = |seconds| rate.admit(start + Duration::from_secs(seconds));
        assert_eq!([0, 10, 19, 19].map(&mut admitted_at), [true, true, true, false]);
        // The first is 20 seconds old and no longer counts; the refused one never did.
        assert_eq!([20, 20, 29, 30, 30].map(&mut admitted_at), [true, false, false, true, false]);
    }

    #[test]
    fn no_limit_is_none() {
        let mut rate = Rate::new(None);
        let now = Instant::now();
        assert!((0..1_000).all(|_| rate.admit(now)));
        assert!(!Rate::new(Some((0, Duration::from_secs(1)))).admit(now));
    }
}
