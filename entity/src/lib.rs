//! One table a file: plain columns, as the migrations make them.
//!
//! A time is a count of microseconds since 1970-01-01T00:00:00Z, money a count of ten-thousandths, an enumeration the
//! name it has in the GraphQL API, a nested value JSON text: every column means the same on SQLite and PostgreSQL.
#![expect(missing_docs, reason = "what a column promises stands at the domain value that it is mapped to")]

pub mod bidsketch_webhook;
pub mod client;
pub mod delivery;
pub mod drawing;
pub mod drawing_tag;
pub mod event;
pub mod key;
pub mod log;
pub mod payment;
pub mod project;
pub mod project_tag;
pub mod proposal;
