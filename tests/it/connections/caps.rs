//! More connections than there are places. Hooks and `/healthz` always answer.

use reqwest::Method;
use serde_json::json;

use super::{closed, configure, get_health, start};
use crate::harness::{
    Client, Database, EventStream, HttpResponse, Launch, Process, RawConnection, TIMEOUT, add_key, eventually,
};

/// Time-outs that no test waits for.
const LONG: [(&str, &str); 4] = [
    ("HEAD_TIMEOUT_SECONDS", "600"),
    ("IDLE_TIMEOUT_SECONDS", "600"),
    ("BODY_TIMEOUT_SECONDS", "600"),
    ("WRITE_TIMEOUT_SECONDS", "600"),
];

/// Opens connections of every kind that waits for its client.
async fn hold_connections(service: &Process, count: usize) -> Vec<RawConnection> {
    let mut held = Vec::new();
    for index in 0..count {
        let mut connection = RawConnection::open(service).await;
        let host = service.authority();
        // The service may close it while it is opened.
        let _ = match index % 3 {
            0 => Ok(()),
            1 => connection.write_all(b"POST /webhooks/arcsite HTTP/1.1\r\nHost:").await,
            _ => {
                let head = format!("POST /webhooks/arcsite HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\n{{");
                connection.write_all(head.as_bytes()).await
            }
        };
        held.push(connection);
    }
    held
}

/// Each request has a new connection, as those of a vendor may have.
async fn assert_answers(service: &Process, id: usize) {
    let client = Client::new(service.base().to_owned());
    client.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    assert_eq!(client.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn connection_beyond_the_cap_takes_the_place_of_the_longest_waiting_one() {
    let database = Database::fresh();
    let mut settings = LONG.to_vec();
    settings.push(("MAX_CONNECTIONS", "8"));
    let service = start(&database, &settings).await;
    let mut subscription = service.subscribe("subscription { events { id } }").await;
    let mut first = RawConnection::open(&service).await;
    get_health(&service, &mut first).await;
    let mut held = hold_connections(&service, 40).await;
    assert_answers(&service, 1).await;
    assert_eq!(first.read_to_end().await, "", "the longest waiting one is closed");
    for connection in &mut held[..24] {
        assert_eq!(connection.read_to_end().await, "");
    }
    assert!(closed(&service, "replaced").await >= 24.0);
    assert_eq!(subscription.next().await["events"]["id"], "event:1", "a stream in use keeps its place");
    subscription.complete().await;
    service.stop(&database).await;
}

/// Sockets in use fill all places, so a new connection is refused. The service goes on.
#[tokio::test]
async fn connection_is_refused_if_no_other_waits() {
    let database = Database::fresh();
    let service = start(&database, &[("MAX_CONNECTIONS", "2"), ("MAX_STREAMS_PER_KEY", "2")]).await;
    let first = service.socket().await;
    let _second = service.socket().await;
    let mut refused = RawConnection::open(&service).await;
    assert_eq!(refused.read_to_end().await, "");
    drop(first);
    eventually("there is a place again", TIMEOUT, async || {
        let request = service.request(Method::GET, "/healthz").send().await;
        request.ok().filter(|response| response.status() == 200)
    })
    .await;
    assert!(closed(&service, "no_place").await >= 1.0);
    service.stop(&database).await;
}

#[tokio::test]
async fn hooks_answer_when_open_files_are_few_and_connections_many() {
    // With the first, the cap is below the limit of files. With the second, accepting fails.
    for cap in ["0", "10000"] {
        let database = Database::fresh();
        let mut settings = LONG.to_vec();
        settings.push(("MAX_CONNECTIONS", cap));
        let launch = configure(Launch::with_open_files(database.directory(), 256), &settings);
        let service = launch.serve(0, &database).await;
        let is_shown = async || service.log_so_far().contains("open_files=256").then_some(());
        eventually("the limit is shown", TIMEOUT, is_shown).await;
        let mut held = Vec::new();
        for id in 0..3 {
            held.extend(hold_connections(&service, 100).await);
            assert_answers(&service, id).await;
        }
        let has_errors = service.metric("bidarc_accept_errors_total").await > 0.0;
        assert_eq!(has_errors, cap != "0");
        assert!(closed(&service, "replaced").await > 0.0);
        service.stop(&database).await;
    }
}

/// This machine is a trusted proxy. The last address that it gives is the peer.
#[tokio::test]
async fn peer_behind_a_trusted_proxy_has_a_cap_of_its_own() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    let service = start(&database, &[("MAX_CONNECTIONS_PER_PEER", "2"), ("TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    let client = service.with_token(&token);
    let open = |forwarded_for: &'static str| {
        let request = EventStream::request(&client, "subscription { events { id } }", json!({}));
        request.header("x-forwarded-for", forwarded_for)
    };
    let first = EventStream::open(open("192.0.2.1")).await;
    let _second = EventStream::open(open("198.51.100.7, 192.0.2.1, 10.0.0.9")).await;
    let refused = HttpResponse::of(open("203.0.113.5, 192.0.2.1")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")), "{refused:?}");
    let _other_peer = EventStream::open(open("192.0.2.2")).await;
    let _proxy_itself = EventStream::open(open("10.0.0.9")).await;
    assert_eq!(service.with_token(&token).metric("bidarc_requests_refused_total{cap=\"peer\"}").await, 1.0);
    drop(first);
    eventually("the place is free again", TIMEOUT, async || {
        let response = open("192.0.2.1").send().await.unwrap();
        (response.status() == 200).then_some(())
    })
    .await;
    service.stop(&database).await;
}
