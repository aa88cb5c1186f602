//! The fields of `Subscription`, one subject a file.

use async_graphql::MergedSubscription;

mod events;

/// What can be followed: events as they are recorded, live or from any cursor of the log on.
#[derive(Default, MergedSubscription)]
pub struct Subscription(events::EventSubscription);
