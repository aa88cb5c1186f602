//! What the tests share: a service to talk to, and ways to talk to it.
//!
//! - `service`: the service in this process, on a socket and a database of its own. `process`: the real binary.
//! - `client`: HTTP to either, and GraphQL by it. `socket`: graphql-transport-ws. `event_stream`: graphql-sse. `wire`: HTTP written by hand.
//! - `script`: a client in JavaScript. `cable`: a connection that can be cut.
//! - `pages`: walking through a connection. `database`: where the service keeps its data, and what must hold there in the end.
//!   `cluster`: a PostgreSQL server for it. `dump`: all its rows. `office`: much to fill it with.
//! - `clock`: a clock that stands until it is moved. `wait`: waiting for a state, with a bound.

mod cable;
mod client;
mod clock;
mod cluster;
mod database;
mod dump;
mod event_stream;
mod office;
mod pages;
mod process;
mod script;
mod service;
mod socket;
mod wait;
mod wire;

pub(crate) use cable::Cable;
pub(crate) use client::{Answer, Client};
pub(crate) use clock::ManualClock;
pub(crate) use cluster::Cluster;
pub(crate) use database::Database;
pub(crate) use dump::assert_same;
pub(crate) use event_stream::EventStream;
pub(crate) use office::{SECRET, hooks, lengthen, office};
pub(crate) use pages::Pages;
pub(crate) use process::{Launch, Process, add_key, lasting_port, revoke_key};
pub(crate) use script::Script;
pub(crate) use service::{Service, Setup};
pub(crate) use socket::{Message, PING, Socket, Subscription};
pub(crate) use wait::{BOUND, eventually, within};
pub(crate) use wire::Wire;

/// A body of both vendors: `{"event": …, "data": …}`, `data` as it is written.
pub(crate) fn envelope(event: &str, data: &str) -> String {
    format!(r#"{{"event":"{event}","data":{data}}}"#)
}

/// One field of each node, as text.
pub(crate) fn texts(nodes: &[serde_json::Value], field: &str) -> Vec<String> {
    nodes.iter().map(|node| node[field].as_str().unwrap_or_else(|| panic!("no {field}: {node}")).to_owned()).collect()
}

/// An error that tells the client that its request is wrong, and tells what is right.
#[track_caller]
pub(crate) fn assert_bad_user_input(error: &serde_json::Value, says: &str) {
    assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{error}");
    assert!(error["message"].as_str().unwrap().contains(says), "{says:?} is not in {error}");
}

/// A body that several tests use.
pub(crate) fn fixture(path: &str) -> String {
    let file = format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}
