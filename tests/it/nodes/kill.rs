//! Nodes and the database are killed under load. Every acknowledged delivery is in the log once.

use futures_util::future::join_all;

use crate::harness::{Cluster, Database, Process, Traffic, reserved_port};

const NODES: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn killed_node_under_load_loses_no_delivery() {
    let database = Database::in_cluster(&Cluster::shared());
    let ports = join_all((0..NODES).map(|_| reserved_port())).await;
    let mut nodes = join_all(ports.iter().map(|&port| Process::start(port, &database))).await;
    let traffic = Traffic::start(nodes.iter().map(|node| node.base()));
    for killed in [0, 1, 2, 0] {
        traffic.wait_for_acknowledged(500).await;
        nodes.remove(killed).kill().await;
        traffic.wait_for_retries().await;
        // The other nodes get its locks at once and continue.
        traffic.wait_for_acknowledged(100).await;
        nodes.insert(killed, Process::start(ports[killed], &database).await);
    }
    traffic.finish(&nodes.iter().collect::<Vec<_>>()).await;
    super::stop(nodes, &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restarted_database_under_load_loses_no_delivery() {
    let cluster = Cluster::dedicated();
    let database = Database::in_cluster(&cluster);
    let nodes = super::start_nodes(NODES, &database).await;
    let traffic = Traffic::start(nodes.iter().map(|node| node.base()));
    for _ in 0..2 {
        traffic.wait_for_acknowledged(500).await;
        cluster.restart();
    }
    for _ in 0..2 {
        traffic.wait_for_acknowledged(500).await;
        cluster.crash();
        traffic.wait_for_retries().await;
        cluster.start_after_crash();
    }
    traffic.finish(&nodes.iter().collect::<Vec<_>>()).await;
    super::stop(nodes, &database).await;
}
