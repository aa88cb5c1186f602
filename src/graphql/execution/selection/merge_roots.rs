//! The fields of an operation's root, merged before the library executes them: it would run two of one response name apart, and
//! keep what the first gave.

use std::borrow::Cow;
use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Positioned, ServerError, ServerResult, Value, Variables};
use async_graphql_value::Value as Argument;

use super::collect_fields::merge_field;

/// The document with the root of its chosen operation spelled out and merged. `None` where it is so already, or is wrong in a way that
/// the library tells.
///
/// # Errors
///
/// Where fields of one response name cannot be merged, and where a subscription has more than one field (specification, 5.2.3.1).
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
    let mut spelled = InlinedRoot { document, root_type: root, variables, fields: Vec::new(), unmerged_count: 0 };
    if !spelled.inline(&operation.selection_set.node)? {
        return Ok(None);
    }
    let is_subscription = operation.ty == OperationType::Subscription;
    if is_subscription && spelled.fields.len() > 1 {
        let second = spelled.fields.get(1).map(|field| field.pos);
        return Err(ServerError::new("a subscription has one field at its root", second));
    }
    let all_fields = operation.selection_set.node.items.iter().all(|item| matches!(item.node, Selection::Field(_)));
    if spelled.unmerged_count == spelled.fields.len() && (all_fields || !is_subscription) {
        return Ok(None);
    }
    let items = spelled.fields.into_iter().map(|field| {
        let pos = field.pos;
        Positioned::new(Selection::Field(field.into_owned()), pos)
    });
    let items = items.collect();
    let mut merged = document.clone();
    if let Some(operation) = find_operation_mut(&mut merged, name) {
        operation.selection_set.node.items = items;
    }
    // A fragment that was spread at the root alone is spread nowhere now, which the library would take for a mistake.
    let (before, after) = (collect_spread_fragments(document), collect_spread_fragments(&merged));
    merged.fragments.retain(|name, _| after.contains(name) || !before.contains(name));
    Ok(Some(merged))
}

struct InlinedRoot<'a> {
    document: &'a ExecutableDocument,
    root_type: &'static str,
    variables: &'a Variables,
    fields: Vec<Cow<'a, Positioned<Field>>>,
    /// How many fields there were before they were merged.
    unmerged_count: usize,
}

impl<'a> InlinedRoot<'a> {
    /// Adds what a selection asks for. Gives whether the library has nothing to say against it.
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

/// The fragments that the operations of a document spread, over others or not.
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
