//! The parameters of one GraphQL request, as every transport carries them: an object in JSON, or
//! the pairs of a URL. Clients write "none" in several ways, which are read here.

use std::borrow::Cow;

use async_graphql::{Extensions, Request, Variables};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::graphql::PERSISTED_QUERY;

/// The parameters of a request. Their texts are not parsed as GraphQL yet.
pub(in crate::http) struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Variables,
    extensions: Extensions,
}

/// The parameters as a client writes them. In a URL the last two are JSON in text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UrlParameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonParameters<'a> {
    query: Option<String>,
    operation_name: Option<String>,
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
    #[serde(borrow)]
    extensions: Option<&'a RawValue>,
}

impl From<Request> for Parameters {
    fn from(request: Request) -> Self {
        let Request { query, operation_name, variables, extensions, .. } = request;
        let operation_name = operation_name.filter(|name| !name.is_empty());
        Self { query: Some(query), operation_name, variables, extensions }
    }
}

impl Parameters {
    /// Reads an object in JSON. The error says what is wrong with it.
    pub(in crate::http) fn from_json(json: &str) -> Result<Self, String> {
        // Serde would take a list for the fields of the object, in order.
        if json.trim_ascii_start().starts_with('[') {
            return Err("a request is an object with `query`".to_owned());
        }
        let JsonParameters { query, operation_name, variables, extensions } =
            serde_json::from_str(json).map_err(|error| error.to_string())?;
        Self::new(query, operation_name, variables.map(RawValue::get), extensions.map(RawValue::get))
    }

    /// Reads the pairs of a URL. The error says what is wrong with them.
    pub(super) fn from_url(parameters: &UrlParameters) -> Result<Self, String> {
        let UrlParameters { query, operation_name, variables, extensions } = parameters;
        Self::new(query.clone(), operation_name.clone(), variables.as_deref(), extensions.as_deref())
    }

    fn new(
        query: Option<String>,
        operation_name: Option<String>,
        variables: Option<&str>,
        extensions: Option<&str>,
    ) -> Result<Self, String> {
        Ok(Self {
            query,
            operation_name: operation_name.filter(|name| !name.is_empty()),
            variables: read_object("variables", variables)?,
            extensions: read_object("extensions", extensions)?,
        })
    }

    /// The same parameters, in which an empty document is none.
    pub(super) fn without_empty_query(self) -> Self {
        Self { query: self.query.filter(|query| !query.is_empty()), ..self }
    }

    /// The request. A hash may stand for the document: the executor answers that it knows none.
    pub(in crate::http) fn into_request(self) -> Result<Request, String> {
        let Self { query, operation_name, variables, extensions } = self;
        if query.is_none() && !extensions.contains_key(PERSISTED_QUERY) {
            return Err("`query` is missing".to_owned());
        }
        let mut request = Request::new(query.unwrap_or_default()).variables(variables);
        request.operation_name = operation_name;
        request.extensions = extensions;
        Ok(request)
    }
}

/// Reads an object, or the text of one. None is null, an empty text, or an empty list.
fn read_object<T: DeserializeOwned + Default>(name: &str, json: Option<&str>) -> Result<T, String> {
    let json = json.unwrap_or_default().trim_ascii();
    let invalid = |error: serde_json::Error| format!("`{name}`: {error}");
    let json: Cow<'_, str> =
        if json.starts_with('"') { serde_json::from_str::<String>(json).map_err(invalid)?.into() } else { json.into() };
    match json.trim_ascii() {
        "" | "null" => Ok(T::default()),
        object if object.starts_with('{') => serde_json::from_str(object).map_err(invalid),
        other => match serde_json::from_str::<[(); 0]>(other) {
            Ok([]) => Ok(T::default()),
            Err(_) => Err(format!("`{name}` must be an object")),
        },
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    #[test]
    fn parameters_empty_in_any_way_are_none() {
        for empty in [r#""""#, r#"" ""#, "null", "{}", "[]", "[ ]", r#""{}""#, r#"" { } ""#, r#""null""#, r#""[]""#] {
            for name in ["", r#","operationName":"""#, r#","operationName":null"#] {
                let json = format!(r#" {{"query":"{{a}}","variables":{empty},"extensions":{empty}{name}}}"#);
                let request = Parameters::from_json(&json).unwrap().into_request().unwrap();
                assert_eq!((request.query.as_str(), request.operation_name), ("{a}", None), "{json}");
                assert!(request.variables.is_empty() && request.extensions.is_empty(), "{json}");
            }
        }
    }

    #[test]
    fn parameters_given_in_text_or_as_object_are_equal() {
        for variables in [r#"{"a":[1],"b":"x"}"#, r#""{\"a\":[1],\"b\":\"x\"}""#] {
            let json = format!(r#"{{"query":"{{a}}","operationName":" ","variables":{variables}}}"#);
            let request = Parameters::from_json(&json).unwrap().into_request().unwrap();
            assert_eq!(request.operation_name.as_deref(), Some(" "));
            assert_eq!(request.variables.into_value(), value!({ "a": [1], "b": "x" }));
        }
    }

    #[test]
    fn parameters_of_another_type_are_refused() {
        for json in [
            "",
            "x",
            "null",
            "[]",
            r#"["{a}"]"#,
            r#"{"query":1}"#,
            r#"{"query":"{a}","operationName":1}"#,
            r#"{"query":"{a}","query":"{b}"}"#,
        ] {
            assert!(Parameters::from_json(json).is_err(), "{json}");
        }
        for other in ["1", "false", "[1]", "[[]]", "[null]", r#""x""#, r#""\"{}\"""#, r#""[1]""#, r#""{""#] {
            let json = format!(r#"{{"query":"{{a}}","variables":{other}}}"#);
            assert!(Parameters::from_json(&json).err().unwrap().starts_with("`variables`"), "{json}");
            let json = format!(r#"{{"query":"{{a}}","extensions":{other}}}"#);
            assert!(Parameters::from_json(&json).err().unwrap().starts_with("`extensions`"), "{json}");
        }
    }

    #[test]
    fn hash_stands_for_a_missing_document() {
        let hash = r#""extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}"#;
        for query in ["", r#""query":null,"#, r#""query":"","#] {
            assert!(Parameters::from_json(&format!("{{{query}{hash}}}")).unwrap().into_request().is_ok());
        }
        for json in ["{}", r#"{"query":null}"#, r#"{"extensions":{"other":1}}"#] {
            assert!(Parameters::from_json(json).unwrap().into_request().is_err(), "{json}");
        }
    }
}
