//! A client that does not read: it costs a bounded amount, holds nobody up, is still listened to, and is closed.

use std::time::Duration;

use serde_json::json;

use crate::harness::{BOUND, Database, Process, Service, Socket, add_key, envelope, eventually, revoke_key};

/// So many operations, each of which is sent every event: more than any kernel keeps for a reader.
const OPERATIONS: usize = 60;
const EVENTS: usize = 5;
const EVENT: &str = "subscription { events { id payload } }";

/// When a stalled reader is closed, and as much longer as a busy machine may need.
const CLOSED_WITHIN: Duration = Duration::from_secs(20 + 15);

/// Longer than it takes to look after a socket that is written to at ease.
const SOON: Duration = Duration::from_secs(4);

/// A service, and a socket that has been sent more than it can hold and reads nothing.
async fn stalled(database: &Database, token: Option<&str>) -> (Process, Socket) {
    let service = Process::start(0, database).await;
    let client = token.map_or_else(|| (*service).clone(), |token| service.with_token(token));
    let mut socket = Socket::narrow(&client).await;
    for id in 0..OPERATIONS {
        // Each by a document of its own: nothing is shared between them.
        socket
            .subscribe(&id.to_string(), &EVENT.replace("subscription", &format!("subscription S{id}")), json!({}))
            .await;
    }
    count(&service, &client, "bidarc_subscriptions", OPERATIONS, BOUND).await;
    let mut other = client.subscribe(EVENT).await;
    let name = "x".repeat(100_000);
    for id in 1..=EVENTS {
        let body = envelope("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#));
        service.post("/webhooks/arcsite", body).await.receipt().accepted();
    }
    for id in 1..=EVENTS {
        let event = other.next().await;
        assert_eq!(event["events"]["id"], format!("event:{id}"), "the other subscriber is not held up");
    }
    other.complete().await;
    (service, socket)
}

async fn count(service: &Process, client: &crate::harness::Client, gauge: &str, expected: usize, bound: Duration) {
    eventually(&format!("{gauge} is {expected}"), bound, async || {
        assert!(!service.log_so_far().contains("panicked"), "{}", service.log_so_far());
        (client.metric(gauge).await == f64::from(u32::try_from(expected).unwrap())).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_closed_after_a_while_and_holds_nobody_up() {
    let database = Database::fresh();
    let (service, mut socket) = stalled(&database, None).await;
    count(&service, &service, "bidarc_sockets", 1, BOUND).await;
    count(&service, &service, "bidarc_subscriptions", OPERATIONS, BOUND).await;
    // It is listened to all the same.
    for id in 1..OPERATIONS {
        socket.send(json!({ "id": id.to_string(), "type": "complete" })).await;
    }
    count(&service, &service, "bidarc_subscriptions", 1, SOON).await;
    count(&service, &service, "bidarc_sockets", 0, CLOSED_WITHIN).await;
    count(&service, &service, "bidarc_subscriptions", 0, BOUND).await;
    service.stop(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_hold_up_a_service_that_stops() {
    let database = Database::fresh();
    let (service, _socket) = stalled(&database, None).await;
    tokio::time::timeout(SOON, service.stop(&database)).await.expect("the service stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_closed_when_its_key_is_revoked() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    let watch = add_key(&database, "watch", "read").await;
    let (service, _socket) = stalled(&database, Some(&token)).await;
    let watch = service.with_token(&watch);
    count(&service, &watch, "bidarc_sockets", 1, BOUND).await;
    revoke_key(&database, "office").await;
    count(&service, &watch, "bidarc_sockets", 0, SOON).await;
    service.stop(&database).await;
}

/// An operation that is not gone on with in the middle of a read would keep its connection, and there are few.
#[tokio::test(flavor = "multi_thread")]
async fn it_holds_no_connection_of_the_database() {
    let service = Service::open().await;
    let start = service.head().await;
    let name = "x".repeat(100_000);
    for id in 1..=EVENTS {
        service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#)).await.accepted();
    }
    let mut socket = Socket::narrow(service.client()).await;
    for id in 0..OPERATIONS {
        // Its deliveries are read from the database, for each event anew.
        let replay = format!(
            "subscription S{id}($after: String) {{ events(after: $after) {{ payload deliveries {{ outcome }} }} }}"
        );
        socket.subscribe(&id.to_string(), &replay, json!({ "after": start })).await;
    }
    for _ in 0..100 {
        let query = service.query("{ events(first: 1) { nodes { id } totalCount } }");
        let answer = tokio::time::timeout(SOON, query).await.expect("others are answered");
        assert_eq!(answer["events"]["totalCount"], EVENTS);
    }
    service.stop().await;
}
