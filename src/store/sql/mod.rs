//! The SQL that several tables share: rows as JSON, many rows at once, looking many up, and how values stand in columns.

pub(crate) mod bulk_insert;
pub(crate) mod convert;
pub mod json_rows;
pub(crate) mod lookup;
