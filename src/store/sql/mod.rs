//! The SQL that several tables share: rows as JSON, bulk inserts, lookups of several rows, and
//! conversions between columns and values.

pub(crate) mod bulk_insert;
pub(crate) mod convert;
pub mod json_rows;
pub(crate) mod lookup;
