//! Conversions between columns and domain values.

use chrono::DateTime;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Time;
use crate::store::StoreError;

/// The column value of a time.
pub(in crate::store) const fn to_micros(time: Time) -> i64 {
    time.timestamp_micros()
}

/// The time of a column value.
pub(in crate::store) fn from_micros(micros: i64) -> Result<Time, StoreError> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| StoreError::Unreadable(format!("the time {micros}")))
}

/// The column value of a nested value.
pub(in crate::store) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// The nested value of a column value.
pub(in crate::store) fn from_json<T: DeserializeOwned>(text: Option<&str>) -> Result<Option<T>, StoreError> {
    text.map(serde_json::from_str).transpose().map_err(|error| StoreError::Unreadable(error.to_string()))
}
