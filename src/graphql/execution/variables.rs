//! Coerces the variables of a request, before anything runs (specification, 6.1.2,
//! CoerceVariableValues).

use async_graphql::parser::types::OperationDefinition;
use async_graphql::{ServerError, Variables};

use super::REFUSAL_ERRORS_MAX;
use super::types::{SchemaTypes, named_type};
use super::values::{Place, coerce};
use crate::graphql::error::excerpt;

/// Coerces the variables that an operation declares. Their defaults must be in `variables` already,
/// and the document's values must be valid.
///
/// # Errors
///
/// Variables have no value although they need one, or a value of another type.
pub(super) fn coerce_variables(
    types: &SchemaTypes,
    definition: &OperationDefinition,
    variables: &mut Variables,
) -> Result<(), Vec<ServerError>> {
    let mut errors = Vec::new();
    for declared in &definition.variable_definitions {
        let (name, ty) = (&declared.node.name.node, &declared.node.var_type.node);
        // The library reports a type that does not exist or is no input.
        if types.input(named_type(ty)).is_none() {
            continue;
        }
        let problem = match variables.get_mut(name) {
            None if ty.nullable => continue,
            None => "has no value; send one in \"variables\"".to_owned(),
            Some(value) => match coerce(types, ty, std::mem::take(value), &Place::variable(name)) {
                Ok(coerced) => {
                    *value = coerced;
                    continue;
                }
                Err(problem) => format!("has a wrong value: {problem}"),
            },
        };
        let message = format!("the variable ${} of type {ty} {problem}", excerpt(name));
        errors.push(ServerError::new(message, Some(declared.pos)));
        if errors.len() == REFUSAL_ERRORS_MAX {
            break;
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
