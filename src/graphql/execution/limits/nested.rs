//! Values of documents and of variables, walked alike.

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value};
use async_graphql_value::Value as Argument;

/// A value of the document or of the variables.
pub(super) trait Nested: Sized {
    /// The size of its text, or of the variable that it is.
    fn text_bytes(&self, variable_bytes: &HashMap<&Name, usize>) -> usize;
    /// The values in it.
    fn nested(&self) -> NestedValues<'_, Self>;
}

/// The values in a value.
pub(super) enum NestedValues<'a, V> {
    None,
    List(&'a [V]),
    Object(&'a IndexMap<Name, V>),
}

impl Nested for Value {
    fn text_bytes(&self, _: &HashMap<&Name, usize>) -> usize {
        match self {
            Self::String(text) => text.len(),
            Self::Enum(name) => name.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Null | Self::Number(_) | Self::Boolean(_) | Self::List(_) | Self::Object(_) => 0,
        }
    }

    fn nested(&self) -> NestedValues<'_, Self> {
        match self {
            Self::List(items) => NestedValues::List(items),
            Self::Object(fields) => NestedValues::Object(fields),
            Self::Null | Self::Number(_) | Self::String(_) | Self::Boolean(_) | Self::Binary(_) | Self::Enum(_) => {
                NestedValues::None
            }
        }
    }
}

impl Nested for Argument {
    fn text_bytes(&self, variable_bytes: &HashMap<&Name, usize>) -> usize {
        match self {
            Self::Variable(name) => variable_bytes.get(name).copied().unwrap_or_default(),
            Self::String(text) => text.len(),
            Self::Enum(name) => name.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Null | Self::Number(_) | Self::Boolean(_) | Self::List(_) | Self::Object(_) => 0,
        }
    }

    fn nested(&self) -> NestedValues<'_, Self> {
        match self {
            Self::List(items) => NestedValues::List(items),
            Self::Object(fields) => NestedValues::Object(fields),
            Self::Null
            | Self::Variable(_)
            | Self::Number(_)
            | Self::String(_)
            | Self::Boolean(_)
            | Self::Binary(_)
            | Self::Enum(_) => NestedValues::None,
        }
    }
}
