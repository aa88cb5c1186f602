//! The audit.

use async_graphql::Object;

use crate::graphql::pagination::args::paged_object;
use crate::graphql::pagination::connection::AuditEntryConnection;
use crate::graphql::pagination::load::load_audit;
use crate::graphql::schema::input::AuditFilter;
use crate::graphql::schema::model::audit::check_may_read;

#[derive(Default)]
pub struct AuditQuery;

paged_object! {
    [
        "How many of the newest entries to return, 0 to 100. Without `first` and `last` a page has 20.",
        "Return only entries older than this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.",
        "How many of the oldest entries to return, 0 to 100. Not together with `first`.",
        "Return only entries newer than this cursor: the `cursor` of an edge, or `pageInfo.startCursor`."
    ]
    #[Object]
    impl AuditQuery {
        /// The audit, newest first: mutations with the keys that ran them, keys made, revoked and
        /// expired, sign-ins and sign-outs, refusals in sum, and starts of the service. It needs a
        /// key with the scope `manage`.
        fn audit_log(
            self, ctx, args,
            filter: AuditFilter = "Return only entries that meet these conditions.",
        ) -> AuditEntryConnection {
            check_may_read(ctx)?;
            load_audit(ctx, filter.unwrap_or_default().into(), args).await
        }
    }
}
