//! Collects the fields that a selection requests of an object (the specification's CollectFields),
//! and merges fields with the same response name.

use std::borrow::Cow;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{ContextSelectionSet, Positioned, ServerError, ServerResult};

use crate::graphql::execution::compat;

/// The fields that a selection requests of an object of this type, each response name once, in the
/// order of the document.
///
/// # Errors
///
/// Two fields with the same response name cannot be merged.
pub(super) fn collect_fields<'a>(
    ctx: &ContextSelectionSet<'a>,
    type_name: &str,
) -> ServerResult<Vec<Cow<'a, Positioned<Field>>>> {
    let set = &ctx.item.node;
    let mut fields = Vec::with_capacity(set.items.len());
    add_selection_set(ctx, type_name, set, &mut fields)?;
    Ok(fields)
}

/// Adds the fields of one selection set. The library has already removed the selections that a
/// directive skips.
fn add_selection_set<'a>(
    ctx: &ContextSelectionSet<'a>,
    type_name: &str,
    set: &'a SelectionSet,
    fields: &mut Vec<Cow<'a, Positioned<Field>>>,
) -> ServerResult<()> {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => merge_field(field, fields)?,
            Selection::FragmentSpread(spread) => {
                // Validation has checked that the fragment exists.
                if let Some(fragment) = compat::fragment(ctx, &spread.node.fragment_name.node)
                    && fragment_applies(ctx, type_name, &fragment.type_condition.node.on.node)
                {
                    add_selection_set(ctx, type_name, &fragment.selection_set.node, fields)?;
                }
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                if condition.is_none_or(|condition| fragment_applies(ctx, type_name, &condition.node.on.node)) {
                    add_selection_set(ctx, type_name, &fragment.node.selection_set.node, fields)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether a fragment on `condition`, a type, an interface or a union, applies to objects of this
/// type.
fn fragment_applies(ctx: &ContextSelectionSet<'_>, type_name: &str, condition: &str) -> bool {
    condition == type_name || compat::belongs_to(ctx, type_name, condition)
}

/// Adds a field. If the response name is present already, the field's selection is added to the
/// earlier field.
///
/// # Errors
///
/// The earlier one is another field, or has other arguments. The library's validation compares
/// fields within one selection only.
pub(in crate::graphql::execution) fn merge_field<'a>(
    field: &'a Positioned<Field>,
    fields: &mut Vec<Cow<'a, Positioned<Field>>>,
) -> ServerResult<()> {
    let name = &field.node.response_key().node;
    let Some(earlier) = fields.iter_mut().find(|earlier| earlier.node.response_key().node == *name) else {
        fields.push(Cow::Borrowed(field));
        return Ok(());
    };
    if earlier.node.name.node != field.node.name.node || !same_arguments(&earlier.node, &field.node) {
        let message = format!("the fields named \"{name}\" differ in field or arguments; give one of them an alias");
        return Err(ServerError::new(message, Some(field.pos)));
    }
    if !field.node.selection_set.node.items.is_empty() {
        let more = field.node.selection_set.node.items.iter().cloned();
        earlier.to_mut().node.selection_set.node.items.extend(more);
    }
    Ok(())
}

/// How many arguments are compared. No field has as many: the library refuses more.
const ARGUMENTS_MAX: usize = 32;

/// Whether two fields have the same arguments, in whatever order.
pub(in crate::graphql::execution) fn same_arguments(left: &Field, right: &Field) -> bool {
    left.arguments.len() == right.arguments.len()
        && left.arguments.len() <= ARGUMENTS_MAX
        && left
            .arguments
            .iter()
            .all(|(name, value)| right.get_argument(&name.node).is_some_and(|argument| argument.node == value.node))
}
