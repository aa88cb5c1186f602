//! Whether an event changes the row of its subject, and how. No clock is believed: neither the
//! vendor's nor ours may decide for ever.
//!
//! 1. A creation fills in the fields that no other event has given.
//! 2. An event with a time of the vendor applies unless the row took a newer one.
//! 3. An event without one applies unless its signature is older than the newest one of such an
//!    event. Only the vendor's signed times order these events, and their place in the log.
//! 4. On a tie the later status of a proposal wins, else the later event in the log.

use std::collections::BTreeSet;

use super::UNKNOWN_TIME_ORDER;
use crate::domain::{Merge, MergeMode};
use crate::store::StoreError;
use crate::store::log::Entry;
use crate::store::sql::convert::{from_json, to_json, to_micros};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The columns of a row that order its events.
pub(super) struct StateOrder<'a> {
    /// The newest time of the vendor that was applied.
    pub(super) order_key: &'a mut i64,
    /// The newest signed time `t` of the applied events without a time of the vendor, in
    /// microseconds. It counts as at most the arrival.
    pub(super) signed_order: &'a mut Option<i64>,
    /// The fields that an event gave as null, as JSON.
    pub(super) cleared: &'a mut Option<String>,
}

impl StateOrder<'_> {
    /// The merge that an event makes, after which the row counts as ordered by it; `None` if the
    /// event is older than the row. `has_earlier_status` says whether the event's status comes
    /// before the row's in the life of a proposal.
    pub(super) fn admit(self, entry: &Entry<'_>, has_earlier_status: bool) -> Result<Option<Merge>, StoreError> {
        let is_older = |event: i64, row: i64| event < row || event == row && has_earlier_status;
        let vendor_time = entry.event.state_updated_at.map(to_micros);
        let mode = if entry.event.kind.is_creation() {
            if *self.order_key == UNKNOWN_TIME_ORDER {
                *self.order_key = vendor_time.unwrap_or(UNKNOWN_TIME_ORDER);
            }
            MergeMode::FillIn
        } else if let Some(time) = vendor_time {
            if is_older(time, *self.order_key) {
                return Ok(None);
            }
            *self.order_key = time;
            MergeMode::Replace
        } else {
            if let Some(t) = entry.signed_at.map(|seconds| seconds.saturating_mul(MICROS_PER_SECOND)) {
                if self.signed_order.is_some_and(|newest| is_older(t, newest)) {
                    return Ok(None);
                }
                // Compared as it is, stored as at most the arrival: a signature from the future
                // makes no later event old, and a slow clock of ours makes no new event old.
                *self.signed_order = (*self.signed_order).max(Some(t.min(to_micros(entry.received_at))));
            }
            MergeMode::Replace
        };
        let cleared: Option<BTreeSet<String>> = from_json(self.cleared.as_deref())?;
        Ok(Some(Merge::new(mode, cleared.unwrap_or_default())))
    }
}

/// The column of the fields that were cleared.
pub(super) fn cleared_column(merge: Merge) -> Result<Option<String>, StoreError> {
    let cleared = merge.into_cleared();
    if cleared.is_empty() { Ok(None) } else { to_json(&cleared).map(Some) }
}
