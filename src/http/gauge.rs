//! Counts what is open: sockets, and operations over sockets and event streams.

use metrics::Gauge;

use crate::metrics::{SOCKETS, SUBSCRIPTIONS};

/// Raises a gauge by one until it is dropped.
pub(super) struct GaugeGuard(Gauge);

impl GaugeGuard {
    /// Counts an open socket.
    pub(super) fn socket() -> Self {
        Self::new(metrics::gauge!(SOCKETS))
    }

    /// Counts an operation that runs over a socket or an event stream.
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
