//! The time formats of the two vendors.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use serde::Serializer;

/// The offset of the sample agency's local time from UTC, in seconds. Bidsketch writes an account's
/// local time.
const AGENCY_OFFSET_SECONDS: i32 = -5 * 3600;

/// ArcSite's format: ISO 8601 in UTC without a zone. `2022-01-16T04:19:23`
pub fn zone_less(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Bidsketch's format: ISO 8601 with an offset. `2014-04-08T15:16:23-05:00`
pub fn with_offset(at: DateTime<Utc>) -> String {
    match FixedOffset::east_opt(AGENCY_OFFSET_SECONDS) {
        Some(offset) => at.with_timezone(&offset).format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        // Never reached, since five hours are a valid offset.
        None => at.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    }
}

/// A date without a time, as in a payment marked by hand. `2022-01-16`
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
    fn time_is_written_in_each_vendor_format() {
        let at = DateTime::from_timestamp(1_642_306_763, 0).unwrap();
        assert_eq!(zone_less(at), "2022-01-16T04:19:23");
        assert_eq!(with_offset(at), "2022-01-15T23:19:23-05:00");
        assert_eq!(bare_date(at.date_naive()), "2022-01-16");
    }
}
