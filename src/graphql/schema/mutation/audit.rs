//! The audit of a mutation.

use async_graphql::{Context, ID, Result};

use crate::auth::{Access, Keys, MutationAudit};
use crate::domain::NodeId;

/// The audit of the mutation whose field runs. `subject` names what it is about, by node ids.
pub(super) fn begin_audit(ctx: &Context<'_>, field: &'static str, subject: impl Into<String>) -> Result<MutationAudit> {
    let keys = ctx.data::<Keys>()?;
    Ok(keys.audit().mutation(keys.actor(*ctx.data::<Access>()?), field, subject.into()))
}

/// A node id of a client's, if it is one. Any other text may be a secret in the wrong place.
pub(super) fn show_node_id(id: &ID) -> String {
    id.parse::<NodeId>().map_or_else(|_| "a malformed id".to_owned(), |id| id.to_string())
}
