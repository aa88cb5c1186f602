//! The fields of `Subscription`, one subject a file.

use async_graphql::MergedSubscription;

mod events;

/// What a key with the scope `read` can follow, over a WebSocket or an event stream: events as they
/// are recorded, live or from any cursor of the log on. To read a state and then follow it without
/// a gap, query `headCursor` with the state and subscribe with `after: headCursor`.
#[derive(Default, MergedSubscription)]
pub struct Subscription(events::EventSubscription);
