//! Nodes and the database ending in the middle of the traffic: what was acknowledged is in the log, once.

use std::sync::Arc;
use std::time::Duration;

use simulator::sender::Sender;
use simulator::tally::Tally;
use simulator::target::Target;
use tokio::task::JoinSet;

use crate::harness::{Cluster, Database, Process, eventually, lasting_port};
use crate::operations::kill::{assert_all_there, hook, stubborn};

const DELIVERIES: u64 = 3_000;
const NODES: usize = 3;
/// How long the whole may take.
const AT_MOST: Duration = Duration::from_secs(60);

/// Nodes with senders that never give up, each at one node.
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
            let port = lasting_port().await;
            let node = Process::start(port, database).await;
            ports.push(port);
            let target = Target::new(node.base()).unwrap();
            senders.push(Arc::new(Sender::new(target, stubborn(), Arc::clone(&tally)).unwrap()));
            nodes.push(node);
        }
        let mut deliveries = JoinSet::new();
        for at in 0..DELIVERIES {
            // A tenth of the bodies goes to two nodes.
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

    /// Waits until so many hundredths are acknowledged.
    async fn come_to(&self, percent: u64) {
        eventually("deliveries are acknowledged", AT_MOST, async || {
            (self.tally.total().acknowledged >= DELIVERIES * percent / 100).then_some(())
        })
        .await;
        assert!(!self.tally.all_acknowledged(), "it comes in the middle");
    }

    async fn finish(self, database: &Database) {
        eventually("every delivery is acknowledged", AT_MOST, async || self.tally.all_acknowledged().then_some(()))
            .await;
        self.deliveries.join_all().await;
        assert!(self.tally.total().retried > 0, "some had to be sent again: {}", *self.tally);
        assert_eq!(self.tally.acknowledged().len() as u64, DELIVERIES);
        for node in &self.nodes {
            assert_all_there(node, &self.tally).await;
        }
        super::stop(self.nodes, database).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_under_load_loses_nothing() {
    let database = Database::in_cluster(&Cluster::shared());
    let mut traffic = Traffic::start(&database).await;
    for (percent, node) in [(15, 0), (30, 1), (45, 2), (60, 0)] {
        traffic.come_to(percent).await;
        let next = Process::start(0, &database).await;
        std::mem::replace(&mut traffic.nodes[node], next).kill().await;
        // The others have its locks at once, and go on.
        let others = traffic.tally.total().acknowledged;
        traffic.come_to(others * 100 / DELIVERIES + 2).await;
        let again = Process::start(traffic.ports[node], &database).await;
        std::mem::replace(&mut traffic.nodes[node], again).stop(&database).await;
    }
    traffic.finish(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_restarted_under_load_loses_nothing() {
    let cluster = Cluster::own();
    let database = Database::in_cluster(&cluster);
    let traffic = Traffic::start(&database).await;
    for percent in [20, 40] {
        traffic.come_to(percent).await;
        cluster.restart();
    }
    for percent in [60, 80] {
        traffic.come_to(percent).await;
        cluster.crash();
        cluster.start_again();
    }
    traffic.finish(&database).await;
}
