//! bidarc receives the webhooks of ArcSite and Bidsketch, keeps every delivery, and serves one
//! GraphQL API over both.
pub mod app;
pub mod auth;
pub mod clock;
pub mod config;
pub mod domain;
pub mod failpoint;
pub mod feed;
pub mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod graphql;
pub mod http;
pub mod ingest;
mod metrics;
pub mod shown_url;
pub mod store;
pub mod vendor;
pub mod webhooks;
