//! The scalars.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat};
use serde_json::value::RawValue;

use crate::clock::Time;
use crate::domain;
use crate::store::read::value::Micros;

#[derive(Clone, Copy, Debug)]
pub(crate) struct DateTime(pub(crate) Time);

impl From<Micros> for DateTime {
    fn from(micros: Micros) -> Self {
        Self(micros.to_time())
    }
}

/// A time as text by RFC 3339, in UTC: `2022-01-16T04:19:23Z`, with up to six decimal places of a
/// second. An input may have any offset.
#[Scalar(name = "DateTime", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.to_utc()))
            .map_err(|_| InputValueError::custom(format!("a time like 2022-01-16T04:19:23Z is expected, not {text:?}")))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Date(pub(crate) NaiveDate);

/// A calendar day as text, without a time zone: `2022-01-16`.
#[Scalar(name = "Date")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        text.parse()
            .map(Self)
            .map_err(|_| InputValueError::custom(format!("a date like 2022-01-16 is expected, not {text:?}")))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal(pub(crate) domain::Money);

/// An exact decimal number as text, with two to four digits after the point: `"7385.00"`. An input
/// may be a number too.
#[Scalar(name = "Decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = if let Value::String(text) = &value {
            text.clone()
        } else if let Value::Number(number) = &value {
            number.to_string()
        } else {
            return Err(InputValueError::expected_type(value));
        };
        domain::Money::parse(&text)
            .map(Self)
            .ok_or_else(|| InputValueError::custom(format!("a decimal like \"7385.00\" is expected, not {text:?}")))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Url(pub(crate) String);

/// A URL as text. Those of a vendor are passed on as received, unchecked.
#[Scalar(name = "Url")]
impl ScalarType for Url {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = value else { return Err(InputValueError::expected_type(value)) };
        Ok(Self(text))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Json(pub(crate) Box<RawValue>);

/// JSON exactly as received: every digit of a number, the order of keys and the white space are
/// kept. JavaScript rounds numbers beyond 2^53: take ids from `vendorId`.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        let json = value.into_json().map_err(|error| InputValueError::custom(error.to_string()))?;
        serde_json::value::to_raw_value(&json).map(Self).map_err(|error| InputValueError::custom(error.to_string()))
    }

    fn to_value(&self) -> Value {
        // The library has a value for raw JSON, which it writes out verbatim.
        async_graphql::to_value(&self.0).unwrap_or_default()
    }
}
