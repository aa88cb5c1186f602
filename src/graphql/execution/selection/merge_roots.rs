//! Merges the fields of an operation's root before the library executes them. The library would run
//! two fields with the same response name separately and keep the result of the first.

use std::borrow::Cow;
use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Positioned, ServerError, ServerResult, Value, Variables};
use async_graphql_value::Value as Argument;

use super::collect_fields::merge_field;

/// The document with the root of its chosen operation inlined and merged. `None` if there is
/// nothing to merge, or if the library will report a fault.
///
/// # Errors
///
/// Fields with the same response name cannot be merged, or a subscription has more than one root
/// field (specification, 5.2.3.1).
pub(crate) fn merge_roots(
    document: &ExecutableDocument,
    name: Option<&str>,
    variables: &Variables,
) -> ServerResult<Option<ExecutableDocument>> {
    let Some(operation) = find_operation(document, name) else { return Ok(None) };
    let root = match operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    let mut inlined = InlinedRoot { document, root_type: root, variables, fields: Vec::new(), unmerged_count: 0 };
    if !inlined.inline(&operation.selection_set.node)? {
        return Ok(None);
    }
    let is_subscription = operation.ty == OperationType::Subscription;
    if is_subscription && inlined.fields.len() > 1 {
        let second = inlined.fields.get(1).map(|field| field.pos);
        return Err(ServerError::new(
            "a subscription must have exactly one root field; send each field as its own subscription",
            second,
        ));
    }
    let all_fields = operation.selection_set.node.items.iter().all(|item| matches!(item.node, Selection::Field(_)));
    if inlined.unmerged_count == inlined.fields.len() && (all_fields || !is_subscription) {
        return Ok(None);
    }
    let items = inlined.fields.into_iter().map(|field| {
        let pos = field.pos;
        Positioned::new(Selection::Field(field.into_owned()), pos)
    });
    let items = items.collect();
    let mut merged = document.clone();
    if let Some(operation) = find_operation_mut(&mut merged, name) {
        operation.selection_set.node.items = items;
    }
    // A fragment that only the root spread is unused now, and the library would refuse the document
    // for it.
    let (before, after) = (collect_spread_fragments(document), collect_spread_fragments(&merged));
    merged.fragments.retain(|name, _| after.contains(name) || !before.contains(name));
    Ok(Some(merged))
}

struct InlinedRoot<'a> {
    document: &'a ExecutableDocument,
    root_type: &'static str,
    variables: &'a Variables,
    fields: Vec<Cow<'a, Positioned<Field>>>,
    /// The number of fields before the merge.
    unmerged_count: usize,
}

impl<'a> InlinedRoot<'a> {
    /// Adds the fields of a selection set. Returns false if the library will refuse the selection.
    fn inline(&mut self, set: &'a SelectionSet) -> ServerResult<bool> {
        for selection in &set.items {
            let (condition, directives, set) = match &selection.node {
                Selection::Field(field) => {
                    if !self.is_skipped(&field.node.directives) {
                        self.unmerged_count += 1;
                        merge_field(field, &mut self.fields)?;
                    }
                    continue;
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) else {
                        return Ok(false);
                    };
                    let condition = Some(&fragment.node.type_condition);
                    (condition, &spread.node.directives, &fragment.node.selection_set.node)
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    (condition, &fragment.node.directives, &fragment.node.selection_set.node)
                }
            };
            if condition.is_some_and(|condition| condition.node.on.node != self.root_type) {
                return Ok(false);
            }
            if !self.is_skipped(directives) && !self.inline(set)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_skipped(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let skips = match directive.node.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => return false,
            };
            let condition = directive.node.get_argument("if").map(|argument| &argument.node);
            let condition = match condition {
                Some(Argument::Boolean(condition)) => Some(*condition),
                Some(Argument::Variable(name)) => match self.variables.get(name) {
                    Some(Value::Boolean(condition)) => Some(*condition),
                    _ => None,
                },
                _ => None,
            };
            condition == Some(skips)
        })
    }
}

fn find_operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    crate::graphql::execution::authorize::find_operation(document, name)
}

fn find_operation_mut<'a>(
    document: &'a mut ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a mut OperationDefinition> {
    match (&mut document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&mut operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get_mut(name).map(|operation| &mut operation.node)
        }
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values_mut().next().map(|operation| &mut operation.node)
        }
        (DocumentOperations::Multiple(_), None) => None,
    }
}

/// The fragments that the operations of a document spread, directly or through others.
fn collect_spread_fragments(document: &ExecutableDocument) -> HashSet<Name> {
    let mut found = HashSet::new();
    let mut sets: Vec<&SelectionSet> =
        document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node).collect();
    while let Some(set) = sets.pop() {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => sets.push(&field.node.selection_set.node),
                Selection::InlineFragment(fragment) => sets.push(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if found.insert(name.clone())
                        && let Some(fragment) = document.fragments.get(name)
                    {
                        sets.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    found
}
