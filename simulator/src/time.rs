//! The vendors' two ways to write a time.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use serde::Serializer;

/// The sample agency's clock is this far behind UTC, in seconds: Bidsketch writes an account's local time.
const AGENCY_OFFSET: i32 = -5 * 3600;

/// ArcSite's: ISO 8601 without a zone, and it means UTC. `2022-01-16T04:19:23`
pub fn zone_less(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Bidsketch's: ISO 8601 with an offset. `2014-04-08T15:16:23-05:00`
pub fn with_offset(at: DateTime<Utc>) -> String {
    match FixedOffset::east_opt(AGENCY_OFFSET) {
        Some(offset) => at.with_timezone(&offset).format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        // Five hours are an offset, so this is never reached; UTC would be right as well.
        None => at.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    }
}

/// A bare date, as a payment that was marked by hand carries it. `2022-01-16`
pub fn bare_date(date: NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

pub(crate) fn ser_zone_less<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&zone_less(*at))
}

pub(crate) fn ser_with_offset<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&with_offset(*at))
}

pub(crate) fn ser_maybe_with_offset<S: Serializer>(at: &Option<DateTime<Utc>>, to: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => to.serialize_str(&with_offset(*at)),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vendor_writes_its_own_form() {
        let at = DateTime::from_timestamp(1_642_306_763, 0).unwrap();
        assert_eq!(zone_less(at), "2022-01-16T04:19:23");
        assert_eq!(with_offset(at), "2022-01-15T23:19:23-05:00");
        assert_eq!(bare_date(at.date_naive()), "2022-01-16");
    }
}
