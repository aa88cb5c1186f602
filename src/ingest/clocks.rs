//! Watches two clocks: this machine's, by the times in the vendors' signatures, and the vendors',
//! by the times in their events. It orders nothing; it tells an operator which clock is wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Time;
use crate::domain::Provider;
use crate::metrics::VENDOR_TIMES_AHEAD;

/// How many of the newest signatures are compared. A late delivery among them does not matter.
const SIGNATURES_MAX: usize = 5;
/// By how much a signature must be later than its arrival to show that the clock is slow. A
/// delivery may come late but never early, so one signature is enough.
const SLOW_SECONDS_MIN: i64 = 60;
/// By how much all compared signatures must be older than their arrival to show that the clock is
/// fast. After an outage a few deliveries are as old, so it takes [`SIGNATURES_MAX`] of them.
const FAST_SECONDS_MIN: i64 = 300;

/// The watch over the clocks. All clones share one.
#[derive(Clone, Debug, Default)]
pub struct ClockWatch(Arc<Mutex<Observations>>);

#[derive(Debug, Default)]
struct Observations {
    /// The signed times `t` of the newest deliveries, and their difference from the arrival in
    /// seconds. Each `t` counts once, because a retry may repeat it.
    signatures: VecDeque<(i64, i64)>,
    /// Whether the log has a warning about the disagreement that lasts.
    is_clock_warned: bool,
    /// Whether the log has a warning about a vendor's time that is not believed.
    is_time_ahead_warned: bool,
}

/// This machine's clock disagrees with the times in the vendors' signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockDisagreement {
    /// Signatures come from the future.
    #[error(
        "this machine's clock is about {0} s behind the times in the vendors' signatures; set the clock (NTP), then \
         release the deliveries that were quarantined as STALE_SIGNATURE with releaseQuarantinedDeliveries"
    )]
    Slow(i64),
    /// Every signature is old.
    #[error(
        "this machine's clock is about {0} s ahead of the times in the vendors' signatures, or all deliveries arrive \
         that late; check the clock (NTP)"
    )]
    Fast(i64),
}

impl ClockWatch {
    /// Notes the signed time of a verified delivery. Warns when the clocks begin to disagree.
    pub(super) fn observe_signature(&self, t: i64, arrival: Time) {
        let mut observations = self.lock();
        let signatures = &mut observations.signatures;
        if signatures.iter().any(|(known, _)| *known == t) {
            return;
        }
        signatures.push_back((t, t.saturating_sub(arrival.timestamp())));
        if signatures.len() > SIGNATURES_MAX {
            signatures.pop_front();
        }
        match observations.disagreement() {
            Some(disagreement) if !observations.is_clock_warned => {
                observations.is_clock_warned = true;
                tracing::warn!("{disagreement}");
            }
            Some(_) => {}
            None => observations.is_clock_warned = false,
        }
    }

    /// Counts a new event with a vendor's time that is not believed. Warns of the first.
    pub(super) fn record_time_ahead(&self, provider: Provider) {
        metrics::counter!(VENDOR_TIMES_AHEAD, "provider" => provider.as_str()).increment(1);
        let mut observations = self.lock();
        if !observations.is_time_ahead_warned {
            observations.is_time_ahead_warned = true;
            tracing::warn!(
                "the vendor's time of an event is more than 5 minutes after its arrival and is not believed; \
                 {VENDOR_TIMES_AHEAD} counts the further ones; check the clock of this machine (NTP)"
            );
        }
    }

    /// The disagreement between this machine's clock and the newest signatures, if there is one.
    #[must_use]
    pub fn disagreement(&self) -> Option<ClockDisagreement> {
        self.lock().disagreement()
    }

    fn lock(&self) -> MutexGuard<'_, Observations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observations {
    fn disagreement(&self) -> Option<ClockDisagreement> {
        // The delivery that took the least time shows the difference between the clocks best.
        let difference = self.signatures.iter().map(|(_, difference)| *difference).max()?;
        if difference > SLOW_SECONDS_MIN {
            Some(ClockDisagreement::Slow(difference))
        } else if difference < -FAST_SECONDS_MIN && self.signatures.len() == SIGNATURES_MAX {
            Some(ClockDisagreement::Fast(-difference))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    /// The disagreement after deliveries with these differences between signature and arrival.
    fn after(differences: &[i64]) -> Option<ClockDisagreement> {
        let watch = ClockWatch::default();
        for (number, difference) in (0..).zip(differences) {
            let arrival = DateTime::from_timestamp(1_700_000_000 + 1000 * number, 0).unwrap();
            watch.observe_signature(arrival.timestamp() + difference, arrival);
        }
        watch.disagreement()
    }

    #[test]
    fn one_signature_from_the_future_shows_a_slow_clock() {
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[60]), None);
        assert_eq!(after(&[61]), Some(ClockDisagreement::Slow(61)));
        // A retry with an old signature does not hide it.
        assert_eq!(after(&[600, -3000]), Some(ClockDisagreement::Slow(600)));
        assert_eq!(after(&[600, 0, -1, -2, 0, -1]), None, "the clock was set since");
    }

    #[test]
    fn only_old_signatures_show_a_fast_clock() {
        assert_eq!(after(&[-600; 4]), None);
        assert_eq!(after(&[-605, -601, -9000, -602, -603]), Some(ClockDisagreement::Fast(601)));
        assert_eq!(after(&[-600, -600, -600, -600, -300]), None);
        // After an outage the first new delivery shows that the clock is right.
        assert_eq!(after(&[-4000, -3000, -2000, -1000, -900, -1]), None);
    }

    #[test]
    fn repeated_signature_counts_once() {
        let watch = ClockWatch::default();
        for second in 0..10 {
            watch.observe_signature(1_700_000_000, DateTime::from_timestamp(1_700_000_600 + second, 0).unwrap());
        }
        assert_eq!(watch.disagreement(), None);
        watch.observe_signature(i64::MAX, DateTime::from_timestamp(1_700_000_700, 0).unwrap());
        assert!(watch.disagreement().is_some());
    }
}
