//! Bidsketch's rate limit: at most 100 requests in 20 seconds for each token. A burst of 20 and
//! then 4 a second stay below it in any 20 seconds.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::{Clock, ReasonablyRealtime};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// How many calls may be made at once.
const BURST_REQUESTS_MAX: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// How many calls a second after the burst.
const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(4).unwrap();

/// The runtime's clock, which a test can pause.
#[derive(Clone, Debug, Default)]
struct RuntimeClock;

impl Clock for RuntimeClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

impl ReasonablyRealtime for RuntimeClock {}

/// Delays calls to keep within the rate limit.
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

    /// The times at which calls are made that are all requested at once.
    async fn call_times(calls: usize) -> Vec<Duration> {
        let throttle = Throttle::default();
        let started = tokio::time::Instant::now();
        let mut times = Vec::new();
        for _ in 0..calls {
            throttle.until_ready().await;
            times.push(started.elapsed());
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn throttle_many_calls_stay_within_vendor_rate() {
        let times = call_times(300).await;
        for (index, &first) in times.iter().enumerate() {
            let within = times[index..].iter().take_while(|&&time| time < first + Duration::from_secs(20)).count();
            assert!(within <= 100, "{within} calls in the 20 seconds from {first:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn throttle_burst_passes_then_four_a_second() {
        let times = call_times(60).await;
        assert!(times[19] < Duration::from_millis(10), "{:?}", times[19]);
        let within_ten_seconds = times.iter().take_while(|&&time| time <= Duration::from_secs(10)).count();
        assert!((59..=60).contains(&within_ten_seconds), "{within_ten_seconds}");
    }
}
