//! The filter of the audit.

use async_graphql::InputObject;

use super::to_domain_list;
use crate::graphql::schema::model::audit::AuditKind;
use crate::graphql::schema::model::scalar::DateTime;
use crate::store::audit::Filter;

/// Which entries of the audit: those that meet every condition that is given. A condition that is
/// left out or null is not one. A list means any of its values; an empty list matches nothing.
#[derive(Debug, Default, InputObject)]
pub(crate) struct AuditFilter {
    /// The kind is one of these.
    kind: Option<Vec<AuditKind>>,
    /// `at` is this time or later.
    from: Option<DateTime>,
    /// `at` is before this time.
    before: Option<DateTime>,
}

impl From<AuditFilter> for Filter {
    fn from(filter: AuditFilter) -> Self {
        Self {
            kinds: to_domain_list(filter.kind),
            from: filter.from.map(|time| time.0),
            before: filter.before.map(|time| time.0),
        }
    }
}
