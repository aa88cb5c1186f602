//! The schema of the API: its types, its inputs, and the fields of its three root types, one noun a
//! file.

mod input;
pub mod model;
mod mutation;
mod query;
mod subscription;

pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;
