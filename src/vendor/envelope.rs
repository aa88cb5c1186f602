//! The envelope that both vendors send: `{"event": "<type>", "data": {…}}`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::text::replace_nul;

/// The content of a delivery's body.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// The vendor's event type. U+0000 is replaced by U+FFFD.
    pub event: String,
    /// The text of `data`, exactly as received: a JSON object.
    pub data: &'a str,
}

/// Why a body is not an envelope. The message says what is wrong in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The body is not JSON text in UTF-8.
    #[error("{0}")]
    NotJson(String),
    /// The body is JSON, but not an envelope.
    #[error("{0}")]
    NotAnEnvelope(String),
}

/// The longest event type, in bytes. The longest documented one has 29.
const EVENT_TYPE_BYTES_MAX: usize = 200;

#[derive(Deserialize)]
struct RawEnvelope<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl<'a> Envelope<'a> {
    /// Parses a body. Trailing bytes, a byte order mark and a second `event` or `data` are errors.
    pub fn parse(body: &'a [u8]) -> Result<Self, EnvelopeError> {
        let text = std::str::from_utf8(body).map_err(|error| {
            EnvelopeError::NotJson(format!("the body is not UTF-8: byte {} is invalid", error.valid_up_to()))
        })?;
        if text.trim().is_empty() {
            return Err(EnvelopeError::NotJson("the body is empty".to_owned()));
        }
        let value: &RawValue = serde_json::from_str(text)
            .map_err(|error| EnvelopeError::NotJson(format!("the body is not JSON: {error}")))?;
        let not_an_envelope = |problem: String| EnvelopeError::NotAnEnvelope(problem);
        // serde would also read a struct from a list.
        if !value.get().starts_with('{') {
            return Err(not_an_envelope("the body is JSON, but not an object with `event` and `data`".to_owned()));
        }
        let raw: RawEnvelope<'a> = serde_json::from_str(value.get())
            .map_err(|error| not_an_envelope(format!("the body is not an envelope of `event` and `data`: {error}")))?;
        if raw.event.is_empty() || raw.event.len() > EVENT_TYPE_BYTES_MAX {
            return Err(not_an_envelope(format!(
                "`event` must have 1 to {EVENT_TYPE_BYTES_MAX} bytes, but has {}",
                raw.event.len()
            )));
        }
        if !raw.data.get().starts_with('{') {
            return Err(not_an_envelope("`data` must be an object".to_owned()));
        }
        Ok(Self { event: replace_nul(raw.event.into_owned()), data: raw.data.get() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn envelope_data_is_kept_verbatim() {
        let body =
            br#"{ "data" : {"id": 36029621652695040, "total": 7385.00 } , "event":"project.created", "more": 1}"#;
        let envelope = Envelope::parse(body).unwrap();
        assert_eq!(envelope.event, "project.created");
        assert_eq!(envelope.data, r#"{"id": 36029621652695040, "total": 7385.00 }"#);
    }

    #[test]
    fn malformed_body_error_has_its_kind() {
        let not_json: &[&[u8]] =
            &[b"", b"  \n", b"not json", b"{\"event\":", b"\xff\xfe", b"{} {}", b"\xef\xbb\xbf{}", b"{'a':1}"];
        for body in not_json {
            assert!(matches!(Envelope::parse(body), Err(EnvelopeError::NotJson(_))), "{body:?}");
        }
        for body in [
            "[1,2]",
            r#"["project.created", {"id": 1}]"#,
            "null",
            "17",
            "{}",
            r#"{"event":"x"}"#,
            r#"{"data":{}}"#,
            r#"{"event":1,"data":{}}"#,
            r#"{"event":"","data":{}}"#,
            r#"{"event":"x","data":[]}"#,
            r#"{"event":"x","data":null}"#,
            r#"{"event":"x","event":"y","data":{}}"#,
        ] {
            assert!(matches!(Envelope::parse(body.as_bytes()), Err(EnvelopeError::NotAnEnvelope(_))), "{body}");
        }
    }

    #[test]
    fn deeply_nested_body_is_accepted() {
        let deep = format!(r#"{{"event":"x","data":{{"a":{}{}}}}}"#, "[".repeat(400_000), "]".repeat(400_000));
        assert!(Envelope::parse(deep.as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn parse_any_body_never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Envelope::parse(&body);
        }
    }
}
