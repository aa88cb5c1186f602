//! Who sends a request.

use async_graphql::{Enum, SimpleObject};

use super::scalar::DateTime;
use crate::auth;
use crate::domain;
use crate::graphql::execution::selection::Selectable;

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::Scope")]
pub(crate) enum Scope {
    /// Queries and subscriptions, except `auditLog`.
    Read,
    /// Everything: mutations and `auditLog` as well.
    Manage,
}

/// Who sends a request: a program or a person with a key, or any program of this machine in open
/// mode.
#[derive(SimpleObject)]
pub(crate) struct Viewer {
    /// The name of the key; null in open mode.
    name: Option<String>,
    /// What the key may do. In open mode, MANAGE.
    scope: Scope,
    /// When this access ends: the key expires or the browser's session is over, whichever comes
    /// first. Null if neither is set.
    expires_at: Option<DateTime>,
}

impl Selectable for Viewer {}

impl From<auth::Viewer> for Viewer {
    fn from(viewer: auth::Viewer) -> Self {
        Self { name: viewer.name, scope: viewer.scope.into(), expires_at: viewer.expires_at.map(DateTime) }
    }
}
