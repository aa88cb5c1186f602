//! A client that falls too far behind for the backlog. The service closes its socket, and the
//! client resumes without a gap.

use serde_json::{Value, json};

use crate::harness::{Message, Service, Socket};

const EVENTS: usize = 160;
const LIVE: &str = "subscription ($after: String) { events(after: $after) { id cursor payload } }";

#[tokio::test(flavor = "multi_thread")]
async fn lagging_subscriber_is_closed_and_resumes_from_its_cursor() {
    let service = Service::open().await;
    let start = service.head().await;
    let mut socket = Socket::open_with_small_buffer(service.client()).await;
    socket.subscribe("1", LIVE, json!({ "after": start })).await;
    // Far more than the kernels and the service buffer for a reader.
    let name = "x".repeat(100_000);
    for id in 1..=EVENTS {
        service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#)).await.accepted();
    }
    let mut seen: Vec<Value> = Vec::new();
    let mut connections = 1;
    while seen.len() < EVENTS {
        match socket.message().await {
            Message::Text(text) => {
                let mut message: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(message["type"], "next");
                seen.push(message["payload"]["data"]["events"].take());
            }
            Message::Closed(code) => {
                assert_eq!(code, Some(4010));
                connections += 1;
                socket = service.socket().await;
                let after = seen.last().map_or(json!(start), |event| event["cursor"].clone());
                socket.subscribe("1", LIVE, json!({ "after": after })).await;
            }
        }
    }
    let ids: Vec<_> = seen.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (1..=EVENTS).map(|seq| format!("event:{seq}")).collect::<Vec<_>>());
    assert!(connections > 1, "the client never fell behind");
    service.stop().await;
}
