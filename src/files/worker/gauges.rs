//! What operators watch: how many files wait, how long, and how much is stored.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::clock::{Clock, Time};
use crate::metrics::{FILE_BYTES, FILE_DEADLINE_HOURS, FILE_FETCHES, FILE_OLDEST_SECONDS, FILES};
use crate::store::files::{PendingExtremes, count, pending_extremes, stored_bytes};
use crate::store::{Store, StoreError};

/// How often the files are counted. Each count reads the whole table.
const INTERVAL: Duration = Duration::from_secs(60);

/// Counts fetches by their outcome.
pub(super) fn count_outcome(outcome: &'static str, fetches: u64) {
    metrics::counter!(FILE_FETCHES, "outcome" => outcome).increment(fetches);
}

/// Keeps the gauges up to date, for as long as it is polled.
pub(super) async fn run(store: Store, clock: Clock) -> Infallible {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(error) = measure(&store, clock.now()).await {
            tracing::warn!(%error, "the files could not be counted; the metrics of files are old");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
async fn measure(store: &Store, now: Time) -> Result<(), StoreError> {
    let reader = store.reader();
    // The alarm comes first: the other numbers read the whole table, and may fail.
    let PendingExtremes { oldest_received_at, earliest_deadline } = pending_extremes(reader).await?;
    // Without a link that waits no deadline is near.
    let hours = earliest_deadline.map_or(f64::INFINITY, |deadline| (deadline - now).num_seconds() as f64 / 3600.0);
    metrics::gauge!(FILE_DEADLINE_HOURS).set(hours);
    let age = oldest_received_at.map_or(0, |received_at| (now - received_at).num_seconds().max(0));
    metrics::gauge!(FILE_OLDEST_SECONDS).set(age as f64);
    for (state, files) in count(reader).await? {
        metrics::gauge!(FILES, "state" => state.as_str()).set(files as f64);
    }
    metrics::gauge!(FILE_BYTES).set(stored_bytes(reader).await? as f64);
    Ok(())
}
