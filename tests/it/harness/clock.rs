//! A clock that only a test advances.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bidarc::clock::{Clock, Time};
use chrono::{DateTime, TimeDelta};

/// The clock of a service under test. All clones share one time.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock at 2026-01-05T15:00:00Z.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_767_625_200_000_000)))
    }

    pub(crate) fn now(&self) -> Time {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }

    /// The time in Unix seconds, as in a signature.
    pub(crate) fn unix(&self) -> i64 {
        self.now().timestamp()
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let clock = self.clone();
        Clock::from_fn(move || clock.now())
    }
}
