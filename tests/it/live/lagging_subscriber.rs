//! Clients that fall too far behind for the backlog. They catch up from the log without a gap.

use serde_json::{Value, json};

use crate::harness::{EventStream, Message, Service, Socket, TIMEOUT, envelope, eventually};

const EVENTS: usize = 160;
const LIVE: &str = "subscription ($after: String) { events(after: $after) { id cursor payload } }";

#[tokio::test(flavor = "multi_thread")]
async fn subscriber_that_does_not_read_catches_up_when_it_does() {
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
    while seen.len() < EVENTS {
        let Message::Text(text) = socket.message().await else { panic!("the socket was closed") };
        let mut message: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(message["type"], "next");
        seen.push(message["payload"]["data"]["events"]["id"].take());
    }
    assert_eq!(seen, (1..=EVENTS).map(|seq| json!(format!("event:{seq}"))).collect::<Vec<_>>());
    service.stop().await;
}

/// The events of one group are more than the backlog holds, so that the next messages push them out
/// before any subscriber has a chance to read them.
#[tokio::test(flavor = "multi_thread")]
async fn burst_of_large_events_reaches_subscribers_of_both_transports() {
    const LARGE: usize = 8;
    let service = Service::open().await;
    let start = service.head().await;
    let query = format!("subscription {{ events(after: {start:?}) {{ id payload }} }}");
    let mut socket = service.subscribe(&query).await;
    let mut stream = EventStream::open(EventStream::request(service.client(), &query, json!({}))).await;
    let name = "x".repeat(300_000);
    let posts = (0..LARGE).map(|id| {
        let client = service.client().clone();
        let body = envelope("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#));
        // A busy machine may not write all of it in time. Then the vendor sends it again.
        let is_recorded =
            async move || (client.post("/webhooks/arcsite", body.clone()).await.status == 200).then_some(());
        tokio::spawn(async move { eventually("the event is recorded", TIMEOUT, is_recorded).await })
    });
    for post in posts.collect::<Vec<_>>() {
        post.await.unwrap();
    }
    for seq in 1..=LARGE {
        let id = json!(format!("event:{seq}"));
        assert_eq!(socket.next().await["events"]["id"], id);
        assert_eq!(stream.response().await.data["data"]["events"]["id"], id);
    }
    service.stop().await;
}
