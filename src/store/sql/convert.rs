//! Between columns and domain values.

use chrono::DateTime;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Time;
use crate::store::StoreError;

/// A time as a column holds it.
pub(in crate::store) const fn to_micros(time: Time) -> i64 {
    time.timestamp_micros()
}

/// A column's time.
pub(in crate::store) fn from_micros(micros: i64) -> Result<Time, StoreError> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| StoreError::Unreadable(format!("the time {micros}")))
}

/// A nested value as a column holds it.
pub(in crate::store) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// A column's nested value.
pub(in crate::store) fn from_json<T: DeserializeOwned>(text: Option<&str>) -> Result<Option<T>, StoreError> {
    text.map(serde_json::from_str).transpose().map_err(|error| StoreError::Unreadable(error.to_string()))
}
