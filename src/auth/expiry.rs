//! When a key expires, as an operator writes it.

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use crate::clock::Time;

/// The longest duration, in days: a hundred years.
const DAYS_MAX: i64 = 36_500;

/// A text that is no time in the future. The message is for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not when a key can expire; give a duration of days, hours or weeks (90d, 12h, 4w), at most a hundred \
     years, or a date to come in UTC (2030-12-31)"
)]
pub struct InvalidExpiry(String);

/// Reads a duration from now on, or a date. A key that expires on a date is refused from the
/// beginning of that day, in UTC.
///
/// # Errors
///
/// The text is neither, or the time is past.
pub fn parse_expiry(text: &str, now: Time) -> Result<Time, InvalidExpiry> {
    let text = text.trim();
    let time = match text.parse::<NaiveDate>() {
        Ok(date) => Some(date.and_time(NaiveTime::MIN).and_utc()),
        Err(_) => parse_duration(text).and_then(|duration| now.checked_add_signed(duration)),
    };
    let latest = now.checked_add_signed(TimeDelta::days(DAYS_MAX));
    time.filter(|time| *time > now && latest.is_none_or(|latest| *time <= latest))
        .ok_or_else(|| InvalidExpiry(text.to_owned()))
}

fn parse_duration(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number: i64 = digits.parse().ok()?;
    match unit {
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        'w' => TimeDelta::try_weeks(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;

    use super::*;

    fn now() -> Time {
        "2026-11-26T15:30:00Z".parse().unwrap()
    }

    #[test]
    fn expiry_is_a_duration_or_a_date() {
        for (text, time) in [
            ("90d", "2027-02-24T15:30:00Z"),
            ("1h", "2026-11-26T16:30:00Z"),
            ("4w", "2026-12-24T15:30:00Z"),
            (" 2026-11-27 ", "2026-11-27T00:00:00Z"),
        ] {
            let parsed = parse_expiry(text, now()).map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
            assert_eq!(parsed.as_deref(), Ok(time), "{text}");
        }
    }

    #[test]
    fn expiry_of_the_past_or_of_another_form_is_refused() {
        for text in [
            "",
            "d",
            "0d",
            "-1d",
            "+1d",
            "1.5d",
            "90",
            "90m",
            "90 d",
            "1e3d",
            "90D",
            "2026-11-26",
            "2025-01-01",
            "2026-13-01",
            "36501d",
            "99999999999999999999d",
            "9223372036854775807w",
            "2999-01-01",
            "é",
        ] {
            assert_eq!(parse_expiry(text, now()), Err(InvalidExpiry(text.to_owned())), "{text}");
        }
    }
}
