//! Starting, stopping, moving and upgrading the service.

mod command_line;
mod copying;
mod first_try;
pub(crate) mod kill;
mod layers;
mod settings;
mod stopping;
mod unavailable;
mod upgrading;
