//! The service by its front door: real sockets, real bodies, real signatures. One file a behaviour.
#![cfg(test)]

mod harness;

mod answers;
mod bad_row;
mod command_line;
mod decisions;
mod event_feed;
mod every_event;
mod first_try;
mod graphql_http;
mod history;
mod keys;
mod keys_command;
mod keys_live;
mod keys_sockets;
mod kill;
mod layers;
mod limits;
mod linking;
mod list_filters;
mod list_orders;
mod live_filters;
mod look_ahead;
mod many_posters;
mod nested;
mod nodes;
mod occurrences;
mod open_mode;
mod payloads;
mod quarantine;
mod rebuild;
mod release;
mod schema;
mod settings;
mod socket_protocol;
mod socket_turns;
mod spellings;
mod stalled_reader;
mod state_order;
mod statements;
mod states;
mod stopping;
mod subscriptions;
mod unavailable;
mod webhooks;
