//! Decides which subscriptions can share an execution.

use async_graphql::Name;
use async_graphql::parser::types::{Field, OperationType, Selection};
use async_graphql_value::Value as Argument;

use crate::auth::Scope;
use crate::graphql::Operation;

/// The fields whose messages are single events. Pages are not shared, because the end of a page
/// depends on the subscriber's start.
const SHAREABLE_FIELDS: [&str; 2] = ["events", "proposalEvents"];
/// The argument that holds the cursor to resume from.
const CURSOR_ARGUMENT: &str = "after";

/// Subscriptions with the same key share an execution.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SharingKey {
    query: String,
    operation_name: Option<String>,
    variables: String,
    scope: Scope,
}

/// A subscription that can share an execution.
#[derive(Debug)]
pub(crate) struct Sharing {
    pub(crate) key: SharingKey,
    /// Whether it resumes from a cursor.
    pub(crate) resumes: bool,
}

/// The sharing of a request, if it is a subscription with one event field. `None` also for a faulty
/// request; the library reports its fault.
pub(crate) fn find_sharing(operation: &Operation, scope: Scope) -> Option<Sharing> {
    let definition = operation.definition()?;
    if definition.ty != OperationType::Subscription || !definition.directives.is_empty() {
        return None;
    }
    let [root] = definition.selection_set.node.items.as_slice() else { return None };
    let Selection::Field(field) = &root.node else { return None };
    let field = &field.node;
    if !SHAREABLE_FIELDS.contains(&field.name.node.as_str()) || !field.directives.is_empty() {
        return None;
    }
    let (mut resumes, variable) = cursor_argument(field);
    let mut variables = operation.variables().clone();
    if let Some(variable) = variable {
        let has_default = definition
            .variable_definitions
            .iter()
            .any(|definition| definition.node.name.node == variable && definition.node.default_value.is_some());
        // The variable occurs only in its definition and in this argument, so the cursor does not
        // change the responses.
        if has_default || count_occurrences(operation.query(), &variable) != Some(2) {
            return None;
        }
        // The empty text means no cursor, as null does.
        resumes = match variables.remove(&variable) {
            None | Some(async_graphql::Value::Null) => false,
            Some(async_graphql::Value::String(cursor)) => !cursor.is_empty(),
            Some(_) => true,
        };
    }
    let variables = serde_json::to_string(&variables).ok()?;
    let operation_name = operation.name().map(str::to_owned);
    Some(Sharing { key: SharingKey { query: operation.query().to_owned(), operation_name, variables, scope }, resumes })
}

/// Whether a field has a cursor in the document itself, and the variable that holds the cursor
/// otherwise.
fn cursor_argument(field: &Field) -> (bool, Option<Name>) {
    match field.get_argument(CURSOR_ARGUMENT).map(|argument| &argument.node) {
        None | Some(Argument::Null) => (false, None),
        Some(Argument::String(cursor)) if cursor.is_empty() => (false, None),
        Some(Argument::Variable(name)) => (false, Some(name.clone())),
        Some(
            Argument::Number(_)
            | Argument::String(_)
            | Argument::Boolean(_)
            | Argument::Binary(_)
            | Argument::Enum(_)
            | Argument::List(_)
            | Argument::Object(_),
        ) => (true, None),
    }
}

/// How often a document mentions a variable. `None` if the document separates a `$` from its name.
fn count_occurrences(query: &str, variable: &str) -> Option<usize> {
    let mut count = 0;
    for rest in query.split('$').skip(1) {
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        // GraphQL allows white space and comments between the sign and the name.
        if end == 0 {
            return None;
        }
        count += usize::from(&rest[..end] == variable);
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use async_graphql::{Request, Variables};
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Settings;

    fn sharing_of(query: &str, variables: Value) -> Option<Sharing> {
        let request = Request::new(query).variables(Variables::from_json(variables));
        find_sharing(&Operation::read(request, &Settings::defaults().unwrap().graphql), Scope::Read)
    }

    #[test]
    fn cursor_does_not_change_sharing_key() {
        let query =
            "subscription ($after: String, $filter: EventFilter) { events(after: $after, filter: $filter) { id } }";
        let live = sharing_of(query, json!({ "filter": { "kind": ["PROPOSAL_SENT"] } })).unwrap();
        let resumed = sharing_of(query, json!({ "after": "x", "filter": { "kind": ["PROPOSAL_SENT"] } })).unwrap();
        assert!(!live.resumes && resumed.resumes);
        assert_eq!(live.key, resumed.key);
        for none in [json!(null), json!("")] {
            let without = sharing_of(query, json!({ "after": none })).unwrap();
            assert!(!without.resumes);
        }
        assert!(!sharing_of("subscription { events(after: \"\") { id } }", json!({})).unwrap().resumes);
        let other = sharing_of(query, json!({ "filter": { "kind": ["PROPOSAL_VIEWED"] } })).unwrap();
        assert_ne!(live.key, other.key);
    }

    #[test]
    fn operation_other_than_one_event_field_is_not_shared() {
        for query in [
            "subscription ($after: String = \"x\") { events(after: $after) { id } }",
            "{ headCursor }",
            "subscription { eventFeed { cursor } }",
            "subscription { events { id } proposalEvents { id } }",
            "subscription { ...F } fragment F on Subscription { events { id } }",
            "subscription ($a: String, $x: Boolean!) { events(after: $a) @include(if: $x) { id } }",
            "subscription ($after: String) { events(after: $after) { id other: node(vendorId: $after) { id } } }",
            "not a document",
        ] {
            assert!(sharing_of(query, json!({})).is_none(), "{query}");
        }
        assert!(sharing_of("subscription { events(after: \"x\") { id } }", json!({})).unwrap().resumes);
    }

    #[test]
    fn occurrences_of_a_longer_name_are_not_counted() {
        assert_eq!(count_occurrences("query ($a: X, $ab: Y) { f(x: $a, y: $ab, z: $a) }", "a"), Some(3));
        assert_eq!(count_occurrences("query ($a: X) { f(x: $ a) }", "a"), None);
    }
}
