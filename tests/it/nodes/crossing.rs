//! What one node records, the others give: live, in one order, from any cursor, and once.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;

use super::{nodes, stop};
use crate::harness::{BOUND, Cluster, Database, EventStream, Launch, Process, Subscription, envelope, eventually};

const LIVE: &str = "subscription { events { id cursor } }";
const RESUMED: &str = "subscription ($after: String) { events(after: $after) { id } }";

async fn project(node: &Process, id: usize) -> String {
    node.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted()
}

/// One after the other: by a look every five seconds it would take minutes.
#[tokio::test]
async fn events_cross_as_they_are_committed() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = nodes(2, &database).await;
    let mut there = nodes[1].subscribe(LIVE).await;
    let mut here = nodes[0].subscribe(LIVE).await;
    for id in 0..50 {
        let from = &nodes[id % 2];
        let event = project(from, id).await;
        assert_eq!(there.next().await["events"]["id"], json!(event));
        assert_eq!(here.next().await["events"]["id"], json!(event));
    }
    here.complete().await;
    there.complete().await;
    stop(nodes, &database).await;
}

#[tokio::test]
async fn where_nobody_can_listen_they_cross_by_looking() {
    let database = Database::in_cluster(&Cluster::shared());
    let polling = || {
        let launch = Launch::new(database.directory()).env("BIDARC_DATABASE__WAKE_UP", "poll");
        launch.env("BIDARC_DATABASE__POLL_MILLISECONDS", "20").serve(0, &database)
    };
    let nodes = vec![polling().await, polling().await];
    let mut there = nodes[1].subscribe(LIVE).await;
    for id in 0..50 {
        let event = project(&nodes[0], id).await;
        assert_eq!(there.next().await["events"]["id"], json!(event));
    }
    there.complete().await;
    let talking = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND (query LIKE 'LISTEN%' OR application_name IN ('bidarc listener', 'bidarc notifier'))";
    assert_eq!(database.numbers(talking).await, [0]);
    stop(nodes, &database).await;
}

/// Waits until so many connections of that name are there, and ends them. (Where it finds fewer, it ends those and waits on.)
async fn cut(name: &str, count: i64, database: &Database) {
    let cut = format!(
        "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE application_name = '{name}' AND datname = current_database()"
    );
    eventually("all are there again", BOUND, async || (database.numbers(&cut).await == [count]).then_some(())).await;
}

/// The connection that listens is cut, again and again: nothing that was said meanwhile is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_listens_is_made_again() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = nodes(2, &database).await;
    let mut there = nodes[1].subscribe(LIVE).await;
    for id in 0..5 {
        cut("bidarc listener", 2, &database).await;
        let event = project(&nodes[0], id).await;
        assert_eq!(there.next().await["events"]["id"], json!(event));
    }
    there.complete().await;
    stop(nodes, &database).await;
}

/// So is the one over which a node tells the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_tells_is_made_again() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = nodes(2, &database).await;
    let mut there = nodes[1].subscribe(LIVE).await;
    for id in 0..5 {
        let event = project(&nodes[0], id).await;
        assert_eq!(there.next().await["events"]["id"], json!(event));
        cut("bidarc notifier", 1, &database).await;
    }
    there.complete().await;
    stop(nodes, &database).await;
}

/// Three nodes are posted to at once, and followed at all three: every follower sees the same in the same order.
#[tokio::test(flavor = "multi_thread")]
async fn every_follower_sees_one_order() {
    const EVENTS: usize = 300;
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = nodes(3, &database).await;
    let head = nodes[0].head().await;
    assert_eq!(nodes[2].head().await, head, "a cursor is the same everywhere");
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

/// A client comes with what another node has just told it: that this one may not have heard of it yet is no fault of the cursor.
#[tokio::test]
async fn a_cursor_of_one_node_is_taken_by_another_at_once() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = nodes(2, &database).await;
    let mut here = nodes[0].subscribe(LIVE).await;
    for id in 0..30 {
        project(&nodes[0], 2 * id).await;
        let cursor = here.next().await["events"]["cursor"].clone();
        let mut there = Subscription::open(&nodes[1], RESUMED, json!({ "after": cursor })).await;
        let streamed = EventStream::request(&nodes[1], RESUMED, json!({ "after": cursor }));
        let mut streamed = EventStream::open(streamed).await;
        let event = project(&nodes[0], 2 * id + 1).await;
        assert_eq!(there.next().await["events"]["id"], json!(event));
        assert_eq!(streamed.response().await.data["data"]["events"]["id"], json!(event));
        here.next().await;
        there.complete().await;
    }
    here.complete().await;
    stop(nodes, &database).await;
}

/// The same bodies at all nodes at once: a vendor's retry that another node gets while the first is still at work.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_body_at_all_nodes_is_one_event() {
    const BODIES: usize = 60;
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = nodes(3, &database).await;
    for (event, data) in [
        ("project.created", r#"{"id":ID}"#),
        ("proposal.status_changed", r#"{"proposal_id":ID,"status":"PENDING"}"#),
        ("drawing.updated", r#"{"id":ID,"project_id":1}"#),
    ] {
        let posts = (0..BODIES).flat_map(|id| nodes.iter().map(move |node| (id, node))).map(|(id, node)| async move {
            let data = data.replace("ID", &(1000 + id).to_string());
            (id, node.post("/webhooks/arcsite", envelope(event, &data)).await.receipt())
        });
        let mut receipts: Vec<Vec<_>> = (0..BODIES).map(|_| Vec::new()).collect();
        for (id, receipt) in join_all(posts).await {
            receipts[id].push(receipt);
        }
        for of_one in receipts {
            let events: HashSet<_> = of_one.iter().map(|receipt| receipt.event_id.clone()).collect();
            let new = of_one.iter().filter(|receipt| receipt.outcome == "ACCEPTED").count();
            assert_eq!((of_one.len(), events.len(), new), (3, 1, 1), "{of_one:?}");
        }
    }
    assert_eq!(nodes[0].total().await, 3 * BODIES as u64);
    stop(nodes, &database).await;
}

/// A key that one process makes or takes back counts at all nodes, on open sockets too.
#[tokio::test]
async fn a_key_counts_everywhere() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = nodes(2, &database).await;
    let token = crate::harness::add_key(&database, "office", "read").await;
    for node in &nodes {
        let client = node.with_token(&token);
        eventually("the key is known", BOUND, async || {
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
