//! A client that does not read. It uses bounded memory and delays no other client. The service
//! still reads from it, and closes it in the end.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Database, Process, Service, Socket, TIMEOUT, add_key, envelope, eventually, revoke_key};

/// Each operation gets every event. Together they exceed any kernel's buffer.
const OPERATIONS: usize = 60;
const EVENTS: usize = 5;
const EVENT: &str = "subscription { events { id payload } }";

/// The time-out for a stalled reader, and the extra time that a busy machine may need.
const CLOSED_WITHIN: Duration = Duration::from_secs(20 + 15);

/// Longer than a socket that reads normally needs.
const SOON: Duration = Duration::from_secs(8);

/// Starts a service and a socket that reads nothing although the service has sent more than it can
/// buffer.
async fn start_stalled(database: &Database, token: Option<&str>) -> (Process, Socket) {
    let service = Process::start(0, database).await;
    let client = token.map_or_else(|| (*service).clone(), |token| service.with_token(token));
    let mut socket = Socket::open_with_small_buffer(&client).await;
    for id in 0..OPERATIONS {
        // Each operation has a different document, so that they do not share an execution.
        socket
            .subscribe(&id.to_string(), &EVENT.replace("subscription", &format!("subscription S{id}")), json!({}))
            .await;
    }
    wait_for_gauge(&service, &client, "bidarc_subscriptions", OPERATIONS, TIMEOUT).await;
    let mut other = client.subscribe(EVENT).await;
    let name = "x".repeat(100_000);
    for id in 1..=EVENTS {
        let body = envelope("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#));
        service.post("/webhooks/arcsite", body).await.receipt().accepted();
    }
    for id in 1..=EVENTS {
        let event = other.next().await;
        assert_eq!(event["events"]["id"], format!("event:{id}"), "the other subscriber is not delayed");
    }
    other.complete().await;
    eventually("messages of most operations wait for the client", TIMEOUT, async || {
        (client.metric("bidarc_stream_bytes").await >= 1_000_000.0).then_some(())
    })
    .await;
    (service, socket)
}

async fn wait_for_gauge(
    service: &Process,
    client: &crate::harness::Client,
    gauge: &str,
    expected: usize,
    limit: Duration,
) {
    eventually(&format!("{gauge} is {expected}"), limit, async || {
        assert!(!service.log_so_far().contains("panicked"), "{}", service.log_so_far());
        (client.metric(gauge).await == f64::from(u32::try_from(expected).unwrap())).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_reader_is_closed_and_delays_no_other_client() {
    let database = Database::fresh();
    let (service, mut socket) = start_stalled(&database, None).await;
    wait_for_gauge(&service, &service, "bidarc_sockets", 1, TIMEOUT).await;
    wait_for_gauge(&service, &service, "bidarc_subscriptions", OPERATIONS, TIMEOUT).await;
    // The service still reads from the stalled client.
    for id in 1..OPERATIONS {
        socket.send(json!({ "id": id.to_string(), "type": "complete" })).await;
    }
    wait_for_gauge(&service, &service, "bidarc_subscriptions", 1, SOON).await;
    wait_for_gauge(&service, &service, "bidarc_sockets", 0, CLOSED_WITHIN).await;
    wait_for_gauge(&service, &service, "bidarc_subscriptions", 0, TIMEOUT).await;
    service.stop(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_reader_does_not_delay_the_stop() {
    let database = Database::fresh();
    let (service, _socket) = start_stalled(&database, None).await;
    tokio::time::timeout(SOON, service.stop(&database)).await.expect("the service stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_reader_is_closed_when_its_key_is_revoked() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    let watch = add_key(&database, "watch", "read").await;
    let (service, _socket) = start_stalled(&database, Some(&token)).await;
    let watch = service.with_token(&watch);
    wait_for_gauge(&service, &watch, "bidarc_sockets", 1, TIMEOUT).await;
    revoke_key(&database, "office").await;
    wait_for_gauge(&service, &watch, "bidarc_sockets", 0, SOON).await;
    service.stop(&database).await;
}

/// An operation that is suspended in the middle of a read would hold one of the few connections of
/// the pool.
#[tokio::test(flavor = "multi_thread")]
async fn stalled_reader_holds_no_database_connection() {
    let service = Service::open().await;
    let start = service.head().await;
    let name = "x".repeat(100_000);
    for id in 1..=EVENTS {
        service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#)).await.accepted();
    }
    let mut socket = Socket::open_with_small_buffer(service.client()).await;
    for id in 0..OPERATIONS {
        // The service reads the deliveries of each event from the database.
        let replay = format!(
            "subscription S{id}($after: String) {{ events(after: $after) {{ payload deliveries {{ outcome }} }} }}"
        );
        socket.subscribe(&id.to_string(), &replay, json!({ "after": start })).await;
    }
    for _ in 0..100 {
        let query = service.query("{ events(first: 1) { nodes { id } totalCount } }");
        let data = tokio::time::timeout(SOON, query).await.expect("other clients get responses");
        assert_eq!(data["events"]["totalCount"], EVENTS);
    }
    service.stop().await;
}
