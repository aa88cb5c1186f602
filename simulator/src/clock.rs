//! The time of day, read in this one place.

use chrono::{DateTime, Utc};

/// Now. Everything else takes its time as an argument, so that a world can be told to live at any time.
#[expect(clippy::disallowed_methods, reason = "this is the clock: the vendors' own, not the service's")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
