//! Limits how often one line is logged, where requests from outside would otherwise fill the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two lines of one kind.
const PAUSE: Duration = Duration::from_secs(10);

/// The limit of one kind of line. The metric beside it counts every occurrence.
#[derive(Debug)]
pub(crate) struct LogLimit(Mutex<State>);

#[derive(Debug)]
struct State {
    logged_at: Option<Instant>,
    left_out: u64,
}

impl LogLimit {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State { logged_at: None, left_out: 0 }))
    }

    /// Whether to log now: how many lines were left out since the last one, or `None` if this one
    /// is left out too.
    pub(crate) fn admit(&self) -> Option<u64> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.logged_at.is_some_and(|logged_at| now.saturating_duration_since(logged_at) < PAUSE) {
            state.left_out += 1;
            return None;
        }
        state.logged_at = Some(now);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_logged_once_a_pause_with_the_number_left_out() {
        let (limit, start) = (LogLimit::new(), Instant::now());
        let admit = |seconds| limit.admit_at(start + Duration::from_secs(seconds));
        assert_eq!(
            [admit(0), admit(1), admit(9), admit(10), admit(11), admit(30)],
            [Some(0), None, None, Some(2), None, Some(1)]
        );
    }
}
