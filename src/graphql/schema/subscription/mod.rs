//! The fields of the root that stream.

use async_graphql::MergedSubscription;

mod events;

/// Streams what is received, live or from a place in the log on.
#[derive(Default, MergedSubscription)]
pub struct Subscription(events::EventSubscription);
