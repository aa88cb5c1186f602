//! Several nodes on one PostgreSQL database, and failures of that database. Each node is the real
//! binary in its own process.
//!
//! These tests always run on PostgreSQL. Those that break it start a dedicated cluster.

mod cross_node_feed;
mod files;
mod kill;
mod outage;
mod query_plans;
mod refusals;
mod sessions;
mod startup;
mod webhook_recovery;

use futures_util::future::join_all;

use crate::harness::{Database, Process};

/// Starts nodes with the default settings.
async fn start_nodes(count: usize, database: &Database) -> Vec<Process> {
    join_all((0..count).map(|_| Process::start(0, database))).await
}

async fn stop(nodes: Vec<Process>, database: &Database) {
    for node in nodes {
        node.stop(database).await;
    }
}
