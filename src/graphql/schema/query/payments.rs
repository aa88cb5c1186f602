//! The payments.

use async_graphql::Object;

use crate::graphql::error::OrApiError;
use crate::graphql::pagination::args::paged_object;
use crate::graphql::pagination::connection::PaymentConnection;
use crate::graphql::pagination::load::load_connection;
use crate::graphql::schema::input::PaymentFilter;
use crate::store::read;

#[derive(Default)]
pub struct PaymentQuery;

paged_object! {
    [
        "How many of the newest payments to return, 0 to 100. Without `first` and `last` a page has 20.",
        "Return only payments older than this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.",
        "How many of the oldest payments to return, 0 to 100. Not together with `first`.",
        "Return only payments newer than this cursor: the `cursor` of an edge, or `pageInfo.startCursor`."
    ]
    #[Object]
    impl PaymentQuery {
        /// The payments on the proposals of ArcSite, by the arrival of their events, newest first:
        /// `after` means older. Bidsketch reports no payments.
        fn payments(
            self, ctx, args,
            filter: PaymentFilter = "Conditions on the payments; all that are given must hold. `totalCount` counts the payments that match.",
        ) -> PaymentConnection {
            let filter = read::PaymentFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
            load_connection(ctx, filter, None, args).await
        }
    }
}
