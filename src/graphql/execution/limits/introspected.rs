//! The schema as an introspection of it shows it, as far as the cost of other introspections needs
//! it.

use serde::Deserialize;

/// The query that [`Schema`] is read from.
pub(crate) const QUERY: &str = "{ __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types {
      name interfaces { name } possibleTypes { name } enumValues(includeDeprecated: true) { name }
      fields(includeDeprecated: true) { type { ...T } args(includeDeprecated: true) { type { ...T } } }
      inputFields(includeDeprecated: true) { type { ...T } }
    }
    directives { args(includeDeprecated: true) { type { ...T } } } } }
  fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";

/// The schema, as [`QUERY`] reads it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Schema {
    pub(super) query_type: Named,
    pub(super) mutation_type: Option<Named>,
    pub(super) subscription_type: Option<Named>,
    pub(super) types: Vec<Definition>,
    pub(super) directives: Vec<DirectiveDefinition>,
}

#[derive(Default, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) interfaces: Option<Vec<Named>>,
    pub(super) possible_types: Option<Vec<Named>>,
    pub(super) enum_values: Option<Vec<Named>>,
    pub(super) fields: Option<Vec<FieldDefinition>>,
    pub(super) input_fields: Option<Vec<Input>>,
}

#[derive(Deserialize)]
pub(super) struct FieldDefinition {
    pub(super) r#type: TypeRef,
    pub(super) args: Vec<Input>,
}

#[derive(Deserialize)]
pub(super) struct DirectiveDefinition {
    pub(super) args: Vec<Input>,
}

#[derive(Deserialize)]
pub(super) struct Input {
    pub(super) r#type: TypeRef,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypeRef {
    pub(super) kind: String,
    pub(super) name: Option<String>,
    pub(super) of_type: Option<Box<TypeRef>>,
}

impl TypeRef {
    pub(super) fn named(name: &str) -> Self {
        Self { kind: String::new(), name: Some(name.to_owned()), of_type: None }
    }

    pub(super) fn notation(&self) -> String {
        let mut wrappers = Vec::new();
        let mut of = self;
        while let Some(inner) = &of.of_type {
            wrappers.push(of.kind == "LIST");
            of = inner;
        }
        let mut text = of.name.clone().unwrap_or_default();
        for is_list in wrappers.into_iter().rev() {
            text = if is_list { format!("[{text}]") } else { format!("{text}!") };
        }
        text
    }
}
