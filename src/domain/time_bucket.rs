//! Buckets of time in a time zone: an hour, a day, a week or a month of its clocks and calendars.

use jiff::civil::Date;
use jiff::{Span, Timestamp, ToSpan, ZonedDateTime, tz};

use super::text_enum::text_enum;

text_enum! {
    /// The length of a bucket.
    TimeBucket {
        /// An hour of the clock.
        Hour = "HOUR",
        /// A calendar day: 23 or 25 hours long where the clocks change.
        Day = "DAY",
        /// A calendar week, which begins on Monday.
        Week = "WEEK",
        /// A calendar month.
        Month = "MONTH",
    }
}

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_HOUR: i64 = 3600;

/// A time zone of the IANA database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(tz::TimeZone);

/// A bucket of time. Times are counts of microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// When it begins.
    pub start: i64,
    /// The first time that counts: its begin, or that of the whole range if that is later.
    pub from: i64,
    /// The first time that does not count any more.
    pub before: i64,
}

/// Why a range has no buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketError {
    /// It has more than are allowed.
    TooMany,
    /// The calendar does not reach that far.
    OutOfCalendar,
}

impl TimeZone {
    /// The zone with this IANA name: `America/Denver`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        tz::TimeZone::get(name).ok().map(Self)
    }

    /// The day of the week, 1 for Monday to 7 for Sunday, and the hour, 0 to 23, that the clocks
    /// show at a time in microseconds.
    #[must_use]
    pub fn weekday_and_hour(&self, micros: i64) -> Option<(u8, u8)> {
        let time = self.at(micros)?;
        Some((u8::try_from(time.weekday().to_monday_one_offset()).ok()?, u8::try_from(time.hour()).ok()?))
    }

    /// The buckets of the range from a time on and before another, in microseconds, oldest first:
    /// at most `limit`.
    ///
    /// # Errors
    ///
    /// The range has more buckets, or is outside of the calendar.
    pub fn buckets(
        &self,
        length: TimeBucket,
        from: i64,
        before: i64,
        limit: usize,
    ) -> Result<Vec<Bucket>, BucketError> {
        let mut buckets = Vec::new();
        let mut start = self.floor(length, from).ok_or(BucketError::OutOfCalendar)?;
        while start < before {
            if buckets.len() == limit {
                return Err(BucketError::TooMany);
            }
            let end = self.next(length, start).ok_or(BucketError::OutOfCalendar)?;
            buckets.push(Bucket { start, from: start.max(from), before: end.min(before) });
            start = end;
        }
        Ok(buckets)
    }

    /// When the bucket of a time begins.
    fn floor(&self, length: TimeBucket, micros: i64) -> Option<i64> {
        let time = self.at(micros)?;
        match length {
            TimeBucket::Hour => {
                let second = micros.div_euclid(MICROS_PER_SECOND);
                Some((second - seconds_into_hour(&time)) * MICROS_PER_SECOND)
            }
            TimeBucket::Day | TimeBucket::Week | TimeBucket::Month => self.start_of(first_day(length, time.date())?),
        }
    }

    /// When the bucket ends that begins at a time.
    fn next(&self, length: TimeBucket, start: i64) -> Option<i64> {
        let time = self.at(start)?;
        let step: Span = match length {
            // Where the clocks change by half an hour, a bucket may begin at the change.
            TimeBucket::Hour => {
                return Some(start + (SECONDS_PER_HOUR - seconds_into_hour(&time)) * MICROS_PER_SECOND);
            }
            TimeBucket::Day => 1.day(),
            TimeBucket::Week => 1.week(),
            TimeBucket::Month => 1.month(),
        };
        let mut day = first_day(length, time.date())?;
        // A zone that moved across the date line has no such day: the next one begins then.
        loop {
            day = day.checked_add(step).ok()?;
            let end = self.start_of(day)?;
            if end > start {
                return Some(end);
            }
        }
    }

    /// When a day begins: at midnight, or later if the clocks skip midnight.
    fn start_of(&self, day: Date) -> Option<i64> {
        Some(day.to_zoned_datetime(self.0.clone()).ok()?.start_of_day().ok()?.timestamp().as_microsecond())
    }

    fn at(&self, micros: i64) -> Option<ZonedDateTime> {
        Some(Timestamp::from_microsecond(micros).ok()?.to_zoned_datetime(self.0.clone()))
    }
}

/// How many seconds the clocks show past the full hour.
fn seconds_into_hour(time: &ZonedDateTime) -> i64 {
    i64::from(time.minute()) * 60 + i64::from(time.second())
}

/// The first day of the bucket that a day is in.
fn first_day(length: TimeBucket, day: Date) -> Option<Date> {
    match length {
        TimeBucket::Hour | TimeBucket::Day => Some(day),
        TimeBucket::Week => day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).ok(),
        TimeBucket::Month => Some(day.first_of_month()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn starts(zone: &str, length: TimeBucket, from: &str, before: &str) -> Vec<String> {
        let zone = TimeZone::from_name(zone).unwrap();
        let buckets = zone.buckets(length, at(from), at(before), 1000).unwrap();
        for pair in buckets.windows(2) {
            assert_eq!(pair[0].before, pair[1].start, "no gap and no overlap");
        }
        assert_eq!((buckets[0].from, buckets.last().unwrap().before), (at(from), at(before)));
        let text = |bucket: &Bucket| Timestamp::from_microsecond(bucket.start).unwrap().to_string();
        buckets.iter().map(text).collect()
    }

    #[test]
    fn day_of_a_clock_change_has_23_or_25_hours() {
        let spring = starts("Europe/Berlin", TimeBucket::Day, "2026-03-28T12:00:00Z", "2026-03-31T00:00:00Z");
        let expected = ["2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z"];
        assert_eq!(spring, expected);
        let autumn = starts("America/New_York", TimeBucket::Day, "2026-11-01T04:00:00Z", "2026-11-02T06:00:00Z");
        assert_eq!(autumn, ["2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"]);
    }

    #[test]
    fn hour_that_the_clocks_repeat_is_two_buckets() {
        let hours = starts("Europe/Berlin", TimeBucket::Hour, "2026-10-24T23:30:00Z", "2026-10-25T02:30:00Z");
        let expected = ["2026-10-24T23:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"];
        assert_eq!(hours, expected);
    }

    #[test]
    fn bucket_of_a_zone_with_a_part_of_an_hour_begins_there() {
        let hours = starts("Asia/Kolkata", TimeBucket::Hour, "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z");
        assert_eq!(hours, ["2025-12-31T23:30:00Z", "2026-01-01T00:30:00Z", "2026-01-01T01:30:00Z"]);
        let days = starts("Asia/Kathmandu", TimeBucket::Day, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        assert_eq!(days, ["2025-12-31T18:15:00Z", "2026-01-01T18:15:00Z"]);
        // Its clocks change by half an hour, at 15:30 and at 15:00 of UTC.
        let spring = starts("Australia/Lord_Howe", TimeBucket::Hour, "2026-10-03T14:30:00Z", "2026-10-03T17:00:00Z");
        let expected = ["2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"];
        assert_eq!(spring, expected);
    }

    #[test]
    fn week_begins_on_monday_and_month_on_its_first_day() {
        let weeks = starts("UTC", TimeBucket::Week, "2026-01-04T00:00:00Z", "2026-01-13T00:00:00Z");
        assert_eq!(weeks, ["2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"]);
        let months = starts("America/Denver", TimeBucket::Month, "2026-01-31T12:00:00Z", "2026-04-01T07:00:00Z");
        let expected = ["2026-01-01T07:00:00Z", "2026-02-01T07:00:00Z", "2026-03-01T07:00:00Z", "2026-04-01T06:00:00Z"];
        assert_eq!(months, expected);
    }

    #[test]
    fn skipped_midnight_and_skipped_day_leave_no_gap() {
        // The clocks of Havana go from 0:00 to 1:00.
        let days = starts("America/Havana", TimeBucket::Day, "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z");
        assert_eq!(days, ["2026-03-07T05:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"]);
        // Samoa had no 30 December 2011.
        let days = starts("Pacific/Apia", TimeBucket::Day, "2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z");
        assert_eq!(days, ["2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"]);
    }

    #[test]
    fn too_many_buckets_and_times_outside_of_the_calendar_are_refused() {
        let zone = TimeZone::from_name("UTC").unwrap();
        let day = 24 * SECONDS_PER_HOUR * MICROS_PER_SECOND;
        assert_eq!(zone.buckets(TimeBucket::Day, 0, 1000 * day, 1000).unwrap().len(), 1000);
        assert_eq!(zone.buckets(TimeBucket::Day, 0, 1000 * day + 1, 1000), Err(BucketError::TooMany));
        assert_eq!(zone.buckets(TimeBucket::Day, i64::MAX - 1, i64::MAX, 1000), Err(BucketError::OutOfCalendar));
        assert_eq!(TimeZone::from_name("Mars/Olympus"), None);
    }

    #[test]
    fn weekday_and_hour_are_those_of_the_clocks() {
        let denver = TimeZone::from_name("America/Denver").unwrap();
        assert_eq!(denver.weekday_and_hour(at("2026-01-05T06:59:00Z")), Some((7, 23)));
        assert_eq!(denver.weekday_and_hour(at("2026-07-06T06:00:00Z")), Some((1, 0)));
    }
}
