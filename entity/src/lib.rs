//! One table a file: plain columns, as the migrations create them.
//!
//! A time is a count of microseconds since 1970-01-01T00:00:00Z, an amount of money a count of
//! ten-thousandths, an enumeration its name in the GraphQL API, and a nested value JSON text. So
//! every column means the same on SQLite and PostgreSQL.
#![expect(missing_docs, reason = "a column is documented at the domain value that it is mapped to")]

pub mod audit;
pub mod bidsketch_webhook;
pub mod client;
pub mod delivery;
pub mod drawing;
pub mod drawing_tag;
pub mod event;
pub mod file;
pub mod hook_refusal;
pub mod key;
pub mod log;
pub mod payment;
pub mod project;
pub mod project_tag;
pub mod proposal;
pub mod secret;
pub mod session;
