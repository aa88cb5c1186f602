//! When a failed fetch is tried again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::clock::Time;

/// The pause after the first failure. A connection that broke is soon tried again.
const PAUSE_MIN: Duration = Duration::from_millis(500);

/// The longest pause. A link lives for a day.
const PAUSE_MAX: Duration = Duration::from_secs(30 * 60);

/// No pause ends later than this part of the time that the link still lives, so that there is
/// always one more attempt.
const LIFE_PARTS: i32 = 2;

/// How many failures lengthen the pause.
const DOUBLINGS_MAX: u32 = 14;

/// When the attempt after `failures` earlier ones and this one is due. The pause doubles with each
/// and has jitter. It is at least what the host asks for, as long as the link lives then.
pub(super) fn next_attempt(now: Time, failures: u32, retry_after: Option<Duration>, deadline: Time) -> Time {
    let pauses = ExponentialBuilder::new()
        .with_min_delay(PAUSE_MIN)
        .with_max_delay(PAUSE_MAX)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times();
    let pause = pauses.build().nth(failures.min(DOUBLINGS_MAX) as usize).unwrap_or(PAUSE_MAX);
    let pause = pause.max(retry_after.unwrap_or_default());
    let latest = now + (deadline - now) / LIFE_PARTS;
    (now + pause).min(latest).max(now + PAUSE_MIN)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn pause_doubles_and_is_bounded_by_the_life_of_the_link() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let deadline = now + TimeDelta::hours(24);
        for (failures, millis) in [(0, 500), (1, 1000), (5, 16_000), (40, 1_800_000)] {
            let pause = (next_attempt(now, failures, None, deadline) - now).num_milliseconds();
            assert!((millis..=2 * millis).contains(&pause), "{failures}: {pause}");
        }
        let asked = next_attempt(now, 0, Some(Duration::from_secs(600)), deadline);
        assert_eq!(asked, now + TimeDelta::seconds(600));
        let soon = now + TimeDelta::seconds(100);
        assert_eq!(next_attempt(now, 0, Some(Duration::from_secs(600)), soon), now + TimeDelta::seconds(50));
        assert_eq!(next_attempt(now, 3, None, now - TimeDelta::hours(1)), now + PAUSE_MIN);
    }

    #[test]
    fn last_attempts_before_the_deadline_are_few() {
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let deadline = start + TimeDelta::seconds(2);
        let next = |now: &Time| Some(next_attempt(*now, 14, None, deadline)).filter(|next| *next < deadline);
        assert!(std::iter::successors(Some(start), next).count() <= 5);
    }
}
