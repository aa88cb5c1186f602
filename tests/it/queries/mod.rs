//! GraphQL over HTTP: requests, filters, orders, pages, limits, and the schema.

mod batches;
mod budgets;
mod compression;
mod empty_values;
mod event_feed;
mod folded_texts;
mod generated_types;
mod graphql_http;
mod history;
mod hostile_documents;
mod limits;
mod list_filters;
mod list_orders;
mod long_lists;
mod look_ahead;
mod nested;
mod node_ids;
mod pages;
mod persisted_queries;
mod proposal_stats;
mod protection;
mod schema;
mod selections;
mod specification;
mod statements;
