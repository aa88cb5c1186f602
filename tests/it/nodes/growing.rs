//! A database that has just been made has no statistics, and what PostgreSQL plans while a table is empty it keeps.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};

use sea_orm::ConnectionTrait;

use super::{nodes, stop};
use crate::harness::{Cluster, Database, Process, eventually};

/// PostgreSQL's processes tell what they have counted ten seconds after they have begun to idle.
const COUNTED_WITHIN: Duration = Duration::from_secs(40);
/// How often each of the events comes.
const EACH: usize = 200;

async fn post(node: &Process, id: usize) {
    let project = format!(r#"{{"id":{id},"name":"{id}","tags":["new"]}}"#);
    let first = node.arcsite("project.created", &project).await.accepted();
    let again = format!(r#"{{"id":{id},"name":"again","tags":["old"]}}"#);
    node.arcsite("project.updated", &again).await.accepted();
    node.arcsite("drawing.created", &format!(r#"{{"id":{id},"project_id":{id}}}"#)).await.accepted();
    let changed = format!(r#"{{"proposal_id":{id},"project_id":{id},"status":"PENDING"}}"#);
    node.arcsite("proposal.status_changed", &changed).await.accepted();
    let payment = format!(r#"{{"proposal_id":{id},"drawing_id":{id},"paid_amount":1,"paid_date":"2022-01-16"}}"#);
    node.arcsite("proposal.payment.received", &payment).await.accepted();
    node.arcsite("project.created", &project).await.repeats(&first);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_delivery_goes_through_a_whole_table() {
    no_delivery_goes_through_a_table_of(Database::in_cluster(&Cluster::shared())).await;
}

/// PostgreSQL knows that there is nothing, rather than nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_where_the_statistics_say_that_there_is_nothing() {
    let database = Database::in_cluster(&Cluster::shared());
    stop(nodes(1, &database).await, &database).await;
    let connection = database.connect().await;
    connection.execute_unprepared("VACUUM ANALYZE").await.unwrap();
    connection.close().await.unwrap();
    no_delivery_goes_through_a_table_of(database).await;
}

/// What a delivery costs does not grow with the log, from the first one on: neither writing nor following goes through a table.
async fn no_delivery_goes_through_a_table_of(database: Database) {
    let nodes = nodes(2, &database).await;
    let written = 5 * EACH;
    let followed = join_all(nodes.iter().map(|node| node.subscribe("subscription { events { id } }"))).await;
    let followers = followed.into_iter().map(|mut follower| {
        tokio::spawn(async move {
            for _ in 0..written {
                follower.next().await;
            }
            follower.complete().await;
        })
    });
    let followers: Vec<_> = followers.collect();
    let (nodes_of, each) = (&nodes, 8);
    stream::iter(0..EACH).for_each_concurrent(each, async |id| post(&nodes_of[id % 2], id).await).await;
    eventually("the server has counted", COUNTED_WITHIN, async || {
        let counted = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'event'";
        (database.numbers(counted).await[0] >= written as i64).then_some(())
    })
    .await;
    for follower in followers {
        follower.await.unwrap();
    }
    // By the server's count, of tables and of indexes: some entries for each event, and no more for the last than for the first.
    let most = 5 * written;
    let gone_through = database
        .texts(&format!(
            "SELECT relname || ': ' || seq_tup_read FROM pg_stat_user_tables WHERE seq_tup_read > {most} UNION ALL \
             SELECT indexrelname || ': ' || idx_tup_read FROM pg_stat_user_indexes WHERE idx_tup_read > {most} ORDER BY 1"
        ))
        .await;
    assert_eq!(gone_through, [""; 0], "read for {written} events");
    stop(nodes, &database).await;
}
