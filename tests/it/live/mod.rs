//! Subscriptions over WebSocket and server-sent events.

mod event_streams;
mod fallen_behind;
mod filters;
mod javascript_clients;
mod many_subscribers;
mod sharing;
mod socket_protocol;
mod socket_turns;
mod stalled_reader;
mod subscriptions;
