//! Checks that the fields of a document can be merged (specification, 5.3.2, "Field Selection
//! Merging"), before anything runs. The library's rule compares fields of one selection alone.

use std::collections::HashSet;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{BaseType, ExecutableDocument, Field, Selection, SelectionSet, Type};
use async_graphql::{Name, Positioned, ServerError, ServerResult};

use super::limits::exceeded;
use super::selection::collect_fields::same_arguments;
use super::types::{FieldType, SchemaTypes};
use crate::config::Graphql;
use crate::graphql::error::excerpt;

/// How often one check visits each field that a document may have. It visits a field once for each
/// type of object that the field may belong to, at each level.
const VISITS_PER_FIELD: usize = 50;

/// A field in the selections that merge into one.
#[derive(Clone, Copy)]
struct MergedField<'a> {
    parent: &'a str,
    field: &'a Positioned<Field>,
    /// `None` for a field that the schema does not have, and in introspection.
    of_schema: Option<&'a FieldType>,
}

/// What the fields of one response name must have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// The field and its arguments, unless no object can have both; and the shape.
    SameField,
    /// The shape of the type alone: no object has both.
    SameShape,
}

/// Checks that fields with the same response name can be merged.
///
/// # Errors
///
/// Two fields cannot be merged, or the check would take too long.
pub(super) fn check_merging(types: &SchemaTypes, document: &ExecutableDocument, limits: &Graphql) -> ServerResult<()> {
    let visits_max = limits.max_fields.saturating_mul(VISITS_PER_FIELD);
    let mut pending = Vec::new();
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        pending.push((Demand::SameField, vec![(types.root(operation.ty), &operation.selection_set.node)]));
    }
    let mut visits = 0_usize;
    while let Some((demand, sets)) = pending.pop() {
        let groups = group_fields(types, document, sets, &mut visits);
        if visits > visits_max {
            return Err(too_many_visits(limits.max_fields));
        }
        for (name, fields) in groups {
            let [first, others @ ..] = fields.as_slice() else { continue };
            if let Some(other) = others.iter().find(|other| !have_same_shape(types, first, other)) {
                let message =
                    format!("the fields named \"{}\" have different types; give one of them an alias", excerpt(name));
                return Err(ServerError::new(message, Some(other.field.pos)));
            }
            let classes = if demand == Demand::SameField { object_classes(types, &fields) } else { Vec::new() };
            if let [only] = classes.as_slice() {
                check_same_field(name, only)?;
                push_children(&mut pending, Demand::SameField, only);
                continue;
            }
            for class in &classes {
                check_same_field(name, class)?;
                push_children(&mut pending, Demand::SameField, class);
            }
            push_children(&mut pending, Demand::SameShape, &fields);
        }
    }
    Ok(())
}

/// The fields of several selections by their response names, with fragments inlined.
fn group_fields<'a>(
    types: &'a SchemaTypes,
    document: &'a ExecutableDocument,
    sets: Vec<(&'a str, &'a SelectionSet)>,
    visits: &mut usize,
) -> IndexMap<&'a Name, Vec<MergedField<'a>>> {
    let mut groups: IndexMap<&Name, Vec<MergedField<'_>>> = IndexMap::new();
    let (mut spread, mut pending) = (HashSet::new(), sets);
    while let Some((parent, set)) = pending.pop() {
        *visits += set.items.len();
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let of_schema = types.field(parent, &field.node.name.node);
                    let field = MergedField { parent, field, of_schema };
                    groups.entry(&field.field.node.response_key().node).or_default().push(field);
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref().map(|it| it.node.on.node.as_str());
                    pending.push((condition.unwrap_or(parent), &fragment.node.selection_set.node));
                }
                Selection::FragmentSpread(fragment) => {
                    let name = &fragment.node.fragment_name.node;
                    if let Some(fragment) = document.fragments.get(name).filter(|_| spread.insert(name)) {
                        let condition = fragment.node.type_condition.node.on.node.as_str();
                        pending.push((condition, &fragment.node.selection_set.node));
                    }
                }
            }
        }
    }
    groups
}

/// The fields that one object may have together: for each type of object its own fields, and those
/// of interfaces.
fn object_classes<'a>(types: &SchemaTypes, fields: &[MergedField<'a>]) -> Vec<Vec<MergedField<'a>>> {
    let (of_interfaces, of_objects): (Vec<_>, Vec<_>) =
        fields.iter().copied().partition(|field| types.abstract_types.contains(field.parent));
    let mut classes: IndexMap<&str, Vec<MergedField<'_>>> = IndexMap::new();
    for field in of_objects {
        classes.entry(field.parent).or_insert_with(|| of_interfaces.clone()).push(field);
    }
    if classes.is_empty() { vec![of_interfaces] } else { classes.into_values().collect() }
}

fn check_same_field(name: &Name, fields: &[MergedField<'_>]) -> ServerResult<()> {
    let [first, others @ ..] = fields else { return Ok(()) };
    let left = &first.field.node;
    for other in others {
        let right = &other.field.node;
        if left.name.node != right.name.node || !same_arguments(left, right) {
            let message = format!(
                "the fields named \"{}\" differ in field or arguments; give one of them an alias",
                excerpt(name)
            );
            return Err(ServerError::new(message, Some(other.field.pos)));
        }
    }
    Ok(())
}

/// Whether the values of two fields look the same (specification, SameResponseShape), without what
/// is nested in them.
fn have_same_shape(types: &SchemaTypes, left: &MergedField<'_>, right: &MergedField<'_>) -> bool {
    let (Some(left), Some(right)) = (left.of_schema, right.of_schema) else { return true };
    let (mut left, mut right): (&Type, &Type) = (&left.ty, &right.ty);
    loop {
        if left.nullable != right.nullable {
            return false;
        }
        match (&left.base, &right.base) {
            (BaseType::List(left_item), BaseType::List(right_item)) => {
                left = left_item;
                right = right_item;
            }
            (BaseType::Named(left), BaseType::Named(right)) => {
                let are_objects = [left, right].iter().all(|name| types.outputs.contains_key(name.as_str()));
                return are_objects || left == right;
            }
            (BaseType::List(_), BaseType::Named(_)) | (BaseType::Named(_), BaseType::List(_)) => return false,
        }
    }
}

fn push_children<'a>(
    pending: &mut Vec<(Demand, Vec<(&'a str, &'a SelectionSet)>)>,
    demand: Demand,
    fields: &[MergedField<'a>],
) {
    let sets = fields.iter().filter(|field| !field.field.node.selection_set.node.items.is_empty()).map(|field| {
        let type_name = field.of_schema.map_or("", |field| field.type_name.as_str());
        (type_name, &field.field.node.selection_set.node)
    });
    let sets: Vec<_> = sets.collect();
    if !sets.is_empty() {
        pending.push((demand, sets));
    }
}

fn too_many_visits(max: usize) -> ServerError {
    let problem = "the query has, with fragments on different types that are merged, more fields";
    exceeded(problem, "max_fields", max, "select fewer fields")
}
