//! Starting, stopping, copying and upgrading the service.

mod command_line;
mod copy;
mod documentation;
pub(crate) mod kill;
mod layers;
mod locked_database;
mod quick_start;
mod settings;
mod shutdown;
mod upgrade;
