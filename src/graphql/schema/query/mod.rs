//! The fields of `Query`, one subject a file.

use async_graphql::MergedObject;

mod audit;
mod deliveries;
mod events;
mod lists;
mod lookup;
mod node;
mod payments;
mod search;
mod service;
mod stats;
mod viewer;
mod webhooks;

/// What a key with the scope `read` can read. `projects`, `drawings`, `clients` and `proposals`
/// have the current state; `events` has the history that made it, newest first, and `eventFeed` the
/// same for programs that poll. `proposalStats` and `eventStats` have numbers over them. `node`
/// finds any object by its id; `project`, `drawing`, `client` and `proposal` find one by its
/// vendor's own id, and `search` by a part of its name. `payments` has the payments, `deliveries`
/// what the vendors have sent, and `quarantinedDeliveries` the deliveries that could not be read.
/// `service` tells how this service is set up. `auditLog` needs the scope `manage`.
#[derive(Default, MergedObject)]
pub struct Query(
    node::NodeQuery,
    lookup::LookupQuery,
    lists::ListQuery,
    events::HistoryQuery,
    events::EventQuery,
    deliveries::DeliveryQuery,
    stats::StatsQuery,
    payments::PaymentQuery,
    webhooks::WebhookQuery,
    webhooks::WebhookConnectionQuery,
    search::SearchQuery,
    service::ServiceQuery,
    viewer::ViewerQuery,
    audit::AuditQuery,
);
