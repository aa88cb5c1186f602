//! Bidsketch's rate: at most 100 requests in 20 seconds a token. A burst of 20 and then 4 a second stay below it in any 20
//! seconds.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::{Clock, ReasonablyRealtime};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// How many calls may come at once.
const BURST_REQUESTS_MAX: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// How many a second after that.
const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(4).unwrap();

/// The runtime's own clock, which a test can stop.
#[derive(Clone, Debug, Default)]
struct RuntimeClock;

impl Clock for RuntimeClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

impl ReasonablyRealtime for RuntimeClock {}

/// Gives calls their turns.
#[derive(Debug)]
pub(super) struct Throttle(RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<Instant>>);

impl Default for Throttle {
    fn default() -> Self {
        Self(RateLimiter::direct_with_clock(
            Quota::per_second(REQUESTS_PER_SECOND).allow_burst(BURST_REQUESTS_MAX),
            RuntimeClock,
        ))
    }
}

impl Throttle {
    /// Waits until a call may be made.
    pub(super) async fn until_ready(&self) {
        while let Err(too_early) = self.0.check() {
            tokio::time::sleep(too_early.wait_time_from(RuntimeClock.now()).max(Duration::from_millis(1))).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times at which so many calls are made that all want to be made at once.
    async fn call_times(calls: usize) -> Vec<Duration> {
        let rate = Throttle::default();
        let began = tokio::time::Instant::now();
        let mut turns = Vec::new();
        for _ in 0..calls {
            rate.until_ready().await;
            turns.push(began.elapsed());
        }
        turns
    }

    #[tokio::test(start_paused = true)]
    async fn throttle_many_calls_stay_within_vendor_rate() {
        let turns = call_times(300).await;
        for (at, &first) in turns.iter().enumerate() {
            let within = turns[at..].iter().take_while(|&&turn| turn < first + Duration::from_secs(20)).count();
            assert!(within <= 100, "{within} calls in the 20 seconds from {first:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn throttle_burst_passes_then_four_a_second() {
        let turns = call_times(60).await;
        assert!(turns[19] < Duration::from_millis(10), "{:?}", turns[19]);
        let ten_seconds_on = turns.iter().take_while(|&&turn| turn <= Duration::from_secs(10)).count();
        assert!((59..=60).contains(&ten_seconds_on), "{ten_seconds_on}");
    }
}
