//! Subscriptions over WebSocket and server-sent events.

mod clients;
mod event_streams;
mod filters;
mod key_caps;
mod lagging_subscriber;
mod many_subscribers;
mod older_socket_protocol;
mod one_url;
mod part_streams;
mod sharing;
mod socket_fairness;
mod socket_protocol;
mod stalled_reader;
mod subscriptions;
