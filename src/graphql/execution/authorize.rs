//! Which scope an operation needs: reading for queries and subscriptions, managing for mutations. It is judged on the whole
//! operation before any of its fields, so no field can be forgotten; to ask for the schema is a query like any other.

use std::any::TypeId;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Data, ErrorExtensionValues, ServerError};

use crate::auth::{Access, AccessError, Scope};
use crate::graphql::error::{FORBIDDEN, UNAUTHENTICATED};

/// The access that a transport has put beside a request, or beside all requests of a socket.
///
/// # Errors
///
/// Where it has put none, which it never does: a request without an access is not served.
pub(super) fn access(request: &Data, session: Option<&Data>) -> Result<Access, ServerError> {
    let find = |data: &Data| data.get(&TypeId::of::<Access>()).and_then(|found| found.downcast_ref().copied());
    find(request)
        .or_else(|| session.and_then(find))
        .ok_or_else(|| error_with_code(AccessError::NoToken.to_string(), UNAUTHENTICATED))
}

/// Refuses an operation that goes further than the access.
pub(super) fn check_scope(
    document: &ExecutableDocument,
    name: Option<&str>,
    access: Access,
) -> Result<(), ServerError> {
    let needed = match find_operation(document, name) {
        Some(operation) => required_scope(operation.ty),
        // None is executed. That is for the library to say, so whoever may not run all of them does not even hear it.
        None => document.operations.iter().map(|(_, of)| required_scope(of.node.ty)).max().unwrap_or(Scope::Read),
    };
    if access.scope().includes(needed) {
        return Ok(());
    }
    let problem =
        format!("this needs a key with the scope {needed}; the key that was given has the scope {}", access.scope());
    Err(error_with_code(problem, FORBIDDEN))
}

/// The operation of a document that is executed: the one that is named, or the only one.
pub(crate) fn find_operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name).map(|of| &of.node),
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.values();
            all.next().filter(|_| all.next().is_none()).map(|of| &of.node)
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
        let two = "query Q { a } mutation M { b }";
        for (document, name, needed) in [
            ("{ a }", None, Scope::Read),
            ("{ __schema { types { name } } }", None, Scope::Read),
            ("subscription { a }", None, Scope::Read),
            ("mutation { a }", None, Scope::Manage),
            ("mutation { a }", Some("Other"), Scope::Manage),
            ("mutation M { a }", None, Scope::Manage),
            ("mutation M { a }", Some("M"), Scope::Manage),
            (two, Some("Q"), Scope::Read),
            (two, Some("M"), Scope::Manage),
            (two, Some("Other"), Scope::Manage),
            (two, None, Scope::Manage),
            ("query Q { a } query R { b }", None, Scope::Read),
        ] {
            let parsed = parse_query(document).unwrap();
            let found = find_operation(&parsed, name).map(|operation| required_scope(operation.ty));
            let all = parsed.operations.iter().map(|(_, of)| required_scope(of.node.ty)).max();
            assert_eq!(found.or(all), Some(needed), "{document} {name:?}");
        }
    }

    #[test]
    fn request_without_access_is_refused() {
        let refused = access(&Data::default(), Some(&Data::default())).unwrap_err();
        assert_eq!(refused.extensions.unwrap().get("code"), Some(&UNAUTHENTICATED.into()));
    }
}
