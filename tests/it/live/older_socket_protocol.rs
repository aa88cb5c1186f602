//! The older socket protocol `graphql-ws`, and the switch to it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;
use tungstenite::Message as Frame;

use crate::harness::{Database, Message, Service, Setup, Socket, TIMEOUT, add_key, revoke_key};

const OLDER: &str = "graphql-ws";
/// What Python's gql offers.
const BOTH: &str = "graphql-ws, graphql-transport-ws";
const LIVE: &str = "subscription { events { id } }";

/// The extra time that a busy machine may need.
const SLACK: Duration = Duration::from_secs(10);

fn start(id: &str, query: &str) -> Value {
    json!({ "id": id, "type": "start", "payload": { "query": query } })
}

/// Opens a socket that offers these sub-protocols, with this payload of `connection_init`.
async fn open(service: &Service, protocols: &str, payload: Option<Value>) -> Socket {
    let mut socket = Socket::connect_to(service.client(), "/graphql/ws", protocols, &[]).await;
    socket.init(payload).await;
    assert_eq!(socket.json().await, json!({ "type": "connection_ack" }));
    if protocols == OLDER {
        assert_eq!(socket.json().await, json!({ "type": "ka" }));
    }
    socket
}

#[tokio::test]
async fn operations_are_started_and_stopped() {
    let service = Service::open().await;
    let mut socket = open(&service, OLDER, None).await;
    for id in ["q", "\"é"] {
        socket.send(start(id, "{ __typename }")).await;
        let data = json!({ "data": { "__typename": "Query" } });
        assert_eq!(socket.json().await, json!({ "id": id, "type": "data", "payload": data }));
        assert_eq!(socket.json().await, json!({ "id": id, "type": "complete" }));
    }
    socket.send(start("1", LIVE)).await;
    socket.send(start("2", LIVE)).await;
    // The response to this query shows that the service has processed the messages before it.
    socket.send(start("q", "{ __typename }")).await;
    for _ in 0..2 {
        assert_eq!(socket.json().await["id"], "q");
    }
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    for _ in 0..2 {
        let data = socket.json().await;
        assert_eq!((&data["type"], &data["payload"]["data"]["events"]["id"]), (&json!("data"), &json!("event:1")));
    }
    // The end of an operation is confirmed, that of an unknown one is not.
    for id in ["unknown", "1"] {
        socket.send(json!({ "id": id, "type": "stop" })).await;
    }
    assert_eq!(socket.json().await, json!({ "id": "1", "type": "complete" }));
    service.arcsite("project.created", r#"{"id":2}"#).await.accepted();
    assert_eq!(socket.json().await["id"], "2");
    socket.send(json!({ "type": "connection_terminate" })).await;
    assert_eq!(socket.close().await.0, 1000);
    service.stop().await;
}

#[tokio::test]
async fn operation_refused_gets_one_error() {
    let service = Service::open().await;
    let mut socket = open(&service, OLDER, None).await;
    for query in ["{", "{ nothing }", "{ nothing other }", "subscription { events(after: 1) { id } }"] {
        // The second round would see any further message of the first.
        for _ in 0..2 {
            socket.send(start("1", query)).await;
            let error = socket.json().await;
            assert_eq!((&error["id"], &error["type"]), (&json!("1"), &json!("error")), "{query}: {error}");
            // One object, not a list.
            assert_eq!(error["payload"]["extensions"]["code"], "BAD_USER_INPUT", "{query}: {error}");
        }
    }
    // The errors of a field are part of its data.
    socket.send(start("1", "{ node(id: \"x\") { id } }")).await;
    let data = socket.json().await;
    assert_eq!((&data["type"], &data["payload"]["data"]), (&json!("data"), &json!({ "node": null })));
    assert!(data["payload"]["errors"].is_array());
    service.stop().await;
}

#[tokio::test]
async fn breach_closes_the_socket_with_its_code() {
    let service = Service::open().await;
    for (message, code) in [
        (json!({ "type": "connection_init" }), 4429),
        (json!({ "id": "1", "type": "subscribe", "payload": { "query": LIVE } }), 4400),
        (json!({ "id": "1", "type": "complete" }), 4400),
        (json!({ "type": "ping" }), 4400),
        (json!({ "id": "1", "type": "start", "payload": {} }), 4400),
        (start("live", LIVE), 4409),
    ] {
        let mut socket = open(&service, OLDER, None).await;
        socket.send(start("live", LIVE)).await;
        socket.send(message.clone()).await;
        assert_eq!(socket.close().await.0, code, "{message}");
    }
    let mut socket = Socket::connect_to(service.client(), "/graphql/ws", OLDER, &[]).await;
    socket.send(start("1", LIVE)).await;
    assert_eq!(socket.close().await.0, 4401);
    // A hundred operations, and no more.
    let mut socket = open(&service, OLDER, None).await;
    for id in 0..=100 {
        socket.send(start(&id.to_string(), LIVE)).await;
    }
    let refused = socket.json().await;
    assert_eq!((&refused["id"], &refused["payload"]["extensions"]["code"]), (&json!("100"), &json!("LIMIT_EXCEEDED")));
    service.stop().await;
}

#[tokio::test]
async fn key_is_needed_and_its_end_ends_the_socket() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    add_key(&database, "other", "read").await;
    let service = Setup::new().database(database).start().await;
    for payload in [None, Some(json!({ "Authorization": "Bearer wrong" }))] {
        let mut socket = Socket::connect_to(service.client(), "/graphql/ws", OLDER, &[]).await;
        socket.init(payload).await;
        assert_eq!(socket.close().await.0, 4403);
    }
    let release = "mutation { releaseQuarantinedDelivery(input: { id: \"delivery:1\" }) { userErrors { code } } }";
    let mut sockets = Vec::new();
    // The last of them switches.
    for protocols in [OLDER, BOTH] {
        let payload = json!({ "Authorization": format!("Bearer {token}") });
        let mut socket = open(&service, protocols, Some(payload)).await;
        socket.send(start("1", release)).await;
        let refused = socket.json().await;
        assert_eq!(
            (&refused["type"], &refused["payload"]["extensions"]["code"]),
            (&json!("error"), &json!("FORBIDDEN"))
        );
        socket.send(start("1", LIVE)).await;
        sockets.push(socket);
    }
    revoke_key(service.database(), "office").await;
    for mut socket in sockets {
        assert_eq!(socket.message_within(TIMEOUT).await, Some(Message::Closed(Some(4403))));
    }
    service.stop().await;
}

/// Python's gql 4 offers both protocols, looks for the answer in a header of another spelling, and
/// takes its absence for the older protocol.
#[tokio::test]
async fn start_after_acknowledgement_switches_the_socket_for_good() {
    let service = Service::open().await;
    for protocols in [BOTH, "graphql-transport-ws"] {
        let mut socket = open(&service, protocols, Some(json!({}))).await;
        for id in ["1", "2"] {
            socket.send(start(id, "{ __typename }")).await;
            assert_eq!(socket.json().await["type"], "data");
            assert_eq!(socket.json().await, json!({ "id": id, "type": "complete" }));
        }
        socket.send(start("3", LIVE)).await;
        socket.send(json!({ "id": "3", "type": "stop" })).await;
        assert_eq!(socket.json().await, json!({ "id": "3", "type": "complete" }));
        socket.send(json!({ "id": "4", "type": "subscribe", "payload": { "query": LIVE } })).await;
        assert_eq!(socket.close().await.0, 4400, "there is no way back");

        let mut socket = Socket::connect_to(service.client(), "/graphql/ws", protocols, &[]).await;
        socket.send(start("1", LIVE)).await;
        assert_eq!(socket.close().await.0, 4400, "only an acknowledged socket switches");

        // A client may leave without an operation.
        let mut socket = open(&service, protocols, None).await;
        socket.send(json!({ "type": "connection_terminate" })).await;
        assert_eq!(socket.close().await.0, 1000);

        // A client that speaks the newer protocol is served by that.
        let mut socket = open(&service, protocols, None).await;
        socket.subscribe("1", "{ __typename }", json!({})).await;
        assert_eq!(socket.json().await["type"], "next");
    }
    service.stop().await;
}

/// An older client answers no `ka`, so a ping of WebSocket itself shows whether it is there. A
/// client that may speak either protocol gets that ping alone.
#[tokio::test]
async fn idle_socket_gets_keep_alives() {
    let service = Service::open().await;
    let mut older = open(&service, OLDER, None).await;
    let mut undecided = open(&service, BOTH, None).await;
    let limit = Duration::from_secs(12) + SLACK;
    let next = timeout(limit, older.next_without_pong()).await.unwrap();
    assert_eq!(next, Message::Text(r#"{"type":"ka"}"#.to_owned()));
    for socket in [&mut older, &mut undecided] {
        assert_eq!(timeout(limit, socket.next_frame()).await.unwrap(), Frame::Ping(Vec::new().into()));
    }
    undecided.send(start("1", "{ __typename }")).await;
    assert_eq!(undecided.json().await["type"], "data");
    service.stop().await;
}
