//! Many operations on one socket: each has its turn, there may be so many, and one that ends costs nothing any more.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt};
use serde_json::json;
use tungstenite::Message as Frame;

use crate::harness::{BOUND, Database, Process, Service, eventually};

/// How many operations a socket may have.
const MOST: usize = 100;

/// So many that all replays have begun long before the first one can be at its end.
const EVENTS: usize = 1000;

/// A replay that has always something to say does not keep live events, or answers to questions, waiting for its end.
#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_always_has_more_does_not_starve_the_others() {
    const REPLAYS: [&str; 4] = ["0", "1", "2", "3"];
    let service = Service::open().await;
    let start = service.head().await;
    // Each long enough that not all of them are written at one go.
    let name = "x".repeat(2000);
    let post = async |id| {
        service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#)).await.accepted();
    };
    stream::iter(0..EVENTS).for_each_concurrent(8, post).await;
    let mut socket = service.socket().await;
    let replay = "subscription ($after: String) { events(after: $after) { id payload } }";
    for id in REPLAYS {
        socket.subscribe(id, replay, json!({ "after": start })).await;
    }
    socket.subscribe("query", "{ __typename }", json!({})).await;
    socket.send(json!({ "type": "ping" })).await;

    let mut seen = HashMap::from(REPLAYS.map(|id| (id.to_owned(), 0)));
    // What each had when the last one of them had begun, and when the first one was complete.
    let (mut begun, mut one_is_complete) = (None, None);
    let (mut answered_at, mut pong_at) = (None, None);
    for at in 0_usize.. {
        let message = socket.json().await;
        match (message["type"].as_str().unwrap(), message["id"].as_str()) {
            ("pong", _) => pong_at = Some(at),
            ("next", Some("query")) => answered_at = Some(at),
            ("next", Some(id)) => *seen.get_mut(id).unwrap() += 1,
            (other, _) => assert_eq!(other, "complete", "{message}"),
        }
        if begun.is_none() && seen.values().all(|seen| *seen > 0) {
            begun = Some(seen.clone());
        }
        if one_is_complete.is_none() && seen.values().any(|seen| *seen == EVENTS) {
            one_is_complete = Some(seen.clone());
        }
        if seen.values().all(|seen| *seen == EVENTS) {
            break;
        }
    }
    let (begun, complete) = (begun.unwrap(), one_is_complete.unwrap());
    let since: Vec<usize> = REPLAYS.iter().map(|id| complete[*id].saturating_sub(begun[*id])).collect();
    let (least, most) = (since.iter().min().unwrap(), since.iter().max().unwrap());
    // Had one been preferred, it would have come to its end while another had hardly gone on; or the others would have begun after it.
    assert!(*most > 100 && 3 * least > *most, "{since:?} messages between {begun:?} and {complete:?}");
    assert!(answered_at.is_some_and(|at| at < EVENTS), "the query was answered after {answered_at:?} messages");
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
