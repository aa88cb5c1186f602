//! The feed across nodes: events that one node records reach the followers of all nodes, live, once
//! and in one order, from any cursor.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;

use super::{start_nodes, stop};
use crate::harness::{Cluster, Database, EventStream, Launch, Process, Subscription, TIMEOUT, envelope, eventually};

const RESUMED: &str = "subscription ($after: String) { events(after: $after) { id cursor } }";

async fn project(node: &Process, id: usize) -> String {
    node.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted()
}

/// A subscription from the head on. Without a cursor it would not say when it has begun.
async fn follow(node: &Process) -> Subscription {
    let head = node.head().await;
    Subscription::open(node, RESUMED, json!({ "after": head })).await
}

/// The events come one by one, so the test would take minutes if the nodes only polled every five
/// seconds.
#[tokio::test]
async fn committed_event_reaches_the_other_node_at_once() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = start_nodes(2, &database).await;
    let mut remote = follow(&nodes[1]).await;
    let mut local = follow(&nodes[0]).await;
    for id in 0..50 {
        let from = &nodes[id % 2];
        let event = project(from, id).await;
        assert_eq!(remote.next().await["events"]["id"], json!(event));
        assert_eq!(local.next().await["events"]["id"], json!(event));
    }
    local.complete().await;
    remote.complete().await;
    stop(nodes, &database).await;
}

#[tokio::test]
async fn event_reaches_the_other_node_by_polling_without_a_listener() {
    let database = Database::in_cluster(&Cluster::shared());
    let polling = || {
        let launch = Launch::new(database.directory()).env("BIDARC_DATABASE__WAKE_UP", "poll");
        launch.env("BIDARC_DATABASE__POLL_MILLISECONDS", "20").serve(0, &database)
    };
    let nodes = vec![polling().await, polling().await];
    let mut remote = follow(&nodes[1]).await;
    for id in 0..50 {
        let event = project(&nodes[0], id).await;
        assert_eq!(remote.next().await["events"]["id"], json!(event));
    }
    remote.complete().await;
    let signal_connections = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND (query LIKE 'LISTEN%' OR application_name IN ('bidarc listener', 'bidarc notifier'))";
    assert_eq!(database.numbers(signal_connections).await, [0]);
    stop(nodes, &database).await;
}

/// Terminates the connections with this name until it has terminated `count` at once.
async fn terminate_connections(name: &str, count: i64, database: &Database) {
    let terminate = format!(
        "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE application_name = '{name}' AND datname = current_database()"
    );
    eventually("all connections are open again", TIMEOUT, async || {
        (database.numbers(&terminate).await == [count]).then_some(())
    })
    .await;
}

/// The test cuts the listener connection several times. No notification is lost.
#[tokio::test(flavor = "multi_thread")]
async fn cut_listener_reconnects_and_misses_no_event() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = start_nodes(2, &database).await;
    let mut remote = follow(&nodes[1]).await;
    for id in 0..5 {
        terminate_connections("bidarc listener", 2, &database).await;
        let event = project(&nodes[0], id).await;
        assert_eq!(remote.next().await["events"]["id"], json!(event));
    }
    remote.complete().await;
    stop(nodes, &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_notifier_reconnects_and_delays_no_event() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = start_nodes(2, &database).await;
    let mut remote = follow(&nodes[1]).await;
    for id in 0..5 {
        let event = project(&nodes[0], id).await;
        assert_eq!(remote.next().await["events"]["id"], json!(event));
        terminate_connections("bidarc notifier", 1, &database).await;
    }
    remote.complete().await;
    stop(nodes, &database).await;
}

/// Three nodes get deliveries at once and have followers. All followers get the same events in the
/// same order.
#[tokio::test(flavor = "multi_thread")]
async fn followers_of_all_nodes_get_one_order() {
    const EVENTS: usize = 300;
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = start_nodes(3, &database).await;
    let head = nodes[0].head().await;
    assert_eq!(nodes[2].head().await, head, "all nodes return the same cursor");
    let mut followers = Vec::new();
    for node in &nodes {
        followers.push(Subscription::open(node, RESUMED, json!({ "after": head })).await);
        followers.push(node.subscribe("subscription { events { id } }").await);
    }
    let posts = (0..EVENTS).map(|id| project(&nodes[id % 3], id));
    let accepted: HashSet<String> = join_all(posts).await.into_iter().collect();
    assert_eq!(accepted.len(), EVENTS);
    let expected: Vec<String> = (1..=EVENTS).map(|seq| format!("event:{seq}")).collect();
    for follower in &mut followers {
        let mut seen = Vec::new();
        while seen.len() < EVENTS {
            seen.push(follower.next().await["events"]["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(seen, expected);
    }
    for follower in followers {
        follower.complete().await;
    }
    for node in &nodes {
        let mut log: Vec<_> = node.log("id").await;
        assert_eq!(
            log.iter_mut().map(|event| event["id"].take()).collect::<Vec<_>>(),
            json!(expected).as_array().unwrap()[..]
        );
    }
    stop(nodes, &database).await;
}

/// A client brings a cursor from one node to another that may not know the event yet. The cursor
/// must be accepted.
#[tokio::test]
async fn cursor_from_one_node_is_accepted_by_another_at_once() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = start_nodes(2, &database).await;
    let mut local = follow(&nodes[0]).await;
    for id in 0..30 {
        project(&nodes[0], 2 * id).await;
        let cursor = local.next().await["events"]["cursor"].clone();
        let mut remote = Subscription::open(&nodes[1], RESUMED, json!({ "after": cursor })).await;
        let streamed = EventStream::request(&nodes[1], RESUMED, json!({ "after": cursor }));
        let mut streamed = EventStream::open(streamed).await;
        let event = project(&nodes[0], 2 * id + 1).await;
        assert_eq!(remote.next().await["events"]["id"], json!(event));
        assert_eq!(streamed.response().await.data["data"]["events"]["id"], json!(event));
        local.next().await;
        remote.complete().await;
    }
    local.complete().await;
    stop(nodes, &database).await;
}

/// All nodes get the same bodies at once, as when another node gets a vendor's retry while the
/// first still works.
#[tokio::test(flavor = "multi_thread")]
async fn same_body_at_all_nodes_is_one_event() {
    const BODIES: usize = 60;
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = start_nodes(3, &database).await;
    for (event, data) in [
        ("project.created", r#"{"id":ID}"#),
        ("proposal.status_changed", r#"{"proposal_id":ID,"status":"PENDING"}"#),
        ("drawing.updated", r#"{"id":ID,"project_id":1}"#),
    ] {
        let posts = (0..BODIES).flat_map(|id| nodes.iter().map(move |node| (id, node))).map(|(id, node)| async move {
            let data = data.replace("ID", &(1000 + id).to_string());
            (id, node.post("/webhooks/arcsite", envelope(event, &data)).await.receipt())
        });
        let mut receipts_by_body: Vec<Vec<_>> = (0..BODIES).map(|_| Vec::new()).collect();
        for (id, receipt) in join_all(posts).await {
            receipts_by_body[id].push(receipt);
        }
        for receipts in receipts_by_body {
            let events: HashSet<_> = receipts.iter().map(|receipt| receipt.event_id.clone()).collect();
            let accepted = receipts.iter().filter(|receipt| receipt.outcome == "ACCEPTED").count();
            assert_eq!((receipts.len(), events.len(), accepted), (3, 1, 1), "{receipts:?}");
        }
    }
    assert_eq!(nodes[0].event_count().await, 3 * BODIES as u64);
    stop(nodes, &database).await;
}

/// The keys command runs in another process than the nodes.
#[tokio::test]
async fn key_change_reaches_all_nodes_and_their_sockets() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = start_nodes(2, &database).await;
    let token = crate::harness::add_key(&database, "office", "read").await;
    for node in &nodes {
        let client = node.with_token(&token);
        eventually("the node knows the key", TIMEOUT, async || {
            let with = client.post("/graphql", r#"{"query":"{ headCursor }"}"#).await.status;
            let without = node.post("/graphql", r#"{"query":"{ headCursor }"}"#).await.status;
            ((with, without) == (200, 401)).then_some(())
        })
        .await;
    }
    let mut sockets = Vec::new();
    for node in &nodes {
        sockets.push(node.with_token(&token).socket().await);
    }
    crate::harness::revoke_key(&database, "office").await;
    for mut socket in sockets {
        assert_eq!(socket.close().await.0, 4403);
    }
    stop(nodes, &database).await;
}
