//! Query plans on a growing database. A new database has no statistics, and PostgreSQL keeps plans
//! that it made while a table was empty.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};

use sea_orm::ConnectionTrait;

use super::{start_nodes, stop};
use crate::harness::{Cluster, Database, Process, eventually};

/// PostgreSQL backends publish their statistics ten seconds after they become idle.
const STATISTICS_WITHIN: Duration = Duration::from_secs(40);
/// The number of rounds. Each round posts the same five events and one redelivery.
const ROUNDS: usize = 200;

async fn post_round(node: &Process, id: usize) {
    let project = format!(r#"{{"id":{id},"name":"{id}","tags":["new"]}}"#);
    let first = node.arcsite("project.created", &project).await.accepted();
    let update = format!(r#"{{"id":{id},"name":"again","tags":["old"]}}"#);
    node.arcsite("project.updated", &update).await.accepted();
    node.arcsite("drawing.created", &format!(r#"{{"id":{id},"project_id":{id}}}"#)).await.accepted();
    let changed = format!(r#"{{"proposal_id":{id},"project_id":{id},"status":"PENDING"}}"#);
    node.arcsite("proposal.status_changed", &changed).await.accepted();
    let payment = format!(r#"{{"proposal_id":{id},"drawing_id":{id},"paid_amount":1,"paid_date":"2022-01-16"}}"#);
    node.arcsite("proposal.payment.received", &payment).await.accepted();
    node.arcsite("project.created", &project).await.redelivery_of(&first);
}

#[tokio::test(flavor = "multi_thread")]
async fn delivery_on_a_new_database_scans_no_table() {
    assert_deliveries_scan_no_table(Database::in_cluster(&Cluster::shared())).await;
}

/// The statistics say that the tables are empty, rather than being absent.
#[tokio::test(flavor = "multi_thread")]
async fn delivery_with_statistics_of_empty_tables_scans_no_table() {
    let database = Database::in_cluster(&Cluster::shared());
    stop(start_nodes(1, &database).await, &database).await;
    let connection = database.connect().await;
    connection.execute_unprepared("VACUUM ANALYZE").await.unwrap();
    connection.close().await.unwrap();
    assert_deliveries_scan_no_table(database).await;
}

/// Asserts that the cost of a delivery does not grow with the log: neither the writer nor a
/// follower scans a table.
async fn assert_deliveries_scan_no_table(database: Database) {
    let nodes = start_nodes(2, &database).await;
    let events = 5 * ROUNDS;
    let subscriptions = join_all(nodes.iter().map(|node| node.subscribe("subscription { events { id } }"))).await;
    let followers = subscriptions.into_iter().map(|mut follower| {
        tokio::spawn(async move {
            for _ in 0..events {
                follower.next().await;
            }
            follower.complete().await;
        })
    });
    let followers: Vec<_> = followers.collect();
    let (all_nodes, concurrency) = (&nodes, 8);
    stream::iter(0..ROUNDS).for_each_concurrent(concurrency, async |id| post_round(&all_nodes[id % 2], id).await).await;
    eventually("the server has published its statistics", STATISTICS_WITHIN, async || {
        let inserted = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'event'";
        (database.numbers(inserted).await[0] >= events as i64).then_some(())
    })
    .await;
    for follower in followers {
        follower.await.unwrap();
    }
    // The server counts reads from tables and indexes. Each event may read a few entries, and the
    // last no more than the first.
    let reads_max = 5 * events;
    let scanned = database
        .texts(&format!(
            "SELECT relname || ': ' || seq_tup_read FROM pg_stat_user_tables WHERE seq_tup_read > {reads_max} UNION ALL \
             SELECT indexrelname || ': ' || idx_tup_read FROM pg_stat_user_indexes WHERE idx_tup_read > {reads_max} ORDER BY 1"
        ))
        .await;
    assert_eq!(scanned, [""; 0], "read for {events} events");
    stop(nodes, &database).await;
}
