//! Database outages. Vendors get a prompt 503, streams stay open, and the service recovers without
//! help.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement, TransactionTrait};
use serde_json::json;
use tokio::time::sleep;

use super::{start_nodes, stop};
use crate::harness::{
    Client, Cluster, Database, EventStream, Launch, POSTGRES_WRITE_LOCK, Process, Subscription, TIMEOUT, add_key,
    envelope, eventually,
};

/// The longest time until a vendor gets a response, and what a busy machine may need besides.
const RESPONSE_WITHIN: Duration = Duration::from_secs(2 + 3);
/// The longest time until the service has recovered.
const RECOVERED_WITHIN: Duration = Duration::from_secs(30);
const LIVE: &str = "subscription ($after: String) { events(after: $after) { id } }";

async fn post_hook(node: &Client, id: &str) -> u16 {
    let started = Instant::now();
    let response = node.post("/webhooks/arcsite", envelope("project.created", &format!(r#"{{"id":"{id}"}}"#))).await;
    let took = started.elapsed();
    assert!(took < RESPONSE_WITHIN, "{took:?}: {response:?}");
    if response.status != 200 {
        assert_eq!((response.status, response.json()["error"].as_str()), (503, Some("not available now; try again")));
        assert!(response.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    }
    response.status
}

/// Asserts that two nodes recover from a failure of the database.
async fn assert_recovers(fail: impl FnOnce(&Cluster), repair: impl FnOnce(&Cluster)) {
    let cluster = Cluster::dedicated();
    let database = Database::in_cluster(&cluster);
    let token = add_key(&database, "office", "read").await;
    let nodes = start_nodes(2, &database).await;
    let clients: Vec<Client> = nodes.iter().map(|node| node.with_token(&token)).collect();
    let mut sockets: Vec<Subscription> = Vec::new();
    let mut streams = Vec::new();
    for client in &clients {
        // Without a cursor a subscription would not say when it has begun.
        let after = json!({ "after": client.head().await });
        sockets.push(Subscription::open(client, LIVE, after.clone()).await);
        streams.push(EventStream::open(EventStream::request(client, LIVE, after)).await);
    }
    assert_eq!(post_hook(&nodes[0], "before").await, 200);
    for at in 0..2 {
        assert_eq!(sockets[at].next().await["events"]["id"], "event:1");
        assert_eq!(streams[at].response().await.data["data"]["events"]["id"], "event:1");
    }

    fail(&cluster);
    for at in 0..2 {
        let statuses = join_all((0..10).map(|id| {
            let id = format!("meanwhile-{at}-{id}");
            let node = &nodes[at];
            async move { post_hook(node, &id).await }
        }));
        assert_eq!(statuses.await, [503; 10]);
        eventually("the node is not ready", TIMEOUT, async || {
            (nodes[at].get("/readyz").await.status == 503).then_some(())
        })
        .await;
        assert_eq!(nodes[at].get("/healthz").await.status, 200);
        let response = eventually("queries are 503", TIMEOUT, async || {
            let response = clients[at].graphql("{ headCursor }", json!({})).await;
            (response.status == 503).then_some(response)
        })
        .await;
        assert_eq!(response.json()["errors"][0]["extensions"]["code"], "UNAVAILABLE");
        assert!(response.header("retry-after").is_some());
    }
    // The cached keys have expired after one second. Open sockets stay, and new requests are
    // refused.
    let metrics = clients[0].get("/metrics").await;
    assert_eq!(metrics.status, 503, "{metrics:?}");

    repair(&cluster);
    for node in &nodes {
        eventually("the node is ready", RECOVERED_WITHIN, async || {
            (node.get("/readyz").await.status == 200).then_some(())
        })
        .await;
    }
    for (at, node) in nodes.iter().enumerate() {
        eventually("deliveries are accepted", RECOVERED_WITHIN, async || {
            let response =
                node.post("/webhooks/arcsite", envelope("project.created", &format!(r#"{{"id":"after-{at}"}}"#)));
            (response.await.status == 200).then_some(())
        })
        .await;
    }
    let log = eventually("queries get a response", RECOVERED_WITHIN, async || {
        let response = clients[1].graphql("{ events(first: 100) { nodes { id } } }", json!({})).await;
        (response.status == 200).then(|| response.json()["data"]["events"]["nodes"].take())
    })
    .await;
    // The open sockets and streams get every event without a gap. A delivery that got a 503 may
    // have been recorded.
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
async fn nodes_recover_from_a_crashed_database() {
    assert_recovers(Cluster::crash, Cluster::start_after_crash).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_recover_from_a_hanging_database() {
    assert_recovers(Cluster::pause, Cluster::resume).await;
}

/// One query holds the only reader connection. Other queries get a 503, and hooks still work.
#[tokio::test(flavor = "multi_thread")]
async fn exhausted_pool_gets_a_503_and_no_hang() {
    let database = Database::in_cluster(&Cluster::shared());
    let launch = Launch::new(database.directory()).env("BIDARC_DATABASE__READERS", "1");
    let node = launch.serve(0, &database).await;
    let connection = database.connect().await;
    let blocking = connection.begin().await.unwrap();
    blocking.execute_unprepared("LOCK TABLE client IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let client = Client::clone(&node);
    let stuck = tokio::spawn(async move { client.query("{ clients(first: 1) { totalCount } }").await });
    eventually("the query waits", TIMEOUT, async || {
        // The service itself looks for rows to fold now and then, and waits too.
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                       AND datname = current_database() AND query NOT LIKE '%_folded%'";
        (database.numbers(waiting).await == [1]).then_some(())
    })
    .await;
    let started = Instant::now();
    for response in join_all((0..20).map(|_| node.graphql("{ projects(first: 1) { totalCount } }", json!({})))).await {
        assert_eq!(response.status, 503, "{response:?}");
        assert_eq!(response.json()["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    }
    assert!(started.elapsed() < TIMEOUT, "{:?}", started.elapsed());
    // The service has reserved connections for its own reads. Hooks still work, also those whose
    // token is looked up in the database, and the node is ready.
    assert_eq!(post_hook(&node, "1").await, 200);
    assert_eq!(node.post(&format!("/webhooks/bidsketch/{}", "0".repeat(64)), "{}").await.status, 404);
    assert_eq!(node.get("/readyz").await.status, 200);
    blocking.rollback().await.unwrap();
    connection.close().await.unwrap();
    assert_eq!(stuck.await.unwrap()["clients"]["totalCount"], 0);
    assert_eq!(node.query("{ projects(first: 1) { totalCount } }").await["projects"]["totalCount"], 1);
    node.stop(&database).await;
}

/// Anyone can cause token look-ups with hook requests. Slow look-ups must not block the API.
#[tokio::test(flavor = "multi_thread")]
async fn slow_hook_token_lookups_do_not_block_key_reads() {
    let database = Database::in_cluster(&Cluster::shared());
    let token = add_key(&database, "office", "read").await;
    let node = start_nodes(1, &database).await.remove(0);
    let client = node.with_token(&token);
    let connection = database.connect().await;
    let blocking = connection.begin().await.unwrap();
    blocking.execute_unprepared("LOCK TABLE bidsketch_webhook IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let path = format!("/webhooks/bidsketch/{}", "0".repeat(64));
    for response in join_all((0..20).map(|_| node.post(&path, "{}"))).await {
        assert_eq!(response.status, 503, "{response:?}");
    }
    // The keys must be read again meanwhile: a key that is added now is soon known.
    let other = node.with_token(&add_key(&database, "other", "read").await);
    for client in [client, other] {
        eventually("the key is accepted", TIMEOUT, async || {
            let response = client.graphql("{ projects(first: 1) { totalCount } }", json!({})).await;
            assert_ne!(response.status, 503, "{response:?}");
            (response.status == 200).then_some(())
        })
        .await;
    }
    blocking.rollback().await.unwrap();
    connection.close().await.unwrap();
    eventually("hooks get a response again", TIMEOUT, async || {
        (node.post(&path, "{}").await.status == 404).then_some(())
    })
    .await;
    stop(vec![node], &database).await;
}

/// Suspends the process of a node in the middle of the transaction of a delivery, which keeps the
/// write lock.
async fn suspend_in_transaction(node: &Process, database: &Database) {
    let connection = database.connect().await;
    // A delivery that arrives again writes nothing that waits. So each try has one of its own.
    for id in 0..5 {
        let blocking = connection.begin().await.unwrap();
        blocking.execute_unprepared("LOCK TABLE project IN EXCLUSIVE MODE").await.unwrap();
        let client = Client::clone(node);
        let stuck = tokio::spawn(async move { post_hook(&client, &format!("stuck {id}")).await });
        // Background tasks may wait for the write lock meanwhile. This one waits for the table.
        let waits = "SELECT 1 FROM pg_locks WHERE relation = 'project'::regclass AND NOT granted";
        eventually("the delivery waits", TIMEOUT, async || first_row(&blocking, waits).await).await;
        node.signal("STOP").await;
        blocking.rollback().await.unwrap();
        stuck.abort();
        if session_keeps_write_lock(&connection).await {
            connection.close().await.unwrap();
            return;
        }
        node.signal("CONT").await;
    }
    panic!("the node was never suspended in its transaction");
}

/// Whether the session that has the write lock waits within its transaction, as soon as it has
/// ended its statement. The server ends a statement that waits for more than 1.5 seconds, and with
/// it the transaction. On a busy machine that may have been before.
async fn session_keeps_write_lock(connection: &DatabaseConnection) -> bool {
    let key = POSTGRES_WRITE_LOCK.trim_start_matches(|letter: char| !letter.is_ascii_digit()).trim_end_matches(')');
    let state = format!(
        "SELECT state FROM pg_locks JOIN pg_stat_activity USING (pid) \
         WHERE locktype = 'advisory' AND granted AND datname = current_database() \
         AND (classid::bigint << 32 | objid::bigint) = {key} AND state <> 'active'"
    );
    for _ in 0..100 {
        if let Some(row) = first_row(connection, &state).await {
            return row.try_get_by_index::<String>(0).unwrap() == "idle in transaction";
        }
        sleep(Duration::from_millis(20)).await;
    }
    false
}

async fn first_row<C: ConnectionTrait>(connection: &C, sql: &str) -> Option<QueryResult> {
    connection.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap()
}

/// A node that hangs in a transaction blocks the other writers only for seconds. Then the server
/// ends its session.
#[tokio::test(flavor = "multi_thread")]
async fn hanging_node_loses_the_write_lock() {
    let database = Database::in_cluster(&Cluster::shared());
    let mut nodes = start_nodes(2, &database).await;
    let (hanging, other) = (nodes.remove(0), nodes.remove(0));
    suspend_in_transaction(&hanging, &database).await;
    let events = other.event_count().await;
    assert_eq!(post_hook(&other, "1").await, 503);
    eventually("deliveries are accepted again", RECOVERED_WITHIN, async || {
        (post_hook(&other, "1").await == 200).then_some(())
    })
    .await;
    hanging.signal("CONT").await;
    // The resumed node recovers.
    eventually("the resumed node accepts deliveries", RECOVERED_WITHIN, async || {
        (post_hook(&hanging, "2").await == 200).then_some(())
    })
    .await;
    assert_eq!(other.event_count().await, events + 2, "the uncommitted delivery was rolled back");
    stop(vec![hanging, other], &database).await;
}

/// The database was reset to an earlier state. The node's knowledge of the log is wrong, so it
/// exits and can be restarted.
#[tokio::test(flavor = "multi_thread")]
async fn lost_log_events_end_the_service() {
    let database = Database::in_cluster(&Cluster::shared());
    let mut nodes = start_nodes(1, &database).await;
    let node = nodes.remove(0);
    for id in 0..3 {
        assert_eq!(post_hook(&node, &id.to_string()).await, 200);
    }
    let connection = database.connect().await;
    for delete in ["DELETE FROM delivery WHERE id > 2", "DELETE FROM event WHERE seq > 2"] {
        connection.execute_unprepared(delete).await.unwrap();
    }
    connection.close().await.unwrap();
    eventually("the node logs the reason", RECOVERED_WITHIN, async || {
        node.log_so_far().contains("the log has lost events").then_some(())
    })
    .await;
    assert!(!node.wait().await.success());
}
