//! A table of hostile requests, each with its answer. After each one a right delivery and
//! `/healthz` are answered, and at the end the service holds nothing of them.
//!
//! `heads` breaks HTTP/1, `targets` has paths and methods, `graphql` bodies and streams of the API,
//! `hooks` deliveries, `http2` frames of HTTP/2, `sockets` those of WebSockets, `sessions` sign-ins
//! and cookies.

mod graphql;
mod heads;
mod hooks;
mod http2;
mod sessions;
mod sockets;
mod targets;

use sockets::Opening;

use bidarc::clock::Clock;
use futures_util::future::join_all;
use serde_json::json;
use simulator::signature::{HEADER, sign};

use crate::harness::{Client, Database, Launch, Process, RawConnection, TIMEOUT, add_key, eventually};

const SECRET: &str = "s";
const HOOK_TOKEN: &str = "the-right-token-of-16";

/// How many requests the table has at least.
const CASES_MIN: usize = 400;

/// How many connections the tests' own client keeps: one for each table, and one for the metrics.
const CLIENT_CONNECTIONS_MAX: f64 = 8.0;

/// How much memory may be in use at the end beyond the beginning, in bytes. The allocator keeps
/// what the largest bodies of all tables took at once, for each thread.
const MEMORY_GROWTH_MAX: u64 = 192 * 1024 * 1024;

/// One request.
struct Case {
    name: String,
    kind: Kind,
    /// What the service does with it: the status of its answer, or how it ends the connection.
    answer: &'static str,
}

/// How a request is sent.
enum Kind {
    /// Bytes of HTTP/1.
    Http1(Vec<u8>),
    /// Frames after the preface of HTTP/2.
    Http2(Vec<u8>),
    /// Frames after the opening of a WebSocket.
    Socket(Opening, Vec<u8>),
}

/// The service that requests are sent to, the token of a key, and the cookie of a session of it.
struct Context {
    authority: String,
    token: String,
    cookie: String,
}

impl Context {
    /// The head and the body of a request.
    fn request(&self, method: &str, target: &str, headers: &str, body: impl AsRef<[u8]>) -> Kind {
        let Self { authority, .. } = self;
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {authority}\r\n{headers}\r\n");
        Kind::Http1([head.as_bytes(), body.as_ref()].concat())
    }

    fn get(&self, target: &str, headers: &str) -> Kind {
        self.request("GET", target, headers, "")
    }

    /// A POST with the length of its body.
    fn post(&self, target: &str, headers: &str, body: impl AsRef<[u8]>) -> Kind {
        let body = body.as_ref();
        self.request("POST", target, &format!("Content-Length: {}\r\n{headers}", body.len()), body)
    }

    fn authorization(&self) -> String {
        format!("Authorization: Bearer {}\r\n", self.token)
    }

    fn cookie_header(&self) -> String {
        format!("Cookie: {}\r\n", self.cookie)
    }

    /// A request to the API with a key.
    fn graphql(&self, body: impl AsRef<[u8]>) -> Kind {
        let headers = format!("{}Content-Type: application/json\r\n", self.authorization());
        self.post("/graphql", &headers, body)
    }

    /// A signed delivery.
    fn delivery(&self, headers: &str, body: impl AsRef<[u8]>) -> Kind {
        let body = body.as_ref();
        self.post("/webhooks/arcsite", &format!("{}{headers}", signature(body)), body)
    }
}

/// A case of bytes that are no request with a right head.
fn raw(name: impl Into<String>, bytes: impl Into<Vec<u8>>, answer: &'static str) -> Case {
    Case { name: name.into(), kind: Kind::Http1(bytes.into()), answer }
}

fn case(name: impl Into<String>, kind: Kind, answer: &'static str) -> Case {
    Case { name: name.into(), kind, answer }
}

/// A body in chunks of this size.
fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

fn signature(body: &[u8]) -> String {
    format!("{HEADER}: {}\r\n", sign(SECRET, Clock::system().now().timestamp(), body))
}

/// Sends bytes of HTTP/1. Returns the status of the answer, or `closed`.
async fn send_http1(client: &Client, bytes: &[u8]) -> String {
    let mut connection = RawConnection::open(client).await;
    // The service may answer and close before it has read everything.
    let _ = connection.write_all(bytes).await;
    let answer = connection.read_until("\r\n\r\n").await;
    answer.split(' ').nth(1).unwrap_or("closed").to_owned()
}

async fn assert_goes_on(service: &Process, id: &str, after: &str) {
    let body = format!(r#"{{"event":"project.created","data":{{"id":"{id}"}}}}"#);
    let answer = service.post_signed(SECRET, Clock::system().now().timestamp(), body).await;
    assert_eq!(answer.receipt().outcome, "ACCEPTED", "{after}");
    assert_eq!(service.get("/healthz").await.status, 200, "{after}");
}

/// Sends the requests of one table. Returns their number, and those with another answer.
async fn run_table(service: &Process, number: usize, cases: Vec<Case>) -> (usize, Vec<String>) {
    let mut problems = Vec::new();
    for (index, Case { name, kind, answer }) in cases.iter().enumerate() {
        let actual = match kind {
            Kind::Http1(bytes) => send_http1(service, bytes).await,
            Kind::Http2(frames) => http2::send(service, frames).await,
            Kind::Socket(opening, frames) => sockets::send(service, opening, frames).await,
        };
        if actual != *answer {
            problems.push(format!("{name}: {actual}, not {answer}"));
        }
        assert_goes_on(service, &format!("{number}-{index}"), name).await;
    }
    (cases.len(), problems)
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_request_is_answered_as_the_table_says_and_leaves_nothing_behind() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "manage").await;
    let launch = Launch::new(database.directory())
        .env("BIDARC_ARCSITE__SIGNING_SECRETS", SECRET)
        .env("BIDARC_BIDSKETCH__PATH_TOKEN", HOOK_TOKEN)
        .env("BIDARC_SERVER__HEAD_TIMEOUT_SECONDS", "1")
        .env("BIDARC_SERVER__BODY_TIMEOUT_SECONDS", "1")
        .env("BIDARC_SERVER__MAX_FAILURES_PER_MINUTE", "1000000")
        .env("BIDARC_FILES__STORE", database.directory().join("files").to_str().unwrap());
    let service = launch.serve(0, &database).await;
    let signed_in = service.post("/session", json!({ "token": token }).to_string()).await;
    let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let context = Context { authority: service.authority().to_owned(), token, cookie };
    let tables =
        [heads::cases, targets::cases, graphql::cases, hooks::cases, http2::cases, sockets::cases, sessions::cases];
    assert_goes_on(&service, "0", "the start").await;
    let memory = service.memory();
    let run = tables.iter().enumerate().map(|(number, table)| run_table(&service, number, table(&context)));
    let results = join_all(run).await;
    let cases: usize = results.iter().map(|(cases, _)| cases).sum();
    assert!(cases >= CASES_MIN, "{cases}");
    let problems: Vec<String> = results.into_iter().flat_map(|(_, problems)| problems).collect();
    assert!(problems.is_empty(), "{} of {cases}:\n{}", problems.len(), problems.join("\n"));

    assert_eq!(database.numbers("SELECT COUNT(*) FROM session").await, [1], "no row signed in or out");
    let client = service.with_token(&context.token);
    eventually("everything is given back", TIMEOUT, async || {
        let (sockets, operations) =
            (client.metric("bidarc_sockets").await, client.metric("bidarc_subscriptions").await);
        let (connections, bytes) =
            (client.metric("bidarc_connections").await, client.metric("bidarc_body_bytes").await);
        (sockets == 0.0 && operations == 0.0 && connections <= CLIENT_CONNECTIONS_MAX && bytes == 0.0).then_some(())
    })
    .await;
    let grown = service.memory().saturating_sub(memory);
    assert!(grown < MEMORY_GROWTH_MAX, "{grown} bytes");
    service.stop(&database).await;
}
