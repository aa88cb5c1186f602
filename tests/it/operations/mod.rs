//! Starting, stopping, copying and upgrading the service.

mod backup;
mod command_line;
mod copy;
mod database_files;
mod database_path;
mod documentation;
pub(crate) mod kill;
mod layers;
mod locked_database;
mod log_pipe;
mod nginx;
mod quick_start;
mod service_lock;
mod settings;
mod shutdown;
mod upgrade;
mod upgrade_state_order;
