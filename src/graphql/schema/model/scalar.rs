//! The scalars.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat};
use serde_json::value::RawValue;

use crate::clock::Time;
use crate::domain;
use crate::graphql::execution::types::ParseScalar;
use crate::store::read::value::Micros;

/// The parsers of the scalars. The executor parses a value with them before anything runs.
pub(crate) const SCALARS: [(&str, ParseScalar); 5] = [
    ("DateTime", |value| DateTime::read(value).map(drop)),
    ("Date", |value| Date::read(value).map(drop)),
    ("Decimal", |value| Decimal::read(value).map(drop)),
    ("Url", |value| Url::read(value).map(drop)),
    ("JSON", |_| Ok(())),
];

fn text(value: &Value) -> Option<&str> {
    if let Value::String(text) = value { Some(text) } else { None }
}

/// The error of the library for a value that is not what is expected.
fn expected<T: async_graphql::InputType>(expected: String) -> InputValueError<T> {
    InputValueError::custom(format!("{expected} is expected"))
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct DateTime(pub(crate) Time);

impl From<Micros> for DateTime {
    fn from(micros: Micros) -> Self {
        Self(micros.to_time())
    }
}

impl DateTime {
    fn read(value: &Value) -> Result<Self, String> {
        let time = text(value).and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
        time.map(|time| Self(time.to_utc())).ok_or_else(|| "a time like \"2022-01-16T04:19:23Z\"".to_owned())
    }
}

/// A time as text by RFC 3339, in UTC: `2022-01-16T04:19:23Z`, with up to six decimal places of a
/// second. An input may have any offset.
#[Scalar(name = "DateTime", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        Self::read(&value).map_err(expected)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Date(pub(crate) NaiveDate);

impl Date {
    fn read(value: &Value) -> Result<Self, String> {
        let day = text(value).and_then(|text| text.parse().ok());
        day.map(Self).ok_or_else(|| "a day like \"2022-01-16\"".to_owned())
    }
}

/// A calendar day as text, without a time zone: `2022-01-16`.
#[Scalar(name = "Date", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        Self::read(&value).map_err(expected)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal(pub(crate) domain::Money);

impl Decimal {
    fn read(value: &Value) -> Result<Self, String> {
        let amount = if let Value::Number(number) = value {
            domain::Money::parse(&number.to_string())
        } else {
            text(value).and_then(domain::Money::parse)
        };
        amount.map(Self).ok_or_else(|| "a decimal like \"7385.00\"".to_owned())
    }
}

/// An exact decimal number as text, with two to four digits after the point: `"7385.00"`. An input
/// may be a number too.
#[Scalar(name = "Decimal", specified_by_url = "https://www.w3.org/TR/xmlschema11-2/#decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        Self::read(&value).map_err(expected)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Url(pub(crate) String);

impl Url {
    fn read(value: &Value) -> Result<Self, String> {
        let url = text(value).map(|text| Self(text.to_owned()));
        url.ok_or_else(|| "a text like \"https://example.com/hook\"".to_owned())
    }
}

/// A URL as text. Those of a vendor are passed on as received, unchecked.
#[Scalar(name = "Url", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3986")]
impl ScalarType for Url {
    fn parse(value: Value) -> InputValueResult<Self> {
        Self::read(&value).map_err(expected)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Json(pub(crate) Box<RawValue>);

/// JSON exactly as received: every digit of a number, the order of keys and the white space are
/// kept. JavaScript rounds numbers beyond 2^53: take ids from `vendorId`.
#[Scalar(name = "JSON", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259")]
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
