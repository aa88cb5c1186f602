//! Waiting for a state, with a bound: no test waits for time itself.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

/// How long anything may take that should come at once, on a machine with much else to do.
pub(crate) const BOUND: Duration = Duration::from_secs(10);

/// How often a state is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until `state` gives something, and gives that.
pub(crate) async fn eventually<T>(what: &str, bound: Duration, mut state: impl AsyncFnMut() -> Option<T>) -> T {
    let look = async {
        let mut turn = interval(LOOK_EVERY);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turn.tick().await;
            if let Some(found) = state().await {
                return found;
            }
        }
    };
    timeout(bound, look).await.unwrap_or_else(|_| panic!("{what}: not within {bound:?}"))
}

/// Waits for what must come within [`BOUND`].
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(BOUND, future).await.unwrap_or_else(|_| panic!("{what}: not within {BOUND:?}"))
}
