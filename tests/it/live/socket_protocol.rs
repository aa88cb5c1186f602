//! The messages of the protocol `graphql-transport-ws`, and the close codes for a breach of it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tungstenite::Message as Frame;

use crate::harness::{Message, PING, Service, Socket, TIMEOUT, fixture};

/// The extra time that a busy machine may need.
const SLACK: Duration = Duration::from_secs(10);

const LIVE: &str = "subscription { events { id } }";

fn subscribe(id: &str, query: &str) -> Value {
    json!({ "id": id, "type": "subscribe", "payload": { "query": query } })
}

#[tokio::test]
async fn socket_without_sub_protocol_is_closed() {
    let service = Service::open().await;
    let mut socket = Socket::without_protocol(service.client()).await;
    assert_eq!(socket.close().await, (4406, "Subprotocol not acceptable".to_owned()));
    service.stop().await;
}

#[tokio::test]
async fn socket_without_connection_init_is_closed_after_ten_seconds() {
    let service = Service::open().await;
    let opened = Instant::now();
    let mut socket = Socket::connect(service.client(), &[]).await;
    let message = timeout(Duration::from_secs(10) + SLACK, socket.next_without_pong()).await.unwrap();
    assert_eq!(message, Message::Closed(Some(4408)));
    assert!(opened.elapsed() > Duration::from_secs(9), "{:?}", opened.elapsed());
    service.stop().await;
}

#[tokio::test]
async fn operation_before_acknowledgement_closes_the_socket() {
    let service = Service::open().await;
    for message in [subscribe("1", "{ __typename }"), subscribe("1", LIVE)] {
        let mut socket = Socket::connect(service.client(), &[]).await;
        socket.send(message).await;
        assert_eq!(socket.close().await, (4401, "Unauthorized".to_owned()));
    }
    service.stop().await;
}

#[tokio::test]
async fn protocol_breach_closes_the_socket_with_its_code() {
    let service = Service::open().await;
    for (messages, code, reason) in [
        (vec![json!({ "type": "connection_init" })], 4429, "Too many initialisation requests"),
        (vec![subscribe("a b", LIVE), subscribe("a b", LIVE)], 4409, "Subscriber for a b already exists"),
        (
            vec![json!({ "type": "next", "id": "1", "payload": {} })],
            4400,
            "Invalid message: a client must not send \"next\"",
        ),
        (vec![json!({ "type": "subscribe", "id": "1", "payload": {} })], 4400, "Invalid message: `query` is missing"),
        (vec![json!({ "type": "subscribe", "payload": { "query": "{a}" } })], 4400, "Invalid message: `id` is missing"),
        (vec![json!([])], 4400, "Invalid message: "),
    ] {
        let mut socket = service.socket().await;
        for message in &messages {
            socket.send(message.clone()).await;
        }
        let (close_code, close_reason) = socket.close().await;
        assert_eq!(close_code, code, "{messages:?}: {close_reason}");
        assert!(close_reason.starts_with(reason), "{messages:?}: {close_reason}");
    }
    for (frame, code) in [
        (Frame::text("x"), 4400),
        (Frame::binary(&b"{}"[..]), 4400),
        (Frame::text("x".repeat(256 * 1024 + 1)), 1009),
        (Frame::text("x".repeat(1024 * 1024)), 1009),
    ] {
        let mut socket = service.socket().await;
        let length = frame.len();
        socket.send_frame(frame).await;
        assert_eq!(socket.close().await.0, code, "{length}");
    }
    service.stop().await;
}

#[tokio::test]
async fn message_of_the_largest_size_is_accepted() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    let message = subscribe("1", "{ __typename }").to_string();
    let padded = format!("{message}{}", " ".repeat(256 * 1024 - message.len()));
    socket.send_frame(Frame::text(padded)).await;
    assert_eq!(socket.json().await["type"], "next");
    service.stop().await;
}

#[tokio::test]
async fn query_or_mutation_on_a_socket_gets_one_response_and_completes() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    let release = "mutation { releaseQuarantinedDelivery(input: { id: \"delivery:7\" }) { userErrors { code } } }";
    for (id, query, field) in [("q", "{ __typename }", "__typename"), ("\"é\\", release, "releaseQuarantinedDelivery")]
    {
        // The id can be used again after its operation has ended.
        for _ in 0..2 {
            socket.send(subscribe(id, query)).await;
            let next = socket.json().await;
            assert_eq!((&next["id"], &next["type"]), (&json!(id), &json!("next")), "{next}");
            assert!(!next["payload"]["data"][field].is_null() && next["payload"].get("errors").is_none(), "{next}");
            assert_eq!(socket.json().await, json!({ "id": id, "type": "complete" }));
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn invalid_operation_gets_one_error_message() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    for query in ["{", "{ nothing }", "subscription { nothing }", "subscription { events(after: 1) { id } }"] {
        // The second round would see any further message of the first.
        for _ in 0..2 {
            socket.send(subscribe("1", query)).await;
            let error = socket.json().await;
            assert_eq!((&error["id"], &error["type"]), (&json!("1"), &json!("error")), "{query}: {error}");
            assert_eq!(error["payload"][0]["extensions"]["code"], "BAD_USER_INPUT", "{query}: {error}");
            assert!(error["payload"][0]["message"].is_string(), "{query}: {error}");
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn ping_gets_a_pong_with_its_payload_at_any_time() {
    let service = Service::open().await;
    let not_acknowledged = Socket::connect(service.client(), &[]).await;
    for mut socket in [not_acknowledged, service.socket().await] {
        for payload in [json!({}), json!({ "at": 1.5, "of": ["x"] })] {
            socket.send(json!({ "type": "ping", "payload": payload })).await;
            assert_eq!(socket.json().await, json!({ "type": "pong", "payload": payload }));
        }
        // A pong gets no reply.
        for kind in ["pong", "ping"] {
            socket.send(json!({ "type": kind })).await;
        }
        assert_eq!(socket.json().await, json!({ "type": "pong" }));
    }
    service.stop().await;
}

/// Keep-alive pings detect dead connections and show traffic to proxies.
#[tokio::test]
async fn idle_socket_gets_pings() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    let message = timeout(Duration::from_secs(12) + SLACK, socket.next_without_pong()).await.unwrap();
    assert_eq!(message, Message::Text(PING.to_owned()));
    service.stop().await;
}

/// An operation may have ended before its `complete` arrives, so an unknown id does not close the
/// socket.
#[tokio::test]
async fn complete_ends_its_operation_and_unknown_ids_are_ignored() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    socket.send(json!({ "id": "unknown", "type": "complete" })).await;
    socket.send(subscribe("1", LIVE)).await;
    socket.send(json!({ "id": "1", "type": "complete" })).await;
    // The id is free at once.
    socket.send(subscribe("1", "subscription { events { kind } }")).await;
    // The response to this query shows that the service has processed the messages before it.
    socket.send(subscribe("q", "{ __typename }")).await;
    assert_eq!(socket.json().await["id"], "q");
    assert_eq!(socket.json().await, json!({ "id": "q", "type": "complete" }));
    service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await.receipt().accepted();
    let next = socket.json().await;
    assert_eq!(next["payload"]["data"], json!({ "events": { "kind": "PROJECT_CREATED" } }));
    service.stop().await;
}

#[tokio::test]
async fn client_close_is_acknowledged() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    socket.subscribe("1", LIVE, json!({})).await;
    socket.send_frame(Frame::Close(None)).await;
    assert_eq!(socket.message_within(TIMEOUT).await, Some(Message::Closed(None)));
    service.stop().await;
}
