//! The database is gone, or answers nothing: vendors are asked to come again in time, streams stay, and all comes back by itself.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;

use super::{nodes, stop};
use crate::harness::{
    BOUND, Client, Cluster, Database, EventStream, Launch, Subscription, add_key, envelope, eventually,
};

/// How soon a vendor has its answer, whatever happens.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
/// How long it may take until all is as before.
const BACK_WITHIN: Duration = Duration::from_secs(30);
const LIVE: &str = "subscription { events { id } }";

async fn hook(node: &Client, id: &str) -> u16 {
    let started = Instant::now();
    let answer = node.post("/webhooks/arcsite", envelope("project.created", &format!(r#"{{"id":"{id}"}}"#))).await;
    let took = started.elapsed();
    assert!(took < ANSWERED_WITHIN, "{took:?}: {answer:?}");
    if answer.status != 200 {
        assert_eq!((answer.status, answer.json()["error"].as_str()), (503, Some("not available now; try again")));
        assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    }
    answer.status
}

/// What both kinds of failure have in common.
async fn survives(fail: impl FnOnce(&Cluster), mend: impl FnOnce(&Cluster)) {
    let cluster = Cluster::own();
    let database = Database::in_cluster(&cluster);
    let token = add_key(&database, "office", "read").await;
    let nodes = nodes(2, &database).await;
    let clients: Vec<Client> = nodes.iter().map(|node| node.with_token(&token)).collect();
    let mut sockets: Vec<Subscription> = Vec::new();
    let mut streams = Vec::new();
    for client in &clients {
        sockets.push(client.subscribe(LIVE).await);
        streams.push(EventStream::open(EventStream::request(client, LIVE, json!({}))).await);
    }
    assert_eq!(hook(&nodes[0], "before").await, 200);
    for at in 0..2 {
        assert_eq!(sockets[at].next().await["events"]["id"], "event:1");
        assert_eq!(streams[at].response().await.data["data"]["events"]["id"], "event:1");
    }

    fail(&cluster);
    for at in 0..2 {
        let answers = join_all((0..10).map(|id| {
            let id = format!("meanwhile-{at}-{id}");
            let node = &nodes[at];
            async move { hook(node, &id).await }
        }));
        assert_eq!(answers.await, [503; 10]);
        eventually("it is not ready", BOUND, async || (nodes[at].get("/readyz").await.status == 503).then_some(()))
            .await;
        assert_eq!(nodes[at].get("/healthz").await.status, 200);
        let answer = eventually("queries are 503", BOUND, async || {
            let answer = clients[at].ask("{ headCursor }", json!({})).await;
            (answer.status == 503).then_some(answer)
        })
        .await;
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "UNAVAILABLE");
        assert!(answer.header("retry-after").is_some());
    }
    // Past the second for which the keys are trusted: whoever is there stays, and nobody new comes in.
    let knocking = clients[0].get("/metrics").await;
    assert_eq!(knocking.status, 503, "{knocking:?}");

    mend(&cluster);
    for node in &nodes {
        eventually("it is ready", BACK_WITHIN, async || (node.get("/readyz").await.status == 200).then_some(())).await;
    }
    for (at, node) in nodes.iter().enumerate() {
        eventually("deliveries are taken", BACK_WITHIN, async || {
            let answer =
                node.post("/webhooks/arcsite", envelope("project.created", &format!(r#"{{"id":"after-{at}"}}"#)));
            (answer.await.status == 200).then_some(())
        })
        .await;
    }
    let log = eventually("queries are answered", BACK_WITHIN, async || {
        let answer = clients[1].ask("{ events(first: 100) { nodes { id } } }", json!({})).await;
        (answer.status == 200).then(|| answer.json()["data"]["events"]["nodes"].take())
    })
    .await;
    // On the very sockets and streams of before, without a gap; what was recorded meanwhile although it was answered 503, too.
    for event in log.as_array().unwrap().iter().rev().skip(1) {
        for at in 0..2 {
            assert_eq!(&sockets[at].next().await["events"], event);
            assert_eq!(&streams[at].response().await.data["data"]["events"], event);
        }
    }
    for socket in sockets {
        socket.complete().await;
    }
    drop(streams);
    stop(nodes, &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_comes_back_by_itself() {
    survives(Cluster::crash, Cluster::start_again).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_comes_back_by_itself() {
    survives(Cluster::pause, Cluster::resume).await;
}

/// One query holds the only connection: those behind it are told so, and the vendors are none the worse.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_is_exhausted_is_503_and_no_hang() {
    let database = Database::in_cluster(&Cluster::shared());
    let launch = Launch::new(database.directory()).env("BIDARC_DATABASE__READERS", "1");
    let node = launch.serve(0, &database).await;
    let connection = database.connect().await;
    let blocking = connection.begin().await.unwrap();
    blocking.execute_unprepared("LOCK TABLE client IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let client = Client::clone(&node);
    let stuck = tokio::spawn(async move { client.query("{ clients(first: 1) { totalCount } }").await });
    eventually("the query waits", BOUND, async || {
        let waiting =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        (database.numbers(waiting).await == [1]).then_some(())
    })
    .await;
    let started = Instant::now();
    for answer in join_all((0..20).map(|_| node.ask("{ projects(first: 1) { totalCount } }", json!({})))).await {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    }
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    // What the service itself must know has connections of its own: vendors are none the worse, hooks whose token is looked up among
    // them, and it is ready for more.
    assert_eq!(hook(&node, "1").await, 200);
    assert_eq!(node.post(&format!("/webhooks/bidsketch/{}", "0".repeat(64)), "{}").await.status, 404);
    assert_eq!(node.get("/readyz").await.status, 200);
    blocking.rollback().await.unwrap();
    connection.close().await.unwrap();
    assert_eq!(stuck.await.unwrap()["clients"]["totalCount"], 0);
    assert_eq!(node.query("{ projects(first: 1) { totalCount } }").await["projects"]["totalCount"], 1);
    node.stop(&database).await;
}

/// Anybody can have tokens of hooks looked up: that it takes long keeps nobody from the API.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_looked_up_do_not_keep_the_keys_from_being_read() {
    let database = Database::in_cluster(&Cluster::shared());
    let token = add_key(&database, "office", "read").await;
    let node = nodes(1, &database).await.remove(0);
    let client = node.with_token(&token);
    let connection = database.connect().await;
    let blocking = connection.begin().await.unwrap();
    blocking.execute_unprepared("LOCK TABLE bidsketch_webhook IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let path = format!("/webhooks/bidsketch/{}", "0".repeat(64));
    for answer in join_all((0..20).map(|_| node.post(&path, "{}"))).await {
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    // Longer than what was read last is trusted for: a key that is made now is known soon.
    let other = node.with_token(&add_key(&database, "other", "read").await);
    for client in [client, other] {
        eventually("it is let in", BOUND, async || {
            let answer = client.ask("{ projects(first: 1) { totalCount } }", json!({})).await;
            assert_ne!(answer.status, 503, "{answer:?}");
            (answer.status == 200).then_some(())
        })
        .await;
    }
    blocking.rollback().await.unwrap();
    connection.close().await.unwrap();
    eventually("hooks are answered again", BOUND, async || (node.post(&path, "{}").await.status == 404).then_some(()))
        .await;
    stop(vec![node], &database).await;
}

/// A node that hangs while it writes keeps the others from it for seconds, not for good: the server ends its session.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hangs_with_the_lock_loses_it() {
    let database = Database::in_cluster(&Cluster::shared());
    let mut nodes = nodes(2, &database).await;
    let (hanging, other) = (nodes.remove(0), nodes.remove(0));
    // Its deliveries wait in the middle of their transaction, and then it stands still.
    let connection = database.connect().await;
    let blocking = connection.begin().await.unwrap();
    blocking.execute_unprepared("LOCK TABLE project IN EXCLUSIVE MODE").await.unwrap();
    let client = Client::clone(&hanging);
    let stuck = tokio::spawn(async move { client.arcsite("project.created", r#"{"id":"stuck"}"#).await });
    eventually("it waits with the lock", BOUND, async || {
        let waiting =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        (database.numbers(waiting).await == [1]).then_some(())
    })
    .await;
    hanging.signal("STOP").await;
    blocking.rollback().await.unwrap();
    connection.close().await.unwrap();
    assert_eq!(hook(&other, "1").await, 503);
    eventually("deliveries are taken again", BACK_WITHIN, async || (hook(&other, "1").await == 200).then_some(()))
        .await;
    assert_eq!(other.total().await, 1, "what it had not committed is not there");
    hanging.signal("CONT").await;
    stuck.abort();
    // It is none the worse.
    eventually("it takes deliveries itself", BACK_WITHIN, async || (hook(&hanging, "2").await == 200).then_some(()))
        .await;
    stop(vec![hanging, other], &database).await;
}

/// A database that was put back to an earlier state: what a node knows of the log is wrong, so it ends, to be started anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_has_lost_events_ends_the_service() {
    let database = Database::in_cluster(&Cluster::shared());
    let mut nodes = nodes(1, &database).await;
    let node = nodes.remove(0);
    for id in 0..3 {
        assert_eq!(hook(&node, &id.to_string()).await, 200);
    }
    let connection = database.connect().await;
    for put_back in ["DELETE FROM delivery WHERE id > 2", "DELETE FROM event WHERE seq > 2"] {
        connection.execute_unprepared(put_back).await.unwrap();
    }
    connection.close().await.unwrap();
    eventually("it says so", BACK_WITHIN, async || {
        node.log_so_far().contains("the log ends before a place that it had").then_some(())
    })
    .await;
    assert!(!node.ended().await.success());
}
