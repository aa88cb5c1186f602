//! Pages of lists: their arguments, their cursors, and the Relay connections that carry them.

pub(crate) mod args;
pub(crate) mod connection;
pub(crate) mod cursor;
