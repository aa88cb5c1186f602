//! How many there are of what stays open: sockets, and the operations that stream.

use metrics::Gauge;

use crate::metrics::{SOCKETS, SUBSCRIPTIONS};

/// Counts one for as long as it is kept.
pub(super) struct GaugeGuard(Gauge);

impl GaugeGuard {
    /// A socket that is open.
    pub(super) fn socket() -> Self {
        Self::new(metrics::gauge!(SOCKETS))
    }

    /// An operation that is under way over a socket or an event stream.
    pub(super) fn subscription() -> Self {
        Self::new(metrics::gauge!(SUBSCRIPTIONS))
    }

    fn new(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
