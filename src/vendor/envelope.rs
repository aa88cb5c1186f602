//! The envelope that both vendors send: `{"event": "<type>", "data": {…}}`.

use serde_json::value::RawValue;

use super::wire::{FromJson, Members, Unread};

/// The content of a delivery's body.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// The vendor's event type. U+0000 and half a surrogate pair are replaced by U+FFFD.
    pub event: String,
    /// The text of `data`, exactly as received: a JSON object.
    pub data: &'a str,
}

/// Why a body is not an envelope. The message says what is wrong in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The body is not JSON text.
    #[error("{0}")]
    NotJson(String),
    /// The body is JSON, but not an envelope.
    #[error("{0}")]
    NotAnEnvelope(String),
}

/// The longest event type, in bytes. The longest documented one has 29.
const EVENT_TYPE_BYTES_MAX: usize = 200;

impl<'a> Envelope<'a> {
    /// Parses the text of a body. Trailing text and a second, different `event` or `data` are
    /// errors.
    pub fn parse(text: &'a str) -> Result<Self, EnvelopeError> {
        if text.trim().is_empty() {
            return Err(EnvelopeError::NotJson("the body is empty".to_owned()));
        }
        let value: &RawValue = serde_json::from_str(text)
            .map_err(|error| EnvelopeError::NotJson(format!("the body is not JSON: {error}")))?;
        let not_an_envelope = |problem: String| EnvelopeError::NotAnEnvelope(problem);
        let members = Members::parse(value.get())
            .map_err(|_| not_an_envelope("the body is JSON, but not an object with `event` and `data`".to_owned()))?;
        let member = |name: &str| {
            members.get(name).and_then(|value| value.ok_or_else(|| "missing".to_owned())).map_err(|problem| {
                not_an_envelope(format!("the body is not an envelope of `event` and `data`: `{name}` is {problem}"))
            })
        };
        let (event, data) = (member("event")?.get(), member("data")?.get());
        if !event.starts_with('"') {
            return Err(not_an_envelope("`event` must be a text".to_owned()));
        }
        let event = String::from_json(event, &mut Unread::default()).map_err(not_an_envelope)?.unwrap_or_default();
        if event.is_empty() || event.len() > EVENT_TYPE_BYTES_MAX {
            return Err(not_an_envelope(format!(
                "`event` must have 1 to {EVENT_TYPE_BYTES_MAX} bytes, but has {}",
                event.len()
            )));
        }
        if !data.starts_with('{') {
            return Err(not_an_envelope("`data` must be an object".to_owned()));
        }
        Ok(Self { event, data })
    }
}

/// The value of `data` in a body that is an envelope; `None` if it is not.
#[must_use]
pub fn data(text: &str) -> Option<&RawValue> {
    Members::parse(text.trim_start()).ok()?.get("data").ok()?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn envelope_data_is_kept_verbatim() {
        let body = r#"{ "data" : {"id": 36029621652695040, "total": 7385.00 } , "event":"project.created", "more": 1}"#;
        let envelope = Envelope::parse(body).unwrap();
        assert_eq!(envelope.event, "project.created");
        assert_eq!(envelope.data, r#"{"id": 36029621652695040, "total": 7385.00 }"#);
    }

    #[test]
    fn malformed_body_error_has_its_kind() {
        for body in ["", "  \n", "not json", "{\"event\":", "{} {}", "\u{feff}{}", "{'a':1}"] {
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
            assert!(matches!(Envelope::parse(body), Err(EnvelopeError::NotAnEnvelope(_))), "{body}");
        }
    }

    #[test]
    fn odd_members_beside_event_and_data_do_no_harm() {
        let deep = format!(r#"{{"event":"x","more":{}{},"data":{{}}}}"#, "[".repeat(400_000), "]".repeat(400_000));
        for body in [
            &deep,
            r#"{"event":"x","\ud800":1,"data":{}}"#,
            r#"{"event":"x","event":"x","data":{},"data":{}}"#,
            r#"{"\u0065vent":"x","d\u0061ta":{}}"#,
        ] {
            let envelope = Envelope::parse(body).unwrap();
            assert_eq!((envelope.event.as_str(), envelope.data), ("x", "{}"));
            assert_eq!(data(body).map(RawValue::get), Some("{}"));
        }
    }

    proptest! {
        #[test]
        fn parse_any_body_never_panics(body in r#"[{}\[\]",:a-z\\u0-9 ]{0,60}|.{0,60}"#) {
            let _ = (Envelope::parse(&body), data(&body));
        }
    }
}
