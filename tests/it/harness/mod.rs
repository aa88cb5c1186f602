//! The shared parts of the tests: services, clients and databases.
//!
//! - `service` runs the service inside the test process. `process` runs the real binary.
//! - `client` speaks HTTP and GraphQL, `socket` graphql-transport-ws, `event_stream` graphql-sse,
//!   `part_stream` Apollo's multipart protocol, `raw_connection` HTTP byte by byte.
//! - `script` runs a client in JavaScript or Python. `tcp_proxy` cuts connections.
//! - `pages` pages through a GraphQL connection. `traffic` delivers without a pause.
//! - `database` makes a database and checks its invariants. `cluster` runs a PostgreSQL server.
//!   `dump` reads all rows. `sample_data` fills a database.
//! - `clock` is a clock that a test advances. `wait` waits for a state with a time-out.

mod client;
mod clock;
mod cluster;
mod database;
mod dump;
mod event_stream;
mod pages;
mod part_stream;
mod process;
mod raw_connection;
mod sample_data;
mod script;
mod service;
mod socket;
mod tcp_proxy;
mod traffic;
mod wait;

pub(crate) use client::{Client, HttpResponse};
pub(crate) use clock::ManualClock;
pub(crate) use cluster::Cluster;
pub(crate) use database::{Database, POSTGRES_WRITE_LOCK};
pub(crate) use dump::assert_same_rows;
pub(crate) use event_stream::EventStream;
pub(crate) use pages::Pages;
pub(crate) use part_stream::PartStream;
pub(crate) use process::{Launch, Output, Process, add_key, reserved_port, revoke_key};
pub(crate) use raw_connection::RawConnection;
pub(crate) use sample_data::{
    SECRET, append_many_events, insert_files, insert_projects, sample_database, sample_hooks,
};
pub(crate) use script::Script;
pub(crate) use service::{Service, Setup};
pub(crate) use socket::{Message, PING, Socket, Subscription};
pub(crate) use tcp_proxy::TcpProxy;
pub(crate) use traffic::Traffic;
pub(crate) use wait::{TIMEOUT, eventually, within};

/// An envelope as both vendors send it: `{"event": …, "data": …}`. `data` is inserted verbatim.
pub(crate) fn envelope(event: &str, data: &str) -> String {
    format!(r#"{{"event":"{event}","data":{data}}}"#)
}

/// One text field of each node.
pub(crate) fn texts(nodes: &[serde_json::Value], field: &str) -> Vec<String> {
    nodes.iter().map(|node| node[field].as_str().unwrap_or_else(|| panic!("no {field}: {node}")).to_owned()).collect()
}

/// Asserts that an error blames the request and that its message contains this text.
#[track_caller]
pub(crate) fn assert_bad_user_input(error: &serde_json::Value, text: &str) {
    assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{error}");
    assert!(error["message"].as_str().unwrap().contains(text), "{text:?} is not in {error}");
}

/// The text of a file in `tests/fixtures`.
pub(crate) fn fixture(path: &str) -> String {
    let file = format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}
