//! Many operations on one socket: each has its turn, there may be so many, and one that ends costs nothing any more.

use std::collections::HashMap;

use serde_json::json;
use tungstenite::Message as Frame;

use crate::harness::{BOUND, Database, Process, Service, eventually};

/// How many operations a socket may have.
const MOST: usize = 100;

const EVENTS: usize = 300;

/// A replay that has always something to say does not keep live events, or answers to questions, waiting for its end.
#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_always_has_more_does_not_starve_the_others() {
    let service = Service::open().await;
    let start = service.head().await;
    // Each long enough that not all of them are written at one go.
    let name = "x".repeat(2000);
    for id in 0..EVENTS {
        service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#)).await.accepted();
    }
    let mut socket = service.socket().await;
    let replay = "subscription ($after: String) { events(after: $after) { id payload } }";
    for id in 0..4 {
        socket.subscribe(&format!("replay {id}"), replay, json!({ "after": start })).await;
    }
    socket.subscribe("query", "{ __typename }", json!({})).await;
    socket.send(json!({ "type": "ping" })).await;

    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut all_at = HashMap::new();
    let mut pong_at = None;
    for at in 0.. {
        let message = socket.json().await;
        match message["type"].as_str().unwrap() {
            "pong" => pong_at = Some(at),
            "next" => {
                let id = message["id"].as_str().unwrap().to_owned();
                let seen = seen.entry(id.clone()).or_default();
                *seen += 1;
                if id == "query" || *seen == EVENTS {
                    all_at.insert(id, at);
                }
            }
            other => assert_eq!(other, "complete", "{message}"),
        }
        if all_at.len() == 5 {
            break;
        }
    }
    let first = (0..4).map(|id| all_at[&format!("replay {id}")]).min().unwrap();
    // Had one been preferred, it would have come to its end while the others had hardly begun.
    assert!(first > 2 * EVENTS, "one replay was complete after {first} messages");
    assert!(all_at["query"] < EVENTS, "the query was answered after {} messages", all_at["query"]);
    assert!(pong_at.is_some_and(|at| at < EVENTS), "the ping was answered after {pong_at:?} messages");
    service.stop().await;
}

#[tokio::test]
async fn a_socket_has_so_many_operations_and_no_more() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    for id in 0..=MOST {
        socket.subscribe(&id.to_string(), "subscription { events { id } }", json!({})).await;
    }
    let error = socket.json().await;
    assert_eq!((&error["id"], &error["type"]), (&json!(MOST.to_string()), &json!("error")), "{error}");
    assert_eq!(error["payload"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{error}");
    // The others go on; and where one ends there is room for another.
    socket.send(json!({ "id": "0", "type": "complete" })).await;
    socket.subscribe("more", "{ __typename }", json!({})).await;
    assert_eq!(socket.json().await["payload"]["data"], json!({ "__typename": "Query" }));
    assert_eq!(socket.json().await, json!({ "id": "more", "type": "complete" }));
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    let mut got = Vec::new();
    for _ in 1..MOST {
        got.push(socket.json().await["id"].as_str().unwrap().parse::<usize>().unwrap());
    }
    got.sort_unstable();
    assert_eq!(got, (1..MOST).collect::<Vec<_>>());
    service.stop().await;
}

/// In a process of its own: its metrics are of this service alone.
#[tokio::test]
async fn what_ends_is_not_executed_any_longer() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let becomes = async |sockets: f64, subscriptions: f64| {
        eventually(&format!("{sockets} sockets, {subscriptions} subscriptions"), BOUND, async || {
            let now = (service.metric("bidarc_sockets").await, service.metric("bidarc_subscriptions").await);
            (now == (sockets, subscriptions)).then_some(())
        })
        .await;
    };
    let mut one = service.socket().await;
    let mut other = service.socket().await;
    for id in ["a", "b", "c"] {
        one.subscribe(id, "subscription { events { id } }", json!({})).await;
        other.subscribe(id, "subscription { events { id } }", json!({})).await;
    }
    becomes(2.0, 6.0).await;
    one.send(json!({ "id": "b", "type": "complete" })).await;
    becomes(2.0, 5.0).await;
    one.subscribe("q", "{ __typename }", json!({})).await;
    assert_eq!(one.json().await["type"], "next");
    assert_eq!(one.json().await["type"], "complete");
    becomes(2.0, 5.0).await;
    // One that is gone without a word, and one that says so.
    drop(other);
    becomes(1.0, 2.0).await;
    one.send_frame(Frame::Close(None)).await;
    becomes(0.0, 0.0).await;
    service.stop(&database).await;
}
