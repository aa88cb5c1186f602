//! An input object that is given by the parameters of a URL, one for each of its fields.

use std::collections::HashMap;

use async_graphql::parser::types::{BaseType, Type};
use serde_json::{Map, Value};

use super::types::{InputType, SchemaTypes, named_type};
use crate::graphql::error::excerpt;

/// Reads an input object of this type as the value of a variable. The values of a list are given by
/// several parameters of its name, by commas, or both; an empty value is none. Whether the values
/// are right is checked when the variable is coerced.
///
/// # Errors
///
/// The message names a parameter that is not a field, or that is given twice and is not a list.
pub(super) fn read(
    types: &SchemaTypes,
    type_name: &str,
    parameters: impl IntoIterator<Item = (String, String)>,
) -> Result<Value, String> {
    let Some(InputType::Object { fields, .. }) = types.input(type_name) else {
        return Err(format!("there is no input {type_name}"));
    };
    let mut given: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in parameters {
        let Some(field) = fields.get(&name) else {
            let known: Vec<&str> = fields.keys().map(String::as_str).collect();
            return Err(format!("there is no parameter `{}`; there are {}", excerpt(&name), known.join(", ")));
        };
        let values = given.entry(name).or_default();
        if is_list(&field.ty) {
            values.extend(value.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned));
        } else if !value.is_empty() {
            values.push(value);
        }
    }
    let mut object = Map::new();
    for (name, mut values) in given {
        let Some(field) = fields.get(&name) else { continue };
        let is_boolean = matches!(types.input(named_type(&field.ty)), Some(InputType::Boolean));
        let to_json = |value: String| match value.as_str() {
            "true" if is_boolean => Value::Bool(true),
            "false" if is_boolean => Value::Bool(false),
            _ => Value::String(value),
        };
        if is_list(&field.ty) {
            if !values.is_empty() {
                object.insert(name, values.into_iter().map(to_json).collect());
            }
        } else if values.len() > 1 {
            return Err(format!("`{name}` is given {} times; give it once", values.len()));
        } else if let Some(value) = values.pop() {
            object.insert(name, to_json(value));
        }
    }
    Ok(Value::Object(object))
}

const fn is_list(ty: &Type) -> bool {
    matches!(ty.base, BaseType::List(_))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::graphql::api_types;

    fn read_url(type_name: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let owned = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        read(&api_types(), type_name, owned)
    }

    #[test]
    fn parameters_become_fields_of_their_type() {
        for (parameters, expected) in [
            (&[][..], json!({})),
            (&[("status", "LOST")], json!({ "status": ["LOST"] })),
            (&[("status", "LOST, VOID"), ("status", "DRAFT")], json!({ "status": ["LOST", "VOID", "DRAFT"] })),
            (&[("status", ""), ("nameContains", "")], json!({})),
            (&[("status", "other")], json!({ "status": ["other"] })),
            (
                &[("nameContains", "a, b"), ("totalAtLeast", "7385.00")],
                json!({ "nameContains": "a, b", "totalAtLeast": "7385.00" }),
            ),
        ] {
            assert_eq!(read_url("ProposalFilter", parameters), Ok(expected), "{parameters:?}");
        }
    }

    #[test]
    fn parameter_unknown_or_repeated_is_named() {
        let unknown = read_url("ClientFilter", &[("status", "LOST")]).unwrap_err();
        assert!(unknown.contains("`status`") && unknown.contains("nameContains, email, city"), "{unknown}");
        let repeated = read_url("ClientFilter", &[("city", "a"), ("city", "b")]).unwrap_err();
        assert!(repeated.contains("`city`"), "{repeated}");
        assert!(read_url("Other", &[]).is_err());
    }
}
