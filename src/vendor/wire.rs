//! Reading payloads, in every form that the vendors write single values: ids as numbers of any size
//! or as text, text written as a number, amounts and times in several spellings.
//!
//! An optional field that cannot be read is left out, as if the payload did not have it, and is
//! named. A required one fails the payload. A value is read only if it has one reading.
//!
//! Numbers are read from their digits, never through a float.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::text::replace_nul;
use crate::domain::{Patch, VendorId};

mod amount;
mod time;

/// A value that can be parsed from a vendor's JSON text.
pub trait FromJson: Sized {
    /// Parses it. `None` if the text is blank and means no value. Adds to `unread` the optional
    /// parts of it that cannot be read.
    ///
    /// # Errors
    ///
    /// The error says what was expected, for the detail of the delivery.
    fn from_json(json: &str, unread: &mut Unread) -> Result<Option<Self>, String>;
}

/// The optional fields of a payload that could not be read, each with its path and the reason.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unread(Vec<(String, String)>);

/// How many fields a detail names.
const NAMED_FIELDS_MAX: usize = 20;

impl Unread {
    /// Whether every field was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a field that is left out, with the reason.
    pub fn add(&mut self, path: impl Into<String>, problem: String) {
        self.0.push((path.into(), problem));
    }

    /// Adds the fields of a part of the payload.
    fn add_part(&mut self, name: &str, part: Self) {
        self.0.extend(part.0.into_iter().map(|(path, problem)| {
            let separator = if path.starts_with('[') { "" } else { "." };
            (format!("{name}{separator}{path}"), problem)
        }));
    }
}

impl fmt::Display for Unread {
    /// One sentence for people, of bounded length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("left out because they cannot be read: ")?;
        for (index, (path, problem)) in self.0.iter().take(NAMED_FIELDS_MAX).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}`{path}` ({problem})")?;
        }
        match self.0.len().saturating_sub(NAMED_FIELDS_MAX) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// The members of a JSON object, in their order.
#[derive(Debug)]
pub struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Parses an object.
    pub fn parse(json: &'a str) -> Result<Self, String> {
        if !json.starts_with('{') {
            return Err(mismatch_message("an object", json));
        }
        let members: RawMembers<'_> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let name = |name: &RawValue| parse_string(name.get()).ok_or_else(|| mismatch_message("a name", name.get()));
        members.0.into_iter().map(|(key, value)| Ok((name(key)?, value))).collect::<Result<_, _>>().map(Self)
    }

    /// The value of a member, if there is one. A repeated name is an error, unless all its values
    /// are the same.
    pub fn get(&self, name: &str) -> Result<Option<&'a RawValue>, String> {
        let mut values = self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| *value);
        let first = values.next();
        let is_same = values.all(|value| first.is_some_and(|first| first.get() == value.get()));
        if is_same { Ok(first) } else { Err("given twice, with different values".to_owned()) }
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        Ok(self.get(name)?.map(RawValue::get))
    }

    /// Reads a field that must have a value.
    pub(super) fn required<T: FromJson>(&self, name: &str, unread: &mut Unread) -> Result<T, String> {
        let value = match self.text(name) {
            Ok(None) => return Err(format!("`{name}` is missing")),
            Ok(Some(json)) => T::from_json(json, unread),
            Err(problem) => Err(problem),
        };
        value
            .and_then(|value| value.ok_or_else(|| "must not be empty".to_owned()))
            .map_err(|problem| format!("`{name}`: {problem}"))
    }

    /// Reads a field that may be missing or null. If it cannot be read it is missing, and is added
    /// to `unread`.
    pub(super) fn optional<T: FromJson>(&self, name: &str, unread: &mut Unread) -> Patch<T> {
        let mut part = Unread::default();
        let value = match self.text(name) {
            Ok(None) => return Patch::Missing,
            Ok(Some("null")) => return Patch::Null,
            Ok(Some(json)) => T::from_json(json, &mut part),
            Err(problem) => Err(problem),
        };
        match value {
            Ok(value) => {
                unread.add_part(name, part);
                value.map_or(Patch::Null, Patch::Value)
            }
            Err(problem) => {
                unread.add(name, problem);
                Patch::Missing
            }
        }
    }
}

/// The members with their names as written. A name may hold half a surrogate pair, which is no
/// reason to reject the object.
struct RawMembers<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = RawMembers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(RawMembers(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Reads the payload of an event.
///
/// # Errors
///
/// The error names the required field at fault.
pub fn read_payload<T: FromJson>(json: &str, unread: &mut Unread) -> Result<T, String> {
    T::from_json(json, unread)?.ok_or_else(|| mismatch_message("an object", json))
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
    fn from_json(json: &str, _: &mut Unread) -> Result<Option<Self>, String> {
        if is_number(json) || json == "true" || json == "false" {
            return Ok(Some(json.to_owned()));
        }
        parse_string(json).map(Some).ok_or_else(|| mismatch_message("a text", json))
    }
}

impl FromJson for VendorId {
    /// A whole number of any size, with every digit, or a text. An empty text is no value.
    fn from_json(json: &str, _: &mut Unread) -> Result<Option<Self>, String> {
        let mismatch = || mismatch_message("an id: a whole number, or a text of 1 to 200 bytes", json);
        // Some writers give a whole number a decimal part of zeros.
        let (whole, fraction) = json.split_once('.').unwrap_or((json, "0"));
        let is_whole_number =
            whole.bytes().all(|byte| byte.is_ascii_digit()) && fraction.bytes().all(|byte| byte == b'0');
        let text = if is_whole_number { Some(whole.to_owned()) } else { parse_string(json) };
        match text {
            Some(text) if text.trim().is_empty() => Ok(None),
            text => text.and_then(Self::new).map(Some).ok_or_else(mismatch),
        }
    }
}

impl FromJson for bool {
    /// `true` or `false`, also as text or as 1 and 0.
    fn from_json(json: &str, _: &mut Unread) -> Result<Option<Self>, String> {
        let text = parse_string(json).unwrap_or_else(|| json.to_owned()).trim().to_ascii_lowercase();
        match text.as_str() {
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(mismatch_message("true or false", json)),
        }
    }
}

impl FromJson for Vec<String> {
    /// A list of texts. Nulls in it are skipped, and so are entries that cannot be read.
    fn from_json(json: &str, unread: &mut Unread) -> Result<Option<Self>, String> {
        let items: Vec<&RawValue> =
            serde_json::from_str(json).map_err(|_| mismatch_message("a list of texts", json))?;
        let mut texts = Self::new();
        for (index, item) in items.into_iter().map(RawValue::get).enumerate().filter(|(_, item)| *item != "null") {
            match String::from_json(item, unread) {
                Ok(text) => texts.extend(text),
                Err(problem) => unread.add(format!("[{index}]"), problem),
            }
        }
        Ok(Some(texts))
    }
}

/// A list of objects. Nulls in it are skipped. Entries that cannot be read are left out, and so are
/// those past the first `LIST_ENTRIES_MAX`.
#[derive(Debug)]
pub struct List<T>(pub Vec<T>);

/// How many entries of a list are read. A proposal has a handful of options.
const LIST_ENTRIES_MAX: usize = 100;

impl<T: FromJson> FromJson for List<T> {
    fn from_json(json: &str, unread: &mut Unread) -> Result<Option<Self>, String> {
        let items: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| mismatch_message("a list", json))?;
        let mut entries = Vec::new();
        for (index, item) in items.into_iter().map(RawValue::get).enumerate().filter(|(_, item)| *item != "null") {
            let path = format!("[{index}]");
            if index >= LIST_ENTRIES_MAX {
                unread.add(path, format!("only the first {LIST_ENTRIES_MAX} entries are read"));
                break;
            }
            let mut part = Unread::default();
            match T::from_json(item, &mut part) {
                Ok(entry) => {
                    unread.add_part(&path, part);
                    entries.extend(entry);
                }
                Err(problem) => unread.add(path, problem),
            }
        }
        Ok(Some(Self(entries)))
    }
}

/// Defines a payload: in parentheses the fields that it must have, then those that may be missing
/// or null. The latter may be those of a change, into which it then converts. `as` gives the name
/// that the vendor writes.
macro_rules! payload {
    (
        $(#[$meta:meta])*
        $name:ident $(($($required:ident: $required_type:ty),+))? $(=> $change:ident)? {
            $($(#[$field_meta:meta])* $field:ident $(as $vendor_name:literal)?: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        #[expect(missing_docs, reason = "the names are the vendor's")]
        pub struct $name {
            $($(pub $required: $required_type,)+)?
            $($(#[$field_meta])* pub $field: crate::domain::Patch<$type>,)*
        }

        impl $crate::vendor::wire::FromJson for $name {
            fn from_json(json: &str, unread: &mut $crate::vendor::wire::Unread) -> Result<Option<Self>, String> {
                let members = $crate::vendor::wire::Members::parse(json)?;
                Ok(Some(Self {
                    $($($required: members.required(stringify!($required), unread)?,)+)?
                    $($field: members.optional(
                        $crate::vendor::wire::payload!(@name $field $($vendor_name)?),
                        unread,
                    ),)*
                }))
            }
        }

        $crate::vendor::wire::payload! { @conversion $name $($change)? { $($field)* } }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $vendor_name:literal) => { $vendor_name };
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
mod tests;
