//! The audit.

use async_graphql::{Context, Enum, ID, Object, Result};

use super::scalar::DateTime;
use crate::auth::{Access, Scope};
use crate::domain::{self, NodeId};
use crate::graphql::error::ApiError;
use crate::store::audit::Entry;

/// What an entry of the audit is. Kinds are added over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::AuditKind")]
pub(crate) enum AuditKind {
    /// A mutation ran; `action` is its field.
    Mutation,
    /// A key was added on the command line.
    KeyAdded,
    /// A key was revoked on the command line.
    KeyRevoked,
    /// A key has expired.
    KeyExpired,
    /// A browser signed in: a key was exchanged for a session.
    SignIn,
    /// A browser signed out.
    SignOut,
    /// Requests or deliveries were refused: all of one reason in one hour.
    Refusals,
    /// The service started; `detail` has the settings that were given, without secrets.
    Start,
}

pub(crate) struct AuditEntry(pub(crate) Entry);

/// Checks that the key of a request may read the audit.
pub(crate) fn check_may_read(ctx: &Context<'_>) -> Result<()> {
    if ctx.data::<Access>()?.scope().includes(Scope::Manage) {
        return Ok(());
    }
    Err(ApiError::Forbidden(Scope::Manage).into_graphql_error())
}

/// An entry of the audit: who did what, and when. Entries never change, except that the count of
/// refusals grows within their hour.
#[Object]
impl AuditEntry {
    /// Node id, for `node` and `nodes`: `audit:42`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::AuditEntry(self.0.id).to_string().into()
    }

    /// When it happened; of refusals, when the hour's first one was noted.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// The kind of what happened.
    async fn kind(&self) -> AuditKind {
        self.0.kind.into()
    }

    /// The name of the key that did it; null if no key did: on the command line, in open mode, or
    /// by the service itself.
    async fn actor(&self) -> Option<&str> {
        self.0.actor.as_deref()
    }

    /// What was done. Of a mutation it is the field: `releaseQuarantinedDelivery`.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// On what and with which result, for people, with node ids: `delivery:42 as event:7`. It never
    /// has a secret.
    async fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// How many times it happened: more than 1 only for refusals.
    async fn count(&self) -> i64 {
        self.0.count
    }
}
