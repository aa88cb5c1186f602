//! Validates the values in a document (specification, 5.6, "Values", and 5.8, "Variables"): each
//! literal has the type of its place, and each variable may stand where it is used.
//!
//! The library validates the rest. Its own rules for values accept an enum given as a string, and
//! leave the parsing of scalars to the time when their fields run.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet, Type,
};
use async_graphql::{Name, Pos, Positioned, ServerError, ServerResult};
use async_graphql_value::Value as Argument;

use super::types::{InputValue, SchemaTypes, is_compatible, list_depth};
use super::values::{Place, VariableUse, check_literal};
use crate::graphql::error::excerpt;

/// How deep lists may be nested in the type of a variable.
const LIST_DEPTH_MAX: usize = 16;

/// The argument `if` of `@skip` and `@include`.
static CONDITION: LazyLock<InputValue> = LazyLock::new(|| input("Boolean", false, false));
/// The argument `name` of `__type`.
static TYPE_NAME: LazyLock<InputValue> = LazyLock::new(|| input("String", false, false));
/// The argument `includeDeprecated` of fields of introspection.
static INCLUDE_DEPRECATED: LazyLock<InputValue> = LazyLock::new(|| input("Boolean", true, true));

fn input(type_name: &str, nullable: bool, has_default: bool) -> InputValue {
    let ty = Type { base: BaseType::Named(Name::new(type_name)), nullable };
    InputValue { ty, has_default }
}

/// Validates the values in a document.
///
/// # Errors
///
/// The first value that its place does not allow.
pub(super) fn check_values(types: &SchemaTypes, document: &ExecutableDocument) -> ServerResult<()> {
    let mut fragments = HashMap::new();
    for (name, fragment) in &document.fragments {
        let mut scope = Scope::default();
        scope.add_directives(types, &fragment.node.directives)?;
        let condition = fragment.node.type_condition.node.on.node.as_str();
        scope.add_selections(types, condition, &fragment.node.selection_set.node)?;
        fragments.insert(name, scope);
    }
    for (_, operation) in document.operations.iter() {
        let definition = &operation.node;
        check_declarations(types, definition)?;
        let mut scope = Scope::default();
        scope.add_directives(types, &definition.directives)?;
        scope.add_selections(types, types.root(definition.ty), &definition.selection_set.node)?;
        check_variables(definition, &scope, &fragments)?;
    }
    Ok(())
}

/// An operation or a fragment: what it uses itself.
#[derive(Default)]
struct Scope<'a> {
    variables: Vec<LocatedUse<'a>>,
    /// The uses so far. A use that repeats another needs no second check.
    seen: HashSet<(&'a str, *const Type, bool, bool)>,
    spreads: HashSet<&'a Name>,
}

/// A variable in an argument.
struct LocatedUse<'a> {
    variable: VariableUse<'a>,
    argument: &'a str,
    pos: Pos,
}

impl<'a> Scope<'a> {
    fn add_selections(
        &mut self,
        types: &'a SchemaTypes,
        type_name: &'a str,
        set: &'a SelectionSet,
    ) -> ServerResult<()> {
        let mut pending = vec![(type_name, set)];
        while let Some((type_name, set)) = pending.pop() {
            for selection in &set.items {
                match &selection.node {
                    Selection::Field(field) => {
                        let field = &field.node;
                        self.add_directives(types, &field.directives)?;
                        self.add_field(types, type_name, field)?;
                        let type_name = types.field(type_name, &field.name.node).map(|field| field.type_name.as_str());
                        // Every field of introspection with arguments has the same.
                        pending.push((type_name.unwrap_or("__Type"), &field.selection_set.node));
                    }
                    Selection::InlineFragment(fragment) => {
                        self.add_directives(types, &fragment.node.directives)?;
                        let condition = fragment.node.type_condition.as_ref().map(|it| it.node.on.node.as_str());
                        pending.push((condition.unwrap_or(type_name), &fragment.node.selection_set.node));
                    }
                    Selection::FragmentSpread(spread) => {
                        self.add_directives(types, &spread.node.directives)?;
                        self.spreads.insert(&spread.node.fragment_name.node);
                    }
                }
            }
        }
        Ok(())
    }

    fn add_field(&mut self, types: &'a SchemaTypes, type_name: &str, field: &'a Field) -> ServerResult<()> {
        let of_schema = types.field(type_name, &field.name.node);
        for (name, value) in &field.arguments {
            let input = match (&*field.name.node, &*name.node) {
                ("__type", "name") => Some(&*TYPE_NAME),
                (_, "includeDeprecated") if type_name.starts_with("__") => Some(&*INCLUDE_DEPRECATED),
                // The library reports a field or an argument that does not exist.
                (_, name) => of_schema.and_then(|field| field.arguments.get(name)),
            };
            let Some(input) = input else { continue };
            let subject = || format!("the argument {} of {}", name.node, field.name.node);
            self.add_value(types, input, &name.node, value, subject)?;
        }
        Ok(())
    }

    fn add_directives(&mut self, types: &'a SchemaTypes, directives: &'a [Positioned<Directive>]) -> ServerResult<()> {
        for Positioned { node: directive, .. } in directives {
            if !matches!(&*directive.name.node, "skip" | "include") {
                continue;
            }
            for (name, value) in directive.arguments.iter().filter(|(name, _)| name.node == "if") {
                let subject = || format!("the argument if of @{}", directive.name.node);
                self.add_value(types, &CONDITION, &name.node, value, subject)?;
            }
        }
        Ok(())
    }

    fn add_value(
        &mut self,
        types: &'a SchemaTypes,
        input: &'a InputValue,
        name: &'a Name,
        value: &'a Positioned<Argument>,
        subject: impl FnOnce() -> String,
    ) -> ServerResult<()> {
        let mut uses = Vec::new();
        check_literal(types, input, &value.node, &Place::argument(name), &mut uses).map_err(|problem| {
            ServerError::new(format!("{} has a wrong value: {problem}", subject()), Some(value.pos))
        })?;
        for variable in uses {
            let key =
                (variable.name.as_str(), &raw const *variable.expected, variable.is_required, variable.has_default);
            if self.seen.insert(key) {
                self.variables.push(LocatedUse { variable, argument: name, pos: value.pos });
            }
        }
        Ok(())
    }
}

/// Checks the types and the defaults of the variables of an operation.
fn check_declarations(types: &SchemaTypes, definition: &OperationDefinition) -> ServerResult<()> {
    for declared in &definition.variable_definitions {
        let (name, ty) = (&declared.node.name.node, &declared.node.var_type.node);
        if list_depth(ty) > LIST_DEPTH_MAX {
            let message = format!("the type of the variable ${} nests more than {LIST_DEPTH_MAX} lists", excerpt(name));
            return Err(ServerError::new(message, Some(declared.pos)));
        }
        let Some(default) = &declared.node.default_value else { continue };
        let value = default.node.clone().into_value();
        let input = InputValue { ty: ty.clone(), has_default: false };
        check_literal(types, &input, &value, &Place::variable(name), &mut Vec::new()).map_err(|problem| {
            let ty = ty.to_string();
            let message =
                format!("the variable ${} of type {} has a wrong default: {problem}", excerpt(name), excerpt(&ty));
            ServerError::new(message, Some(default.pos))
        })?;
    }
    Ok(())
}

/// Checks the variables that an operation uses, in its fragments too (specification, 5.8.3 and
/// 5.8.5).
fn check_variables<'a>(
    definition: &'a OperationDefinition,
    operation: &Scope<'a>,
    fragments: &HashMap<&'a Name, Scope<'a>>,
) -> ServerResult<()> {
    let declared: HashMap<&str, _> =
        definition.variable_definitions.iter().map(|declared| (&*declared.node.name.node, &declared.node)).collect();
    let mut reached: HashSet<&Name> = HashSet::new();
    let mut pending = vec![operation];
    while let Some(scope) = pending.pop() {
        for LocatedUse { variable, argument, pos } in &scope.variables {
            let name = excerpt(variable.name);
            let Some(declared) = declared.get(variable.name.as_str()) else {
                let problem = format!("the variable ${name} is not declared; add it to the operation's variables");
                return Err(ServerError::new(problem, Some(*pos)));
            };
            let ty = &declared.var_type.node;
            let default = declared.default_value.as_ref().map(|default| &default.node);
            // A default in either place stands in for a value that is left out.
            let has_default = variable.has_default || default.is_some_and(|value| *value != async_graphql::Value::Null);
            let expected_nullable = variable.expected.nullable && !variable.is_required;
            let may_be_null = expected_nullable || (has_default && !variable.is_required);
            let expected = Type { nullable: may_be_null, base: variable.expected.base.clone() };
            if !is_compatible(ty, &expected) {
                let needed = Type { nullable: expected_nullable, base: variable.expected.base.clone() };
                let problem = format!(
                    "the variable ${name} of type {} is used in the argument {argument}, where {needed} is expected; \
                     declare it as ${name}: {needed}",
                    excerpt(&ty.to_string()),
                );
                return Err(ServerError::new(problem, Some(*pos)));
            }
        }
        for name in &scope.spreads {
            if let Some(fragment) = fragments.get(*name)
                && reached.insert(name)
            {
                pending.push(fragment);
            }
        }
    }
    Ok(())
}
