//! The scope that an operation needs: `read` for queries and subscriptions, `manage` for mutations.
//! The check runs on the whole operation before any of its fields, so no field can be forgotten.
//! Introspection is a query like any other.

use async_graphql::ServerError;
use async_graphql::parser::types::OperationType;

use super::limits::error_with_code;
use super::operation::Operation;
use crate::auth::{Access, Scope};
use crate::graphql::error::FORBIDDEN;

/// Refuses an operation that needs more than the access has.
pub(super) fn check_scope(operation: &Operation, access: Access) -> Result<(), ServerError> {
    let required = required_scope_of(operation);
    if access.scope().includes(required) {
        return Ok(());
    }
    let problem =
        format!("this operation needs a key with the scope {required}; your key has the scope {}", access.scope());
    Err(error_with_code(problem, FORBIDDEN))
}

/// The scope of the operation that runs. If none is chosen, the library refuses the request. A key
/// that may not run every operation of the document gets FORBIDDEN instead.
fn required_scope_of(operation: &Operation) -> Scope {
    match operation.definition() {
        Some(definition) => required_scope(definition.ty),
        None => operation.kinds().map(required_scope).max().unwrap_or(Scope::Read),
    }
}

const fn required_scope(operation: OperationType) -> Scope {
    match operation {
        OperationType::Query | OperationType::Subscription => Scope::Read,
        OperationType::Mutation => Scope::Manage,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::Request;

    use super::*;
    use crate::config::Settings;

    #[test]
    fn required_scope_follows_executed_operation() {
        let limits = Settings::defaults().unwrap().graphql;
        let two_operations = "query Q { a } mutation M { b }";
        for (document, name, required) in [
            ("{ a }", None, Scope::Read),
            ("{ __schema { types { name } } }", None, Scope::Read),
            ("subscription { a }", None, Scope::Read),
            ("mutation { a }", None, Scope::Manage),
            ("mutation { a }", Some("Other"), Scope::Manage),
            ("mutation M { a }", None, Scope::Manage),
            ("mutation M { a }", Some("M"), Scope::Manage),
            (two_operations, Some("Q"), Scope::Read),
            (two_operations, Some("M"), Scope::Manage),
            (two_operations, Some("Other"), Scope::Manage),
            (two_operations, None, Scope::Manage),
            ("query Q { a } query R { b }", None, Scope::Read),
            ("not a document", None, Scope::Read),
        ] {
            let mut request = Request::new(document);
            request.operation_name = name.map(str::to_owned);
            assert_eq!(required_scope_of(&Operation::read(request, &limits)), required, "{document} {name:?}");
        }
    }
}
