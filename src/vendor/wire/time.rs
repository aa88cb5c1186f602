//! Times and dates.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};

use super::{FromJson, Unread, mismatch_message, parse_string};
use crate::clock::Time;

impl FromJson for Time {
    /// ISO 8601 with an offset in any of its forms, or without a zone, which means UTC. Also the
    /// form of RFC 2822, and Unix seconds, milliseconds and microseconds. An empty text is no
    /// value. A bare date is an error: an invented time of day would order the event wrongly.
    fn from_json(json: &str, _: &mut Unread) -> Result<Option<Self>, String> {
        let mismatch = || mismatch_message("a time like 2022-01-16T04:19:23", json);
        let text = match parse_string(json) {
            Some(text) => text,
            None => json.to_owned(),
        };
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let time = parse_unix(text).or_else(|| parse_iso8601(text)).or_else(|| parse_rfc2822(text));
        // Only years that RFC 3339 can write, since our answers use it.
        time.filter(|time| (1..=9999).contains(&time.year())).map(Some).ok_or_else(mismatch)
    }
}

/// Reads Unix time. The number of digits tells seconds from milliseconds and microseconds, for
/// every time from September 2001 until the year 2286.
fn parse_unix(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) || whole.starts_with('0') {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    match whole.len() {
        10 => {
            let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
            DateTime::from_timestamp_micros(number.checked_mul(1_000_000)?.checked_add(micros)?)
        }
        13 if fraction.is_empty() => DateTime::from_timestamp_millis(number),
        16 if fraction.is_empty() => DateTime::from_timestamp_micros(number),
        _ => None,
    }
}

/// Reads a date, a `T` or spaces, a time with or without seconds, and an offset if there is one:
/// `Z`, `UTC`, `+05:00`, `+0500` or `+05`.
fn parse_iso8601(text: &str) -> Option<Time> {
    let (date, rest) = text.split_at(text.find(['T', 't', ' '])?);
    let rest = rest.get(1..)?.trim_start();
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ':' | '.' | ','));
    let (time, offset) = rest.split_at(end.unwrap_or(rest.len()));
    let time = time.replace(',', ".");
    let time = ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(&time, form).ok())?;
    let local = NaiveDateTime::new(parse_date(date)?, time);
    local.and_local_timezone(parse_offset(offset.trim_start())?).single().map(|time| time.to_utc())
}

/// Reads an offset; an empty one is UTC.
fn parse_offset(text: &str) -> Option<FixedOffset> {
    if text.is_empty() || ["z", "utc", "gmt"].contains(&text.to_ascii_lowercase().as_str()) {
        return FixedOffset::east_opt(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':')?,
        _ => return None,
    };
    let number = |part: &str| Some(part).filter(|part| part.len() == 2 && is_digits(part))?.parse::<i32>().ok();
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60))
}

/// `Mon, 02 Mar 2026 14:05:11 +0500`. It names its day, so no two readings exist.
fn parse_rfc2822(text: &str) -> Option<Time> {
    // The letters of a zone other than UTC are not reliable, and chrono takes an unknown one for
    // UTC.
    let has_offset = text.ends_with("GMT") || text.ends_with("UTC") || text.rsplit(' ').next().is_some_and(is_offset);
    DateTime::parse_from_rfc2822(text).ok().filter(|_| has_offset).map(|time| time.to_utc())
}

fn is_offset(text: &str) -> bool {
    text.strip_prefix(['+', '-']).is_some_and(is_digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads year, month and day. A year of two digits could be a day.
fn parse_date(text: &str) -> Option<NaiveDate> {
    let (year, _) = text.split_once('-')?;
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| year.len() == 4 && is_digits(year))
}

impl FromJson for NaiveDate {
    /// `YYYY-MM-DD`, or the date of a time. An empty text is no value.
    fn from_json(json: &str, _: &mut Unread) -> Result<Option<Self>, String> {
        let mismatch = || mismatch_message("a date like 2022-01-16", json);
        let text = parse_string(json).ok_or_else(mismatch)?;
        match text.trim() {
            "" => Ok(None),
            text => parse_date(text.split(['T', 't', ' ']).next().unwrap_or_default()).map(Some).ok_or_else(mismatch),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Option<String> {
        Time::from_json(json, &mut Unread::default()).ok().flatten().map(|time| time.to_rfc3339())
    }

    #[test]
    fn time_in_any_exact_form_is_read_as_utc() {
        for (json, utc) in [
            (r#""2022-01-16T04:19:23""#, "2022-01-16T04:19:23+00:00"),
            (r#""2022-01-16T04:19:23.25""#, "2022-01-16T04:19:23.250+00:00"),
            (r#""2014-04-08T15:16:23-05:00""#, "2014-04-08T20:16:23+00:00"),
            (r#""2022-01-16T04:19:23Z""#, "2022-01-16T04:19:23+00:00"),
            (r#""2022-01-16t04:19:23z""#, "2022-01-16T04:19:23+00:00"),
            (r#""2026-03-02T14:05:11+0500""#, "2026-03-02T09:05:11+00:00"),
            (r#""2026-03-02T14:05:11.5+05""#, "2026-03-02T09:05:11.500+00:00"),
            (r#""2026-03-02T14:05:11,5-0330""#, "2026-03-02T17:35:11.500+00:00"),
            (r#""2026-03-02 14:05:11""#, "2026-03-02T14:05:11+00:00"),
            (r#""2026-03-02 14:05:11 +0500""#, "2026-03-02T09:05:11+00:00"),
            (r#""2026-03-02 14:05:11 UTC""#, "2026-03-02T14:05:11+00:00"),
            (r#""2026-03-02T14:05Z""#, "2026-03-02T14:05:00+00:00"),
            (r#""2026-3-2 4:05:11""#, "2026-03-02T04:05:11+00:00"),
            (r#""2026-03-02T14:05:11 Z""#, "2026-03-02T14:05:11+00:00"),
            (r#""Mon, 02 Mar 2026 14:05:11 +0500""#, "2026-03-02T09:05:11+00:00"),
            (r#""Mon, 02 Mar 2026 14:05:11 GMT""#, "2026-03-02T14:05:11+00:00"),
            ("1642306763", "2022-01-16T04:19:23+00:00"),
            ("1642306763.25", "2022-01-16T04:19:23.250+00:00"),
            ("1642306763123", "2022-01-16T04:19:23.123+00:00"),
            ("1642306763123456", "2022-01-16T04:19:23.123456+00:00"),
            (r#""1642306763""#, "2022-01-16T04:19:23+00:00"),
        ] {
            assert_eq!(read(json).as_deref(), Some(utc), "{json}");
        }
        for json in [r#""""#, r#"" ""#] {
            assert_eq!(Time::from_json(json, &mut Unread::default()), Ok(None));
        }
    }

    #[test]
    fn time_that_is_inexact_or_has_two_readings_is_rejected() {
        for json in [
            r#""yesterday""#,
            r#""2026-03-02""#,
            r#""03/02/2026 14:05""#,
            r#""26-03-02T14:05:11""#,
            r#""+262000-01-01T00:00:00""#,
            r#""0000-00-00 00:00:00""#,
            r#""2026-02-30T00:00:00Z""#,
            r#""2026-03-02T25:00:00Z""#,
            r#""2026-03-02T14:05:11 EST""#,
            r#""2026-03-02T14:05:11 America/New_York""#,
            r#""Mon, 02 Mar 2026 14:05:11 XYZ""#,
            r#""2026-03-02T14:05:11+5""#,
            r#""2026-03-02T14:05:11+05:0""#,
            r#""2026-03-02T14:05:11+99:00""#,
            r#""2026-03-02T14:05:11+05:75""#,
            "16423067",
            "-1642306763",
            "1.642306763e9",
            "99999999999999999999999999",
            "true",
            "{}",
            "[]",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn date_is_read_alone_or_from_a_time() {
        let read = |json: &str| NaiveDate::from_json(json, &mut Unread::default()).ok().flatten();
        for json in [r#""2026-03-02""#, r#""2026-03-02T23:30:00-05:00""#, r#"" 2026-03-02 10:00""#] {
            assert_eq!(read(json), NaiveDate::from_ymd_opt(2026, 3, 2), "{json}");
        }
        for json in [r#""2026-03-02x""#, r#""03/02/2026""#, "20260302", r#""2026-02-30""#] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn parse_any_text_never_panics(text in ".{0,40}", time in "[-+0-9TZ:., é]{0,40}") {
            for text in [text, time] {
                let json = serde_json::to_string(&text).unwrap();
                let _ = (read(&json), NaiveDate::from_json(&json, &mut Unread::default()));
            }
        }
    }
}
