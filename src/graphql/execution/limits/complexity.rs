//! What an operation costs: its fields, times the rows of the lists around them. The rule is read
//! off the schema, so a list of objects cannot be forgotten, and a field of an interface costs what
//! it costs on an object.

use async_graphql::parser::types::{BaseType, ExecutableDocument, Field, OperationDefinition, Selection};
use async_graphql::{ServerResult, Value, Variables};
use async_graphql_value::Value as Argument;

use super::{error_with_code, introspection};
use crate::config::Graphql;
use crate::graphql::error::LIMIT_EXCEEDED;
use crate::graphql::execution::types::{FieldType, PageSize, SchemaTypes};

/// Checks that an operation is within the limit of complexity. Its variables must be coerced.
///
/// # Errors
///
/// It exceeds the limit.
pub(in crate::graphql::execution) fn check_complexity(
    types: &SchemaTypes,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    limits: &Graphql,
) -> ServerResult<()> {
    let max = u64::try_from(limits.max_complexity).unwrap_or(u64::MAX);
    if complexity(types, document, operation, variables, max) > max {
        let message = format!(
            "the query's complexity, which counts fields, page sizes and lists, exceeds graphql.max_complexity ({max}); \
             select fewer fields or request smaller pages"
        );
        return Err(error_with_code(message, LIMIT_EXCEEDED));
    }
    Ok(())
}

/// The complexity of an operation, or a number above `max`. A fragment counts wherever it is
/// spread; the limits of a document bound how often that is.
pub(super) fn complexity(
    types: &SchemaTypes,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    max: u64,
) -> u64 {
    let mut sum = 0_u64;
    // Each selection with its type, and how many objects of that type have it.
    let mut pending = vec![(types.root(operation.ty), &operation.selection_set.node, 1_u64)];
    while let Some((type_name, set, objects)) = pending.pop() {
        for item in &set.items {
            if sum > max {
                return sum;
            }
            match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    sum = sum.saturating_add(objects);
                    if matches!(&*field.name.node, "__schema" | "__type") {
                        sum = sum.saturating_add(introspection::cost(document, field, variables, max));
                    } else if !field.selection_set.node.items.is_empty() {
                        // The library reports a field that does not exist.
                        let of_schema = types.field(type_name, &field.name.node);
                        let rows = of_schema.map_or(1, |of_schema| rows(types, type_name, of_schema, field, variables));
                        let inner = of_schema.map_or("", |of_schema| &of_schema.type_name);
                        pending.push((inner, &field.selection_set.node, objects.saturating_mul(rows)));
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref().map(|it| it.node.on.node.as_str());
                    pending.push((condition.unwrap_or(type_name), &fragment.node.selection_set.node, objects));
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        let condition = fragment.node.type_condition.node.on.node.as_str();
                        pending.push((condition, &fragment.node.selection_set.node, objects));
                    }
                }
            }
        }
    }
    sum
}

/// How many objects a field of an object gives: those of its page, its ids or its list. The lists
/// in a page are the page.
fn rows(types: &SchemaTypes, parent: &str, of_schema: &FieldType, field: &Field, variables: &Variables) -> u64 {
    if let Some(PageSize { arguments, default, max }) = types.list_sizes.page(of_schema) {
        let given = arguments.iter().find_map(|name| integer(field, name, variables));
        return u64::try_from(given.unwrap_or((*default).into()).min((*max).into())).unwrap_or_default();
    }
    if !matches!(of_schema.ty.base, BaseType::List(_)) || types.pages.contains(parent) {
        return 1;
    }
    let length = list_length(field, "ids", variables).unwrap_or_else(|| types.list_sizes.list(of_schema));
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// An argument that is a whole number. `None` if it is null or not given.
fn integer(field: &Field, name: &str, variables: &Variables) -> Option<i64> {
    let argument = &field.get_argument(name)?.node;
    if let Argument::Number(number) = argument {
        return number.as_i64();
    }
    let Argument::Variable(variable) = argument else { return None };
    let Some(Value::Number(number)) = variables.get(variable) else { return None };
    number.as_i64()
}

/// How many items an argument has that is a list. A single value is a list of one.
fn list_length(field: &Field, name: &str, variables: &Variables) -> Option<usize> {
    let argument = &field.get_argument(name)?.node;
    if let Argument::List(items) = argument {
        return Some(items.len());
    }
    let Argument::Variable(variable) = argument else { return Some(1) };
    let Some(Value::List(items)) = variables.get(variable) else { return None };
    Some(items.len())
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::config::Settings;
    use crate::graphql::execution::document::parse;

    static TYPES: LazyLock<SchemaTypes> = LazyLock::new(crate::graphql::api_types);

    fn cost(query: &str, variables: serde_json::Value) -> u64 {
        cost_up_to(u64::MAX, query, variables)
    }

    fn cost_up_to(max: u64, query: &str, variables: serde_json::Value) -> u64 {
        introspection::prepare(crate::graphql::introspected_schema);
        let document = parse(query, &Settings::defaults().unwrap().graphql).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let variables = Variables::from_json(variables);
        complexity(&TYPES, &document, &operation.node, &variables, max)
    }

    #[test]
    fn complexity_is_the_number_of_fields_times_the_rows_around_them() {
        let none = serde_json::json!({});
        for (query, expected) in [
            ("{ headCursor project(vendorId: \"1\") { id customer { name } } }", 5),
            ("{ projects { totalCount nodes { id tags } } }", 1 + 20 * 4),
            ("{ projects(last: 3) { edges { node { id } } } }", 1 + 3 * 3),
            ("{ projects(first: 0) { nodes { id } } }", 1),
            ("{ projects(first: 1000) { nodes { id } } }", 1 + 100 * 2),
            ("{ projects(first: -5) { nodes { id } } }", 1),
            ("{ nodes(ids: [\"a\", \"b\", \"c\"]) { id } }", 1 + 3),
            ("{ nodes(ids: \"a\") { id } }", 2),
            ("{ eventFeed { events { id } } }", 1 + 100 * 2),
            ("subscription { eventFeed(pageSize: 500) { events { id } } }", 1 + 500 * 2),
            ("subscription { events { id deliveries { id } } }", 3 + 100),
            ("{ bidsketchWebhooks { id } }", 1 + 100),
            ("{ proposalStats { byStatus { count totals { amount } } } }", 2 + 8 * (1 + 1 + 5)),
            ("{ service { vendors { provider } } }", 2 + 2),
            ("mutation { createAllBidsketchWebhooks { userErrors { code } } }", 2 + 100),
            // A field costs the same through an interface, on an object and in a fragment.
            ("{ node(id: \"event:1\") { ... on Event { deliveries { id headers { name } } } } }", 2 + 100 * (2 + 100)),
            ("{ node(id: \"event:1\") { ... on ClientEvent { deliveries { id } } } }", 2 + 100),
            ("{ events(first: 2) { nodes { deliveries { id } } } }", 1 + 2 * (1 + 1 + 100)),
            ("{ events { nodes { deliveryConnection(first: 3) { nodes { id } } } } }", 1 + 20 * (1 + 1 + 3 * 2)),
            (
                "{ events(first: 2) { nodes { ...F ...F } } } fragment F on Event { ... { deliveries { id } } }",
                1 + 2 * (1 + 2 * 101),
            ),
            ("{ unknown { deliveries { id } } }", 3),
            ("{ a: __typename __schema { queryType { name } } }", 4),
        ] {
            assert_eq!(cost(query, none.clone()), expected, "{query}");
            // However early it stops counting, it knows whether the limit is exceeded.
            for max in (0..30).chain([expected - 1, expected]) {
                let is_above = cost_up_to(max, query, none.clone()) > max;
                assert_eq!(is_above, expected > max, "{query} with a limit of {max}");
            }
        }
        let query = "query ($n: Int, $ids: [ID!]!) { projects(first: $n) { totalCount } nodes(ids: $ids) { id } }";
        for (variables, expected) in [
            (serde_json::json!({ "n": 7, "ids": ["a", "b"] }), 2 + 7 + 2),
            (serde_json::json!({ "n": null, "ids": [] }), 2 + 20),
        ] {
            assert_eq!(cost(query, variables), expected);
        }
    }

    #[test]
    fn complexity_that_overflows_is_above_every_limit() {
        let depth = 12;
        let open = "proposals(first: 100) { nodes { project { ".repeat(depth);
        let query = format!("{{ projects(first: 100) {{ nodes {{ {open} id {} }} }} }}", "} } } ".repeat(depth));
        assert_eq!(cost(&query, serde_json::json!({})), u64::MAX);
    }
}
