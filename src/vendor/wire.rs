//! Reading single values in every form that the vendors write: ids as numbers of any size or as
//! text, text written as a number, amounts as numbers or as digits in quotes, times with and
//! without a zone.
//!
//! Numbers are read from their digits, never through a float.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::clock::Time;
use crate::domain::text::replace_nul;
use crate::domain::{Money, Patch, VendorId};

/// A value that can be parsed from a vendor's JSON text.
pub trait FromJson: Sized {
    /// Parses it. `None` if the text is blank and means no value.
    ///
    /// # Errors
    ///
    /// The error says what was expected, for the detail of a quarantined delivery.
    fn from_json(json: &str) -> Result<Option<Self>, String>;
}

impl<'de, T: FromJson> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if raw.get() == "null" {
            return Ok(Self::Null);
        }
        T::from_json(raw.get()).map(|value| value.map_or(Self::Null, Self::Value)).map_err(D::Error::custom)
    }
}

/// Reads a field that must be present and not null.
pub fn required<'de, T: FromJson, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    T::from_json(raw.get())
        .and_then(|value| value.ok_or_else(|| "must not be empty".to_owned()))
        .map_err(D::Error::custom)
}

/// Parses an object. The error names the path of the field at fault.
pub fn parse_object<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    // serde would also read a struct from a list.
    if !json.starts_with('{') {
        return Err(mismatch_message("an object", json));
    }
    let deserializer = &mut serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(deserializer).map_err(|error| match error.path().to_string().as_str() {
        "." => error.inner().to_string(),
        path => format!("`{path}`: {}", error.inner()),
    })
}

fn mismatch_message(expected: &str, found: &str) -> String {
    const EXCERPT_CHARS_MAX: usize = 40;
    let mut excerpt: String = found.chars().take(EXCERPT_CHARS_MAX).collect();
    if excerpt.len() < found.len() {
        excerpt.push('…');
    }
    format!("expected {expected}, found {excerpt}")
}

fn is_number(json: &str) -> bool {
    json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

fn parse_string(json: &str) -> Option<String> {
    if !json.starts_with('"') {
        return None;
    }
    serde_json::from_str(json).or_else(|_| serde_json::from_str(&replace_lone_surrogates(json))).ok().map(replace_nul)
}

/// Replaces each half of a surrogate pair that has no other half by U+FFFD. Some writer cut a text
/// within a character, which is no reason to reject the event.
fn replace_lone_surrogates(json: &str) -> String {
    let unit = |index: usize| {
        let digits = json.get(index..index + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut replaced = String::with_capacity(json.len());
    let mut index = 0;
    while let Some(letter) = json[index..].chars().next() {
        let length = match (unit(index), unit(index + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                replaced.push('\u{fffd}');
                index += 6;
                continue;
            }
            _ if letter == '\\' => json[index + 1..].chars().next().map_or(1, |escaped| 1 + escaped.len_utf8()),
            _ => letter.len_utf8(),
        };
        replaced.push_str(&json[index..index + length]);
        index += length;
    }
    replaced
}

impl FromJson for String {
    /// A text. A number or a boolean is taken as it is written.
    fn from_json(json: &str) -> Result<Option<Self>, String> {
        if is_number(json) || json == "true" || json == "false" {
            return Ok(Some(json.to_owned()));
        }
        parse_string(json).map(Some).ok_or_else(|| mismatch_message("a text", json))
    }
}

impl FromJson for VendorId {
    /// A whole number of any size, with every digit, or a text. An empty text is no value.
    fn from_json(json: &str) -> Result<Option<Self>, String> {
        let mismatch = || mismatch_message("an id: a whole number, or a text of 1 to 200 bytes", json);
        let text =
            if json.bytes().all(|byte| byte.is_ascii_digit()) { Some(json.to_owned()) } else { parse_string(json) };
        match text {
            Some(text) if text.trim().is_empty() => Ok(None),
            text => text.and_then(Self::new).map(Some).ok_or_else(mismatch),
        }
    }
}

impl FromJson for Money {
    /// A number, with or without quotes. An empty text is no value.
    fn from_json(json: &str) -> Result<Option<Self>, String> {
        let text = if is_number(json) { Some(json.to_owned()) } else { parse_string(json) };
        match text.as_deref().map(str::trim) {
            Some("") => Ok(None),
            Some(text) => Self::parse(text).map(Some).ok_or_else(|| mismatch_message("an amount", json)),
            None => Err(mismatch_message("an amount", json)),
        }
    }
}

impl FromJson for Time {
    /// ISO 8601 with an offset, or without a zone, which means UTC. An empty text is no value.
    fn from_json(json: &str) -> Result<Option<Self>, String> {
        let mismatch = || mismatch_message("a time like 2022-01-16T04:19:23", json);
        let text = parse_string(json).ok_or_else(mismatch)?;
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok();
        let utc = || {
            let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
            forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|time| time.and_utc())
        };
        // Only years that RFC 3339 can write, since our answers use it.
        zoned.or_else(utc).filter(|time| (1..=9999).contains(&time.year())).map(Some).ok_or_else(mismatch)
    }
}

impl FromJson for NaiveDate {
    /// `YYYY-MM-DD`, or the date of a time. An empty text is no value.
    fn from_json(json: &str) -> Result<Option<Self>, String> {
        let mismatch = || mismatch_message("a date like 2022-01-16", json);
        let text = parse_string(json).ok_or_else(mismatch)?;
        match text.trim() {
            "" => Ok(None),
            text => text
                .get(..10)
                .and_then(|date| Self::parse_from_str(date, "%Y-%m-%d").ok())
                .map(Some)
                .ok_or_else(mismatch),
        }
    }
}

impl FromJson for bool {
    fn from_json(json: &str) -> Result<Option<Self>, String> {
        match json {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(mismatch_message("true or false", json)),
        }
    }
}

impl FromJson for Vec<String> {
    /// A list of texts. Nulls in it are skipped.
    fn from_json(json: &str) -> Result<Option<Self>, String> {
        let items: Vec<Patch<String>> =
            serde_json::from_str(json).map_err(|_| mismatch_message("a list of texts", json))?;
        Ok(Some(items.into_iter().filter_map(|item| item.value().cloned()).collect()))
    }
}

/// Defines a payload: in parentheses the fields that it must have, then those that may be missing
/// or null. The latter may be those of a change, into which it then converts.
macro_rules! payload {
    (
        $(#[$meta:meta])*
        $name:ident $(($($required:ident: $required_type:ty),+))? $(=> $change:ident)? {
            $($(#[$field_meta:meta])* $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, serde::Deserialize)]
        #[expect(missing_docs, reason = "the names are the vendor's")]
        pub struct $name {
            $($(#[serde(deserialize_with = "crate::vendor::wire::required")] pub $required: $required_type,)+)?
            $($(#[$field_meta])* #[serde(default)] pub $field: crate::domain::Patch<$type>,)*
        }

        impl $crate::vendor::wire::FromJson for $name {
            fn from_json(json: &str) -> Result<Option<Self>, String> {
                $crate::vendor::wire::parse_object(json).map(Some)
            }
        }

        $crate::vendor::wire::payload! { @conversion $name $($change)? { $($field)* } }
    };
    (@conversion $name:ident { $($field:ident)* }) => {};
    (@conversion $name:ident $change:ident { $($field:ident)* }) => {
        impl From<$name> for $change {
            fn from(data: $name) -> Self {
                Self { $($field: data.$field.map(Into::into)),* }
            }
        }
    };
}

pub(super) use payload;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendor_id_keeps_every_digit() {
        for (json, id) in [
            ("36029621652695040", "36029621652695040"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            (r#""36029621652695040""#, "36029621652695040"),
            (r#""007""#, "007"),
        ] {
            assert_eq!(VendorId::from_json(json).unwrap().unwrap().as_str(), id);
        }
        for json in ["1.5", "1e3", "-1", "true", "[]", r#""a\u0001b""#] {
            assert!(VendorId::from_json(json).is_err(), "{json}");
        }
        for json in [r#""""#, r#""  ""#] {
            assert_eq!(VendorId::from_json(json), Ok(None), "{json}");
        }
    }

    #[test]
    fn lone_surrogate_is_replaced() {
        for (json, text) in [
            (r#""cut \ud83d""#, "cut \u{fffd}"),
            (r#""\udc00 low""#, "\u{fffd} low"),
            (r#""\ud83d\ude00 \ud83d\u0041""#, "\u{1f600} \u{fffd}A"),
            (r#""\\ud83d \ud83d""#, "\\ud83d \u{fffd}"),
            (r#""é\ud800é""#, "é\u{fffd}é"),
        ] {
            assert_eq!(String::from_json(json).unwrap().unwrap(), text, "{json}");
        }
    }

    #[test]
    fn time_with_or_without_zone_is_read_as_utc() {
        for (json, utc) in [
            (r#""2022-01-16T04:19:23""#, "2022-01-16T04:19:23+00:00"),
            (r#""2022-01-16T04:19:23.25""#, "2022-01-16T04:19:23.250+00:00"),
            (r#""2014-04-08T15:16:23-05:00""#, "2014-04-08T20:16:23+00:00"),
            (r#""2022-01-16T04:19:23Z""#, "2022-01-16T04:19:23+00:00"),
        ] {
            assert_eq!(Time::from_json(json).unwrap().unwrap().to_rfc3339(), utc);
        }
        assert_eq!(Time::from_json(r#""""#), Ok(None));
        assert!(Time::from_json(r#""yesterday""#).is_err());
        assert!(Time::from_json(r#""+262000-01-01T00:00:00""#).is_err());
        assert!(Time::from_json("1642306763").is_err());
    }

    #[test]
    fn patch_field_is_missing_null_or_value() {
        #[derive(Debug, Deserialize)]
        struct Payload {
            #[serde(default)]
            name: Patch<String>,
            #[serde(default)]
            total: Patch<Money>,
            #[serde(default)]
            tags: Patch<Vec<String>>,
        }
        let read = parse_object::<Payload>;
        assert_eq!(read("{}").unwrap().name, Patch::Missing);
        assert_eq!(read(r#"{"name": null}"#).unwrap().name, Patch::Null);
        assert_eq!(read(r#"{"name": "a\u0000b"}"#).unwrap().name, Patch::Value("a\u{fffd}b".to_owned()));
        assert_eq!(read(r#"{"name": 1441}"#).unwrap().name, Patch::Value("1441".to_owned()));
        assert_eq!(read(r#"{"total": "7385.00"}"#).unwrap().total, Patch::Value(Money(73_850_000)));
        assert_eq!(
            read(r#"{"tags": ["a", null, 1]}"#).unwrap().tags,
            Patch::Value(vec!["a".to_owned(), "1".to_owned()])
        );
        let error = read(r#"{"total": [1]}"#).unwrap_err();
        assert!(error.starts_with("`total`: expected an amount, found [1]"), "{error}");
    }
}
