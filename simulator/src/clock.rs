//! The clock. Only this module reads the time.

use chrono::{DateTime, Utc};

/// The current time. All other code takes the time as an argument, so a world can be at any time.
#[expect(clippy::disallowed_methods, reason = "this is the clock: the vendors' own, not the service's")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
