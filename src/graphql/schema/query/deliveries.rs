//! The deliveries, and those in quarantine.

use async_graphql::Object;

use crate::graphql::pagination::args::paged_object;
use crate::graphql::pagination::connection::DeliveryConnection;
use crate::graphql::pagination::load::load_connection;
use crate::graphql::schema::input::DeliveryFilter;
use crate::store::read::{self, Quarantine};

#[derive(Default)]
pub struct DeliveryQuery;

paged_object! {
    [
        "How many of the newest deliveries to return, 0 to 100. Without `first` and `last` a page has 20.",
        "Return only deliveries older than this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.",
        "How many of the oldest deliveries to return, 0 to 100. Not together with `first`.",
        "Return only deliveries newer than this cursor: the `cursor` of an edge, or `pageInfo.startCursor`."
    ]
    #[Object]
    impl DeliveryQuery {
        /// Deliveries that could not become an event, with the reason, newest first: `after` means
        /// older. `releaseQuarantinedDelivery` tries one again.
        fn quarantined_deliveries(self, ctx, args) -> DeliveryConnection {
            load_connection(ctx, Quarantine, None, args).await
        }

        /// All deliveries that were answered 200, newest first: `after` means older. Those of one
        /// event are in `Event.deliveries`.
        fn deliveries(
            self, ctx, args,
            filter: DeliveryFilter = "Conditions on the deliveries; all that are given must hold. `totalCount` counts the deliveries that match.",
        ) -> DeliveryConnection {
            load_connection(ctx, read::DeliveryFilter::from(filter.unwrap_or_default()), None, args).await
        }
    }
}
