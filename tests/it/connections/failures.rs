//! Wrong keys, wrong signatures and unknown hooks: limited a peer, summed up in the log. A right
//! one is never refused.

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use simulator::signature::{HEADER, sign};

use crate::harness::{
    Client, Database, HttpResponse, Launch, Process, RawConnection, Socket, TIMEOUT, add_key, eventually, fixture,
};

/// How many failures a peer has in these tests.
const LIMIT: usize = 3;

const PEER: &str = "192.0.2.1";
const OTHER_PEER: &str = "2001:db8:1:2::3";
const NEIGHBOUR_OF_OTHER_PEER: &str = "2001:db8:1:2::4";

async fn start_with_limit(database: &Database) -> Process {
    let launch = Launch::new(database.directory())
        .env("BIDARC_ARCSITE__SIGNING_SECRETS", "s")
        .env("BIDARC_BIDSKETCH__PATH_TOKEN", "the-right-token-of-16")
        .env("BIDARC_SERVER__MAX_FAILURES_PER_MINUTE", &LIMIT.to_string());
    launch.serve(0, database).await
}

fn query(client: &Client, peer: &str) -> RequestBuilder {
    let request = client.request(Method::POST, "/graphql").header("x-forwarded-for", peer);
    request.header("content-type", "application/json").body(json!({ "query": "{ headCursor }" }).to_string())
}

async fn wrong_key(service: &Process, peer: &str) -> HttpResponse {
    HttpResponse::of(query(&service.with_token("wrong"), peer)).await
}

/// Whether an answer ends its connection and says when to try again.
fn is_limited(answer: &HttpResponse) -> bool {
    let seconds = answer.header("retry-after").map(|seconds| seconds.parse::<u64>().unwrap());
    assert!(seconds.is_none_or(|seconds| (1..=60).contains(&seconds)), "{answer:?}");
    assert_eq!(answer.header("connection") == Some("close"), seconds.is_some(), "{answer:?}");
    seconds.is_some()
}

#[tokio::test]
async fn wrong_key_beyond_the_limit_is_429_and_a_right_one_is_answered() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    let service = start_with_limit(&database).await;
    for _ in 0..LIMIT {
        let answer = wrong_key(&service, PEER).await;
        assert!(answer.status == 401 && !is_limited(&answer), "{answer:?}");
    }
    let answer = wrong_key(&service, PEER).await;
    assert!(answer.status == 429 && is_limited(&answer), "{answer:?}");
    assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
    let right = service.with_token(&token);
    assert_eq!(HttpResponse::of(query(&right, PEER)).await.status, 200);
    let metrics = |client: &Client| client.request(Method::GET, "/metrics").header("x-forwarded-for", PEER);
    let answer = HttpResponse::of(metrics(&service.with_token("wrong"))).await;
    assert!(answer.status == 429 && is_limited(&answer), "{answer:?}");
    assert_eq!(HttpResponse::of(metrics(&right)).await.status, 200);
    let sign_in = |token: &str| {
        let request = service.request(Method::POST, "/session").header("x-forwarded-for", PEER);
        request.header("content-type", "application/json").body(json!({ "token": token }).to_string())
    };
    let answer = HttpResponse::of(sign_in("wrong")).await;
    assert!(answer.status == 429 && is_limited(&answer) && answer.header("set-cookie").is_none(), "{answer:?}");
    assert_eq!(HttpResponse::of(sign_in(&token)).await.status, 204);
    // A missing key is no failure.
    assert_eq!(HttpResponse::of(query(&service, PEER)).await.status, 401);

    let forwarded = [("x-forwarded-for", PEER)];
    for (token, outcome) in [("wrong", None), (token.as_str(), Some("connection_ack"))] {
        let mut socket = Socket::connect(&service, &forwarded).await;
        socket.init(Some(json!({ "token": token }))).await;
        match outcome {
            None => {
                let (code, reason) = socket.close().await;
                assert!(code == 4429 && reason.starts_with("too many wrong tokens; try again in "), "{code} {reason}");
            }
            Some(acknowledged) => assert_eq!(socket.json().await["type"], acknowledged),
        }
    }

    // A network of IPv6 is one peer, and this machine another.
    for _ in 0..LIMIT {
        assert_eq!(wrong_key(&service, OTHER_PEER).await.status, 401);
    }
    assert_eq!(wrong_key(&service, NEIGHBOUR_OF_OTHER_PEER).await.status, 429);
    let denied = "bidarc_denied_total{reason=\"wrong_token\"}";
    assert_eq!(right.metric(denied).await, 11.0, "each is counted");
    service.stop(&database).await;
}

#[tokio::test]
async fn wrong_delivery_beyond_the_limit_keeps_its_status_and_a_right_one_is_recorded() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    let service = start_with_limit(&database).await;
    let body = fixture("arcsite/project_created.json");
    let post = |path: &str, secret: &str| {
        let request = service.request(Method::POST, path).header(HEADER, sign(secret, 1_700_000_000, body.as_bytes()));
        request.header("x-forwarded-for", PEER).body(body.clone())
    };
    let unknown = format!("/webhooks/bidsketch/{}", "0".repeat(64));
    let kinds = [
        ("/webhooks/arcsite", "wrong", 401),
        (unknown.as_str(), "s", 404),
        ("/webhooks/arcsite/token", "s", 404),
        ("/webhooks/nothing", "s", 404),
    ];
    for round in 0..3 {
        for (index, (path, secret, status)) in kinds.iter().enumerate() {
            let answer = HttpResponse::of(post(path, secret)).await;
            let limited = round * kinds.len() + index >= LIMIT;
            assert_eq!((answer.status, is_limited(&answer)), (*status, limited), "{path}: {answer:?}");
        }
        // A right one, from the same peer. Its signature is too old, or its payload is another
        // vendor's.
        HttpResponse::of(post("/webhooks/arcsite", "s")).await.receipt().quarantined();
        HttpResponse::of(post("/webhooks/bidsketch/the-right-token-of-16", "")).await.receipt();
    }
    // The body of a limited one is not read.
    let mut connection = RawConnection::open(&service).await;
    connection
        .write(&format!(
            "POST /webhooks/arcsite HTTP/1.1\r\nHost: {}\r\nX-Forwarded-For: {PEER}\r\nContent-Length: 1000000\r\n\r\n",
            service.authority()
        ))
        .await;
    let answer = connection.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");

    let client = service.with_token(&token);
    for (provider, reason, count) in [
        ("ARCSITE", "wrong_signature", 3.0),
        ("ARCSITE", "unsigned", 1.0),
        ("ARCSITE", "unknown_hook", 3.0),
        ("BIDSKETCH", "unknown_hook", 3.0),
        ("unknown", "unknown_path", 3.0),
    ] {
        let metric = format!("bidarc_refused_total{{provider=\"{provider}\",reason=\"{reason}\"}}");
        assert_eq!(client.metric(&metric).await, count, "{metric}");
    }
    service.stop(&database).await;
}

async fn wait_for_log(service: &Process, text: &str) {
    eventually(text, TIMEOUT, async || service.log_so_far().contains(text).then_some(())).await;
}

#[tokio::test]
async fn log_sums_failures_up() {
    let database = Database::fresh();
    let _token = add_key(&database, "office", "read").await;
    let service = start_with_limit(&database).await;
    wrong_key(&service, PEER).await;
    // The first line comes with the next sweep.
    wait_for_log(&service, "requests were refused: 1 API wrong_token").await;
    for peer in [PEER, OTHER_PEER, PEER, PEER, PEER, PEER] {
        wrong_key(&service, peer).await;
        service.post("/webhooks/nothing", "{}").await;
    }
    for _ in 0..5 {
        service.post("/webhooks/arcsite", "{}").await;
    }
    // The rest is logged at the end at the latest.
    service.terminate().await;
    let rest = "refused=17 peers=3";
    wait_for_log(&service, rest).await;
    let log = service.log_so_far();
    let line = log.lines().find(|line| line.contains(rest)).unwrap();
    let kinds = "requests were refused: 6 API wrong_token, 5 ARCSITE unsigned, 6 unknown unknown_path";
    assert!(line.contains(kinds), "{line}");
    let lines = log.lines().filter(|line| line.contains("refused")).count();
    assert_eq!(lines, 2, "{log}");
    assert!(service.wait().await.success());
    database.assert_consistent().await;
}

/// A sender writes its whole body before it reads the answer.
#[tokio::test]
async fn refusal_with_an_unread_body_is_received_and_the_connection_goes_on() {
    let database = Database::fresh();
    let _token = add_key(&database, "office", "read").await;
    let launch = Launch::new(database.directory()).env("BIDARC_ARCSITE__SIGNING_SECRETS", "s");
    let service = launch.serve(0, &database).await;
    let host = service.authority();
    let body = vec![b'x'; 4 * 1024 * 1024];
    for (method, path, status) in [
        ("POST", "/graphql", "401"),
        ("GET", "/graphql", "401"),
        ("POST", "/graphql/sse", "401"),
        ("PUT", "/graphql", "401"),
        ("POST", "/graphql/ws", "405"),
        ("GET", "/metrics", "401"),
        ("POST", "/metrics", "405"),
        ("POST", "/webhooks/arcsite", "401"),
        ("PUT", "/webhooks/arcsite", "405"),
        ("POST", "/webhooks/bidsketch/x", "404"),
        ("POST", "/webhooks/x", "404"),
        ("POST", "/healthz", "405"),
        ("GET", "/healthz", "200"),
        ("POST", "/nothing", "404"),
    ] {
        let mut connection = RawConnection::open(&service).await;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n", body.len());
        connection.write(&head).await;
        connection.write_all(&body).await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        connection.write(&format!("GET /readyz HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        let answers = connection.read_until("{\"ready\":true}").await;
        assert!(answers.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "{method} {path}: {answers}");
    }
    // A body without end is not drained for ever.
    let mut endless = RawConnection::open(&service).await;
    endless.write(&format!("POST /graphql HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000000\r\n\r\n")).await;
    eventually("it is cut off", TIMEOUT, async || endless.write_all(&body).await.err()).await;
    service.stop(&database).await;
}
