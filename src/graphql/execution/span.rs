//! The tracing span of a GraphQL operation. Every log line that an operation causes carries it.

use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::parser::types::OperationType;
use tracing::{Span, field};

use super::operation::Operation;
use crate::auth::Access;

/// How much of an operation's name a log line shows. A client chooses the name.
const NAME_CHARS_MAX: usize = 64;

/// The span of one operation: its number in this process, its kind and name, and the id of the key
/// that sent it. Kind and name are missing if the document cannot be parsed, the key in open mode.
pub(super) fn operation_span(operation: &Operation, access: Access) -> Span {
    static LAST_ID: AtomicU64 = AtomicU64::new(0);
    let id = LAST_ID.fetch_add(1, Ordering::Relaxed) + 1;
    let span = tracing::info_span!("operation", id, key = access.key_id(), kind = field::Empty, name = field::Empty);
    if let Some(definition) = operation.definition() {
        span.record(
            "kind",
            match definition.ty {
                OperationType::Query => "query",
                OperationType::Mutation => "mutation",
                OperationType::Subscription => "subscription",
            },
        );
    }
    if let Some(name) = operation.name() {
        span.record("name", name.chars().take(NAME_CHARS_MAX).collect::<String>());
    }
    span
}
