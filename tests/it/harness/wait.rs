//! Waits for a state with a time-out. No test sleeps.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

/// The default time-out, long enough for a busy machine.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The pause between two checks of a state.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Polls `state` until it returns a value, and returns that value.
pub(crate) async fn eventually<T>(what: &str, limit: Duration, mut state: impl AsyncFnMut() -> Option<T>) -> T {
    let poll = async {
        let mut ticks = interval(POLL_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(value) = state().await {
                return value;
            }
        }
    };
    timeout(limit, poll).await.unwrap_or_else(|_| panic!("{what}: not within {limit:?}"))
}

/// Awaits a future that must finish within [`TIMEOUT`].
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(TIMEOUT, future).await.unwrap_or_else(|_| panic!("{what}: not within {TIMEOUT:?}"))
}
