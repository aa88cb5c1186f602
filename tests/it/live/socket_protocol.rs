//! What is said on a socket, by the protocol `graphql-transport-ws`, and how it is closed where it is broken.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tungstenite::Message as Frame;

use crate::harness::{BOUND, Message, PING, Service, Socket, fixture};

/// As much longer than the service waits as a busy machine may need.
const LATE: Duration = Duration::from_secs(10);

const LIVE: &str = "subscription { events { id } }";

fn subscribe(id: &str, query: &str) -> Value {
    json!({ "id": id, "type": "subscribe", "payload": { "query": query } })
}

#[tokio::test]
async fn a_socket_without_the_sub_protocol_is_closed() {
    let service = Service::open().await;
    let mut socket = Socket::without_protocol(service.client()).await;
    assert_eq!(socket.close().await, (4406, "Subprotocol not acceptable".to_owned()));
    service.stop().await;
}

#[tokio::test]
async fn who_does_not_say_who_it_is_is_not_waited_for() {
    let service = Service::open().await;
    let opened = Instant::now();
    let mut socket = Socket::knock(service.client(), &[]).await;
    let message = timeout(Duration::from_secs(10) + LATE, socket.unanswered()).await.unwrap();
    assert_eq!(message, Message::Closed(Some(4408)));
    assert!(opened.elapsed() > Duration::from_secs(9), "{:?}", opened.elapsed());
    service.stop().await;
}

/// What breaks the protocol before the connection is acknowledged.
#[tokio::test]
async fn an_operation_must_wait_for_the_acknowledgement() {
    let service = Service::open().await;
    for message in [subscribe("1", "{ __typename }"), subscribe("1", LIVE)] {
        let mut socket = Socket::knock(service.client(), &[]).await;
        socket.send(message).await;
        assert_eq!(socket.close().await, (4401, "Unauthorized".to_owned()));
    }
    service.stop().await;
}

/// What breaks it afterwards.
#[tokio::test]
async fn what_breaks_the_protocol_closes_the_socket_with_its_code() {
    let service = Service::open().await;
    for (messages, code, reason) in [
        (vec![json!({ "type": "connection_init" })], 4429, "Too many initialisation requests"),
        (vec![subscribe("a b", LIVE), subscribe("a b", LIVE)], 4409, "Subscriber for a b already exists"),
        (
            vec![json!({ "type": "next", "id": "1", "payload": {} })],
            4400,
            "Invalid message: a client sends no \"next\"",
        ),
        (
            vec![json!({ "type": "subscribe", "id": "1", "payload": {} })],
            4400,
            "Invalid message: missing field `query`",
        ),
        (vec![json!({ "type": "subscribe", "payload": { "query": "{a}" } })], 4400, "Invalid message: `id` is missing"),
        (vec![json!([])], 4400, "Invalid message: "),
    ] {
        let mut socket = service.socket().await;
        for message in &messages {
            socket.send(message.clone()).await;
        }
        let (closed, why) = socket.close().await;
        assert_eq!(closed, code, "{messages:?}: {why}");
        assert!(why.starts_with(reason), "{messages:?}: {why}");
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

/// Up to the limit a message is taken.
#[tokio::test]
async fn a_large_message_is_taken() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    let message = subscribe("1", "{ __typename }").to_string();
    let padded = format!("{message}{}", " ".repeat(256 * 1024 - message.len()));
    socket.send_frame(Frame::text(padded)).await;
    assert_eq!(socket.json().await["type"], "next");
    service.stop().await;
}

#[tokio::test]
async fn queries_and_mutations_are_answered_and_completed() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    let release = "mutation { releaseQuarantinedDelivery(input: { id: \"delivery:7\" }) { userErrors { code } } }";
    for (id, query, field) in [("q", "{ __typename }", "__typename"), ("\"é\\", release, "releaseQuarantinedDelivery")]
    {
        // An id is free again once its operation has ended.
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
async fn what_is_refused_before_it_is_executed_is_an_error_and_ends_there() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    for query in ["{", "{ nothing }", "subscription { nothing }", "subscription { events(after: 1) { id } }"] {
        // Nothing follows: else the second round would see it.
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
async fn a_ping_is_answered_with_its_payload_at_any_time() {
    let service = Service::open().await;
    let not_acknowledged = Socket::knock(service.client(), &[]).await;
    for mut socket in [not_acknowledged, service.socket().await] {
        for payload in [json!({}), json!({ "at": 1.5, "of": ["x"] })] {
            socket.send(json!({ "type": "ping", "payload": payload })).await;
            assert_eq!(socket.json().await, json!({ "type": "pong", "payload": payload }));
        }
        // Nothing comes of a pong.
        for of in ["pong", "ping"] {
            socket.send(json!({ "type": of })).await;
        }
        assert_eq!(socket.json().await, json!({ "type": "pong" }));
    }
    service.stop().await;
}

/// The service asks whether its peer is there: a connection that is cut without a word is noticed, and proxies see traffic.
#[tokio::test]
async fn the_service_sends_pings() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    let message = timeout(Duration::from_secs(12) + LATE, socket.unanswered()).await.unwrap();
    assert_eq!(message, Message::Text(PING.to_owned()));
    service.stop().await;
}

/// An unknown id is one whose operation has ended already: no reason to close.
#[tokio::test]
async fn completing_ends_an_operation_and_unknown_ids_are_ignored() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    socket.send(json!({ "id": "nobody", "type": "complete" })).await;
    socket.send(subscribe("1", LIVE)).await;
    socket.send(json!({ "id": "1", "type": "complete" })).await;
    // The id is free at once.
    socket.send(subscribe("1", "subscription { events { kind } }")).await;
    // The answer to this says that what came before has been dealt with.
    socket.send(subscribe("q", "{ __typename }")).await;
    assert_eq!(socket.json().await["id"], "q");
    assert_eq!(socket.json().await, json!({ "id": "q", "type": "complete" }));
    service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await.receipt().accepted();
    let next = socket.json().await;
    assert_eq!(next["payload"]["data"], json!({ "events": { "kind": "PROJECT_CREATED" } }));
    service.stop().await;
}

#[tokio::test]
async fn a_client_may_leave() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    socket.subscribe("1", LIVE, json!({})).await;
    socket.send_frame(Frame::Close(None)).await;
    assert_eq!(socket.message_within(BOUND).await, Some(Message::Closed(None)));
    service.stop().await;
}
