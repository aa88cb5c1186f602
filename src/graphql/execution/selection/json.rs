//! The result of a selection as JSON text. An object is written once; the library would build a map
//! of maps and write it at the end. Inside the library's values the text is raw JSON.

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, ServerError, ServerResult, Value};

use crate::graphql::error::ApiError;
use crate::graphql::execution::compat::RAW_VALUE_KEY;

/// JSON text that is being written. Only whole, valid UTF-8 texts are appended.
#[derive(Default)]
pub(crate) struct JsonText(Vec<u8>);

impl JsonText {
    /// An object with these members. GraphQL names need no escapes. `expected_length` reserves room
    /// for the text of the members.
    pub(super) fn object<'a>(
        members: impl Iterator<Item = ServerResult<(&'a Name, Value)>>,
        expected_length: usize,
    ) -> ServerResult<Self> {
        let mut json = Self(Vec::with_capacity(expected_length + "{}".len()));
        json.0.push(b'{');
        for (index, member) in members.enumerate() {
            let (name, value) = member?;
            json.push_comma(index);
            json.push_name(name);
            json.push_value(&value).map_err(|error| write_error(&error))?;
        }
        json.0.push(b'}');
        Ok(json)
    }

    /// A list of these items.
    pub(super) fn list(items: Vec<Self>) -> Self {
        let length = items.iter().map(|item| item.0.len() + 1).sum::<usize>();
        let mut json = Self(Vec::with_capacity(length + 2));
        json.0.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            json.push_comma(index);
            json.0.extend_from_slice(&item.0);
        }
        json.0.push(b']');
        json
    }

    /// The text as a value of the library.
    pub(crate) fn into_value(self) -> ServerResult<Value> {
        let text = String::from_utf8(self.0).map_err(|error| write_error(&error))?;
        Ok(Value::Object(IndexMap::from_iter([(RAW_VALUE_KEY.clone(), Value::String(text))])))
    }

    /// Appends a value to a text. Raw parts are copied verbatim: this type wrote them, or
    /// serde_json read them.
    pub(crate) fn append_value(text: &mut Vec<u8>, value: &Value) -> serde_json::Result<()> {
        let mut json = Self(std::mem::take(text));
        let pushed = json.push_value(value);
        *text = json.0;
        pushed
    }

    fn push_value(&mut self, value: &Value) -> serde_json::Result<()> {
        match value {
            Value::Object(members) => {
                if let Some(raw) = raw_json(members) {
                    self.0.extend_from_slice(raw.as_bytes());
                    return Ok(());
                }
                self.0.push(b'{');
                for (index, (name, value)) in members.iter().enumerate() {
                    self.push_comma(index);
                    self.push_name(name);
                    self.push_value(value)?;
                }
                self.0.push(b'}');
            }
            Value::List(items) => {
                self.0.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    self.push_comma(index);
                    self.push_value(item)?;
                }
                self.0.push(b']');
            }
            Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Boolean(_)
            | Value::Enum(_)
            | Value::Binary(_) => serde_json::to_writer(&mut self.0, value)?,
        }
        Ok(())
    }

    fn push_comma(&mut self, index: usize) {
        if index > 0 {
            self.0.push(b',');
        }
    }

    fn push_name(&mut self, name: &Name) {
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }
}

/// How many bytes a value has as text, if nothing in it is escaped; a guess for a short one.
pub(super) fn expected_length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Object(members) => raw_json(members).map_or(64, str::len),
        Value::List(_) | Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Enum(_) | Value::Binary(_) => 16,
    }
}

fn raw_json(members: &IndexMap<Name, Value>) -> Option<&str> {
    match members.get_index(0) {
        Some((name, Value::String(text))) if members.len() == 1 && *name == *RAW_VALUE_KEY => Some(text),
        _ => None,
    }
}

fn write_error(error: &dyn std::error::Error) -> ServerError {
    tracing::error!(%error, "a value could not be written as JSON");
    let mut error = ServerError::new(ApiError::Internal.to_string(), None);
    error.extensions = ApiError::Internal.into_graphql_error().extensions;
    error
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    fn encode_value(value: &Value) -> Vec<u8> {
        let mut text = Vec::new();
        JsonText::append_value(&mut text, value).unwrap();
        text
    }

    #[test]
    fn values_are_written_as_serde_json_writes_them() {
        let value = value!({ "a": [1, 2.5, null, true], "b": { "c": "\"\u{1}ä\u{1f600}\\" }, "empty": {}, "none": [] });
        assert_eq!(encode_value(&value), serde_json::to_vec(&value).unwrap());
    }

    #[test]
    fn value_that_cannot_be_written_is_an_internal_error() {
        let error = write_error(&std::io::Error::other("broken"));
        assert_eq!(error.extensions.unwrap().get("code"), Some(&value!("INTERNAL")));
    }

    #[test]
    fn nested_raw_json_is_written_verbatim() {
        let inner = JsonText::object([Ok((&Name::new("n"), value!("x")))].into_iter(), 0).unwrap();
        let list = JsonText::list(vec![inner, JsonText(b"36029621652695040".to_vec())]).into_value().unwrap();
        let members = [Ok((&Name::new("list"), list)), Ok((&Name::new("z"), value!(null)))];
        let outer = JsonText::object(members.into_iter(), 0).unwrap();
        let text = br#"{"list":[{"n":"x"},36029621652695040],"z":null}"#;
        let value = value!({ "top": (outer.into_value().unwrap()) });
        assert_eq!(encode_value(&value), [b"{\"top\":".as_slice(), text, b"}"].concat());
        // The library writes the same.
        assert_eq!(serde_json::to_vec(&value).unwrap(), encode_value(&value));
    }
}
