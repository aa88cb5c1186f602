//! The service by its front door: real sockets, real bodies, real signatures. One file a behaviour.
#![cfg(test)]

mod harness;

mod answers;
mod command_line;
mod decisions;
mod every_event;
mod first_try;
mod kill;
mod layers;
mod occurrences;
mod quarantine;
mod spellings;
mod state_order;
mod states;
mod stopping;
mod subscriptions;
mod unavailable;
