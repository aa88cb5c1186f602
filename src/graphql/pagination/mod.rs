//! Pages of lists: the arguments, the cursors, and the Relay connections.

pub(crate) mod args;
pub(crate) mod connection;
pub(crate) mod cursor;
pub(crate) mod load;
mod total_count;
