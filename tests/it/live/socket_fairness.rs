//! Many operations on one socket: they progress fairly, their number is limited, and an ended
//! operation releases its resources.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt};
use serde_json::json;
use tungstenite::Message as Frame;

use crate::harness::{Database, Process, Service, TIMEOUT, eventually};

/// The limit of operations for one socket.
const OPERATIONS_MAX: usize = 100;

/// Enough that all replays begin long before the first one can end.
const EVENTS: usize = 1000;

/// A replay that always has a message ready does not delay live events or responses until its end.
#[tokio::test(flavor = "multi_thread")]
async fn busy_operation_does_not_starve_the_others() {
    const REPLAYS: [&str; 4] = ["0", "1", "2", "3"];
    let service = Service::open().await;
    let start = service.head().await;
    // Each event is long enough that one write does not take all of them.
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
    // The counts when the last replay had begun, and when the first one was complete.
    let (mut begun, mut first_complete) = (None, None);
    let (mut response_at, mut pong_at) = (None, None);
    for at in 0_usize.. {
        let message = socket.json().await;
        match (message["type"].as_str().unwrap(), message["id"].as_str()) {
            ("pong", _) => pong_at = Some(at),
            ("next", Some("query")) => response_at = Some(at),
            ("next", Some(id)) => *seen.get_mut(id).unwrap() += 1,
            (other, _) => assert_eq!(other, "complete", "{message}"),
        }
        if begun.is_none() && seen.values().all(|seen| *seen > 0) {
            begun = Some(seen.clone());
        }
        if first_complete.is_none() && seen.values().any(|seen| *seen == EVENTS) {
            first_complete = Some(seen.clone());
        }
        if seen.values().all(|seen| *seen == EVENTS) {
            break;
        }
    }
    let (begun, complete) = (begun.unwrap(), first_complete.unwrap());
    let progress: Vec<usize> = REPLAYS.iter().map(|id| complete[*id].saturating_sub(begun[*id])).collect();
    let (least, most) = (progress.iter().min().unwrap(), progress.iter().max().unwrap());
    // If the service preferred one replay, that one would end while another had hardly progressed,
    // or the others would begin after it.
    assert!(*most > 100 && 3 * least > *most, "{progress:?} messages between {begun:?} and {complete:?}");
    assert!(response_at.is_some_and(|at| at < EVENTS), "the response to the query came after {response_at:?} messages");
    assert!(pong_at.is_some_and(|at| at < EVENTS), "the pong came after {pong_at:?} messages");
    service.stop().await;
}

#[tokio::test]
async fn operation_beyond_the_limit_is_refused() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    for id in 0..=OPERATIONS_MAX {
        socket.subscribe(&id.to_string(), "subscription { events { id } }", json!({})).await;
    }
    let error = socket.json().await;
    assert_eq!((&error["id"], &error["type"]), (&json!(OPERATIONS_MAX.to_string()), &json!("error")), "{error}");
    assert_eq!(error["payload"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{error}");
    // The others continue. A new operation may begin after one has ended.
    socket.send(json!({ "id": "0", "type": "complete" })).await;
    socket.subscribe("more", "{ __typename }", json!({})).await;
    assert_eq!(socket.json().await["payload"]["data"], json!({ "__typename": "Query" }));
    assert_eq!(socket.json().await, json!({ "id": "more", "type": "complete" }));
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    let mut ids = Vec::new();
    for _ in 1..OPERATIONS_MAX {
        ids.push(socket.json().await["id"].as_str().unwrap().parse::<usize>().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..OPERATIONS_MAX).collect::<Vec<_>>());
    service.stop().await;
}

/// The service runs in its own process, so that its metrics count only this service.
#[tokio::test]
async fn ended_operation_is_no_longer_executed() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let wait_for_counts = async |sockets: f64, subscriptions: f64| {
        eventually(&format!("{sockets} sockets, {subscriptions} subscriptions"), TIMEOUT, async || {
            let counts = (service.metric("bidarc_sockets").await, service.metric("bidarc_subscriptions").await);
            (counts == (sockets, subscriptions)).then_some(())
        })
        .await;
    };
    let mut first = service.socket().await;
    let mut second = service.socket().await;
    for id in ["a", "b", "c"] {
        first.subscribe(id, "subscription { events { id } }", json!({})).await;
        second.subscribe(id, "subscription { events { id } }", json!({})).await;
    }
    wait_for_counts(2.0, 6.0).await;
    first.send(json!({ "id": "b", "type": "complete" })).await;
    wait_for_counts(2.0, 5.0).await;
    first.subscribe("q", "{ __typename }", json!({})).await;
    assert_eq!(first.json().await["type"], "next");
    assert_eq!(first.json().await["type"], "complete");
    wait_for_counts(2.0, 5.0).await;
    // One client disconnects without a close frame, the other with one.
    drop(second);
    wait_for_counts(1.0, 2.0).await;
    first.send_frame(Frame::Close(None)).await;
    wait_for_counts(0.0, 0.0).await;
    service.stop(&database).await;
}
