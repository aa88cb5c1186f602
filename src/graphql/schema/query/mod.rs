//! The fields of `Query`, one subject a file.

use async_graphql::MergedObject;

mod deliveries;
mod events;
mod lists;
mod lookup;
mod node;
mod webhooks;

/// What can be read: the current projects, drawings, clients and proposals, and the events that
/// made them so.
#[derive(Default, MergedObject)]
pub struct Query(
    node::NodeQuery,
    lookup::LookupQuery,
    lists::ListQuery,
    events::HistoryQuery,
    events::EventQuery,
    deliveries::DeliveryQuery,
    webhooks::WebhookQuery,
);
