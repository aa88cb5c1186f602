//! Nodes and the database are killed under load. Every acknowledged delivery is in the log once.

use std::sync::Arc;
use std::time::Duration;

use simulator::sender::Sender;
use simulator::tally::Tally;
use simulator::target::Target;
use tokio::task::JoinSet;

use crate::harness::{Cluster, Database, Process, eventually, reserved_port};
use crate::operations::kill::{assert_acknowledged_recorded, hook, retry_forever};

const DELIVERIES: u64 = 5_000;
const NODES: usize = 3;
/// The time-out of the whole test.
const TEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Nodes, each with a sender that retries forever.
struct Traffic {
    nodes: Vec<Process>,
    ports: Vec<u16>,
    tally: Arc<Tally>,
    deliveries: JoinSet<()>,
}

impl Traffic {
    async fn start(database: &Database) -> Self {
        let tally = Arc::new(Tally::keeping_bodies());
        let (mut nodes, mut ports, mut senders) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..NODES {
            let port = reserved_port().await;
            let node = Process::start(port, database).await;
            ports.push(port);
            let target = Target::new(node.base()).unwrap();
            senders.push(Arc::new(Sender::new(target, retry_forever(), Arc::clone(&tally)).unwrap()));
            nodes.push(node);
        }
        let mut deliveries = JoinSet::new();
        for at in 0..DELIVERIES {
            // Every tenth body goes to two nodes.
            let copies = if at % 10 == 0 { 2 } else { 1 };
            for copy in 0..copies {
                let sender = Arc::clone(&senders[(usize::try_from(at).unwrap() + copy) % NODES]);
                deliveries.spawn(async move {
                    sender.deliver(&hook(at)).await;
                });
            }
        }
        Self { nodes, ports, tally, deliveries }
    }

    /// Waits until this percentage of the deliveries is acknowledged.
    async fn wait_for_acknowledged(&self, percent: u64) {
        eventually("deliveries are acknowledged", TEST_TIMEOUT, async || {
            (self.tally.total().acknowledged >= DELIVERIES * percent / 100).then_some(())
        })
        .await;
        assert!(!self.tally.all_acknowledged(), "deliveries are still in flight");
    }

    async fn finish(self, database: &Database) {
        eventually("every delivery is acknowledged", TEST_TIMEOUT, async || {
            self.tally.all_acknowledged().then_some(())
        })
        .await;
        self.deliveries.join_all().await;
        assert!(self.tally.total().retried > 0, "no delivery was retried: {}", *self.tally);
        assert_eq!(self.tally.acknowledged().len() as u64, DELIVERIES);
        for node in &self.nodes {
            assert_acknowledged_recorded(node, &self.tally).await;
        }
        super::stop(self.nodes, database).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_node_under_load_loses_no_delivery() {
    let database = Database::in_cluster(&Cluster::shared());
    let mut traffic = Traffic::start(&database).await;
    for (percent, node) in [(15, 0), (30, 1), (45, 2), (60, 0)] {
        traffic.wait_for_acknowledged(percent).await;
        let replacement = Process::start(0, &database).await;
        std::mem::replace(&mut traffic.nodes[node], replacement).kill().await;
        // The other nodes get its locks at once and continue.
        let before = traffic.tally.total().acknowledged;
        traffic.wait_for_acknowledged(before * 100 / DELIVERIES + 2).await;
        let restarted = Process::start(traffic.ports[node], &database).await;
        std::mem::replace(&mut traffic.nodes[node], restarted).stop(&database).await;
    }
    traffic.finish(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restarted_database_under_load_loses_no_delivery() {
    let cluster = Cluster::dedicated();
    let database = Database::in_cluster(&cluster);
    let traffic = Traffic::start(&database).await;
    for percent in [20, 40] {
        traffic.wait_for_acknowledged(percent).await;
        cluster.restart();
    }
    for percent in [60, 80] {
        traffic.wait_for_acknowledged(percent).await;
        cluster.crash();
        cluster.start_after_crash();
    }
    traffic.finish(&database).await;
}
