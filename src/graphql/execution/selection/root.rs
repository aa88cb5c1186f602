//! Restores the root fields that failed. The library executes the roots and omits a failed field
//! from `data`. By the specification the field is null there, or `data` is null if the field is not
//! nullable.

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{Name, PathSegment, Request, Response, Value};

/// Whether a field of a type may be null.
pub(super) fn is_nullable(registry: &Registry, type_name: &str, field: &str) -> bool {
    let field = registry.types.get(type_name).and_then(|meta_type| meta_type.field_by_name(field));
    field.is_some_and(|field| !field.ty.ends_with('!'))
}

/// The part of a request that is needed to restore its failed root fields.
pub(crate) struct RootFieldErrors {
    query: String,
    operation_name: Option<String>,
}

impl RootFieldErrors {
    /// Copies that part. Executing a request consumes it.
    pub(crate) fn new(request: &Request) -> Self {
        Self { query: request.query.clone(), operation_name: request.operation_name.clone() }
    }

    /// Adds the failed root fields to the response.
    pub(crate) fn restore(&self, response: &mut Response, registry: &Registry) {
        // The library sets `data` to null if every field of an executed operation failed.
        if response.data == Value::Null && response.errors.iter().all(|error| !error.path.is_empty()) {
            response.data = Value::Object(IndexMap::new());
        }
        let Value::Object(data) = &mut response.data else { return };
        let failed = response.errors.iter().filter_map(|error| match error.path.first() {
            Some(PathSegment::Field(name)) => Some(name),
            Some(PathSegment::Index(_)) | None => None,
        });
        let missing: Vec<&String> = failed.filter(|name| !data.contains_key(name.as_str())).collect();
        if missing.is_empty() {
            return;
        }
        // It was parsed and executed before, so this cannot fail.
        let Ok(document) = parse_query(&self.query) else { return };
        let fields = root_fields(&document, self.operation_name.as_deref());
        for name in missing {
            let nullable = fields.get(name.as_str()).is_some_and(|(root, field)| is_nullable(registry, root, field));
            if !nullable {
                response.data = Value::Null;
                return;
            }
            data.insert(Name::new(name), Value::Null);
        }
    }
}

/// The root fields of an operation, by response name: the root's type, and the name of the field.
fn root_fields<'a>(
    document: &'a ExecutableDocument,
    operation: Option<&str>,
) -> HashMap<&'a str, (&'static str, &'a str)> {
    let mut fields = HashMap::new();
    for (name, definition) in document.operations.iter() {
        if operation.is_some() && name.map(Name::as_str) != operation {
            continue;
        }
        let root = match definition.node.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        add_root_fields(document, root, &definition.node.selection_set.node, &mut fields);
    }
    fields
}

fn add_root_fields<'a>(
    document: &'a ExecutableDocument,
    root: &'static str,
    set: &'a SelectionSet,
    fields: &mut HashMap<&'a str, (&'static str, &'a str)>,
) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                fields.insert(field.node.response_key().node.as_str(), (root, field.node.name.node.as_str()));
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    add_root_fields(document, root, &fragment.node.selection_set.node, fields);
                }
            }
            Selection::InlineFragment(fragment) => {
                add_root_fields(document, root, &fragment.node.selection_set.node, fields)
            }
        }
    }
}
