//! When a delivery of each vendor was last refused. The hooks note it in memory, and one task
//! writes it: a stranger who is refused thousands of times a second costs one write in two seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Time;
use crate::domain::Provider;
use crate::store::{Store, StoreError, refusals};

/// The pause after a write.
const WRITE_PAUSE: Duration = Duration::from_secs(2);

/// The newest refusal of each vendor.
#[derive(Clone, Debug, Default)]
pub struct Refusals(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// In microseconds; 0 if there was none since the last write. By the order of
    /// [`Provider::ALL`].
    unwritten: [AtomicI64; Provider::ALL.len()],
    noted: Notify,
}

impl Refusals {
    /// Notes that a delivery of a vendor was refused.
    pub fn note(&self, provider: Provider, at: Time) {
        for (unwritten, other) in self.0.unwritten.iter().zip(Provider::ALL) {
            if *other == provider {
                unwritten.fetch_max(at.timestamp_micros(), Ordering::Relaxed);
            }
        }
        self.0.noted.notify_one();
    }

    /// Writes what is noted, for as long as it is polled.
    pub async fn run_write_loop(&self, store: &Store) {
        loop {
            self.0.noted.notified().await;
            let taken = self.take();
            if let Err(error) = write(store, &taken).await {
                tracing::debug!(%error, "the time of a refusal is not written yet");
                for (provider, at) in taken {
                    self.note(provider, at);
                }
            }
            tokio::time::sleep(WRITE_PAUSE).await;
        }
    }

    fn take(&self) -> Vec<(Provider, Time)> {
        let taken = self.0.unwritten.iter().zip(Provider::ALL).filter_map(|(unwritten, provider)| {
            match unwritten.swap(0, Ordering::Relaxed) {
                0 => None,
                micros => Time::from_timestamp_micros(micros).map(|at| (*provider, at)),
            }
        });
        taken.collect()
    }
}

async fn write(store: &Store, taken: &[(Provider, Time)]) -> Result<(), StoreError> {
    if taken.is_empty() {
        return Ok(());
    }
    let tx = store.begin().await?;
    refusals::record(&tx, taken).await?;
    store.commit(tx, None).await
}
