//! The root of a subscription: one field, whatever fragments it is written in.

use std::borrow::Cow;
use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Positioned, ServerError, ServerResult};

use super::Operation;
use crate::graphql::execution::selection::collect_fields::merge_field;

impl Operation {
    /// Inlines and merges the root of a subscription, of which the library would run each field as
    /// a subscription of its own.
    ///
    /// # Errors
    ///
    /// The root of a subscription in the document, which need not be the one that runs, has not one
    /// field, a field of introspection or a condition (specification, 5.2.4.1), or fields that
    /// cannot be merged.
    pub(in crate::graphql::execution) fn merge_subscription_root(&mut self) -> ServerResult<()> {
        let document = self.document()?;
        let subscriptions = document.operations.iter().map(|(_, definition)| &definition.node);
        for definition in subscriptions.filter(|it| it.ty == OperationType::Subscription) {
            subscription_root(document, definition)?;
        }
        let Some(definition) = self.definition().filter(|it| it.ty == OperationType::Subscription) else {
            return Ok(());
        };
        let Some(field) = subscription_root(document, definition)? else { return Ok(()) };
        let items = &definition.selection_set.node.items;
        if let [Positioned { node: Selection::Field(_), .. }] = items.as_slice() {
            return Ok(());
        }
        let merged = Positioned::new(Selection::Field(field.clone().into_owned()), field.pos);
        let before = self.spread_fragments();
        if let Some(definition) = self.definition_mut() {
            definition.selection_set.node.items = vec![merged];
        }
        // A fragment that only the root spread is unused now, and the library would refuse the
        // document for it.
        let after = self.spread_fragments();
        if let Ok(document) = &mut self.document {
            document.fragments.retain(|name, _| after.contains(name) || !before.contains(name));
        }
        Ok(())
    }

    fn definition_mut(&mut self) -> Option<&mut OperationDefinition> {
        match (&mut self.document.as_mut().ok()?.operations, &self.name) {
            (DocumentOperations::Single(definition), _) => Some(&mut definition.node),
            (DocumentOperations::Multiple(all), Some(name)) => {
                all.get_mut(name.as_str()).map(|definition| &mut definition.node)
            }
            (DocumentOperations::Multiple(all), None) => all.values_mut().next().map(|definition| &mut definition.node),
        }
    }

    /// The fragments that the operations of the document spread, directly or through others.
    fn spread_fragments(&self) -> HashSet<Name> {
        let mut found = HashSet::new();
        let Ok(document) = &self.document else { return found };
        let mut sets: Vec<&SelectionSet> =
            document.operations.iter().map(|(_, definition)| &definition.node.selection_set.node).collect();
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
}

/// The one field of a subscription's root, with all that is selected of it. None if the library
/// will refuse the selection.
fn subscription_root<'a>(
    document: &'a ExecutableDocument,
    definition: &'a OperationDefinition,
) -> ServerResult<Option<Cow<'a, Positioned<Field>>>> {
    let mut fields = Vec::new();
    if !inline_fields(document, &definition.selection_set.node, &mut fields)? {
        return Ok(None);
    }
    let pos = fields.get(1).map_or(definition.selection_set.pos, |second| second.pos);
    let (Some(field), 0) = (fields.pop(), fields.len()) else {
        let problem = "a subscription must have exactly one root field; send each field as its own subscription";
        return Err(ServerError::new(problem, Some(pos)));
    };
    if field.node.name.node.starts_with("__") {
        let problem = "a subscription follows a field of Subscription; send introspection as a query";
        return Err(ServerError::new(problem, Some(field.pos)));
    }
    Ok(Some(field))
}

/// Adds the fields of a subscription's root. Returns false if the library will refuse the
/// selection.
fn inline_fields<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    fields: &mut Vec<Cow<'a, Positioned<Field>>>,
) -> ServerResult<bool> {
    for selection in &set.items {
        let conditional = |directive: &&Positioned<Directive>| matches!(&*directive.node.name.node, "skip" | "include");
        if let Some(directive) = selection.node.directives().iter().find(conditional) {
            let problem = "the root of a subscription must not use @skip or @include; subscribe or do not";
            return Err(ServerError::new(problem, Some(directive.pos)));
        }
        let (condition, set) = match &selection.node {
            Selection::Field(field) => {
                merge_field(field, fields)?;
                continue;
            }
            Selection::FragmentSpread(spread) => {
                let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) else { return Ok(false) };
                (Some(&fragment.node.type_condition), &fragment.node.selection_set.node)
            }
            Selection::InlineFragment(fragment) => {
                (fragment.node.type_condition.as_ref(), &fragment.node.selection_set.node)
            }
        };
        if condition.is_some_and(|condition| condition.node.on.node != "Subscription") {
            return Ok(false);
        }
        if !inline_fields(document, set, fields)? {
            return Ok(false);
        }
    }
    Ok(true)
}
