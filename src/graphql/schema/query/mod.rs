//! The fields of the root that read, one subject a file.

use async_graphql::MergedObject;

mod deliveries;
mod events;
mod lists;
mod lookup;
mod node;
mod webhooks;

/// Reads what was received and what it says now.
#[derive(Default, MergedObject)]
pub struct Query(
    node::NodeQuery,
    lookup::LookupQuery,
    lists::ListQuery,
    events::EventQuery,
    deliveries::DeliveryQuery,
    webhooks::WebhookQuery,
);
