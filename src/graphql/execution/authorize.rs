//! The scope that an operation needs: `read` for queries and subscriptions, `manage` for mutations.
//! The check runs on the whole operation before any of its fields, so no field can be forgotten.
//! Introspection is a query like any other.

use std::any::TypeId;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Data, ErrorExtensionValues, ServerError};

use crate::auth::{Access, AccessError, Scope};
use crate::graphql::error::{FORBIDDEN, UNAUTHENTICATED};

/// The access that the transport attached to a request, or to all requests of a socket.
///
/// # Errors
///
/// The transport attached no access. That is a defect, and the request is not served.
pub(super) fn access(request: &Data, session: Option<&Data>) -> Result<Access, ServerError> {
    let find = |data: &Data| data.get(&TypeId::of::<Access>()).and_then(|found| found.downcast_ref().copied());
    find(request)
        .or_else(|| session.and_then(find))
        .ok_or_else(|| error_with_code(AccessError::NoToken.to_string(), UNAUTHENTICATED))
}

/// Refuses an operation that needs more than the access has.
pub(super) fn check_scope(
    document: &ExecutableDocument,
    name: Option<&str>,
    access: Access,
) -> Result<(), ServerError> {
    let required = match find_operation(document, name) {
        Some(operation) => required_scope(operation.ty),
        // No operation is chosen, so the library refuses the request. A key that may not run every
        // operation of the document gets FORBIDDEN instead.
        None => document
            .operations
            .iter()
            .map(|(_, operation)| required_scope(operation.node.ty))
            .max()
            .unwrap_or(Scope::Read),
    };
    if access.scope().includes(required) {
        return Ok(());
    }
    let problem =
        format!("this operation needs a key with the scope {required}; your key has the scope {}", access.scope());
    Err(error_with_code(problem, FORBIDDEN))
}

/// The operation of a document that is executed: the named one, or the only one.
pub(crate) fn find_operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name).map(|operation| &operation.node),
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.values();
            all.next().filter(|_| all.next().is_none()).map(|operation| &operation.node)
        }
    }
}

const fn required_scope(operation: OperationType) -> Scope {
    match operation {
        OperationType::Query | OperationType::Subscription => Scope::Read,
        OperationType::Mutation => Scope::Manage,
    }
}

fn error_with_code(message: String, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code);
    error
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn required_scope_follows_executed_operation() {
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
        ] {
            let parsed = parse_query(document).unwrap();
            let found = find_operation(&parsed, name).map(|operation| required_scope(operation.ty));
            let all = parsed.operations.iter().map(|(_, operation)| required_scope(operation.node.ty)).max();
            assert_eq!(found.or(all), Some(required), "{document} {name:?}");
        }
    }

    #[test]
    fn request_without_access_is_refused() {
        let refused = access(&Data::default(), Some(&Data::default())).unwrap_err();
        assert_eq!(refused.extensions.unwrap().get("code"), Some(&UNAUTHENTICATED.into()));
    }
}
