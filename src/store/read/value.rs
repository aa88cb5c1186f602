//! The types of single values in encoded rows.

use chrono::DateTime;
use serde::{Deserialize, Deserializer};

use crate::clock::Time;

/// A time in microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// The time. Columns hold only valid times; any other number gives 1970.
    #[must_use]
    pub fn to_time(self) -> Time {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

/// A boolean: SQLite writes 0 and 1, PostgreSQL false and true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SqlBool(pub bool);

impl<'de> Deserialize<'de> for SqlBool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Bool(bool),
            Number(i64),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Bool(flag) => Self(flag),
            Form::Number(number) => Self(number != 0),
        })
    }
}

/// Bytes, which the statement encodes as hexadecimal text because JSON cannot hold them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        hex::decode(text.as_ref()).map(Self).map_err(serde::de::Error::custom)
    }
}
