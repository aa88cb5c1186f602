//! Several nodes on one PostgreSQL database, each the real binary in a process of its own; and that database failing under them.
//!
//! These run on PostgreSQL whatever the other tests run on. Those that break it have a cluster of their own.

mod crossing;
mod growing;
mod kill;
mod left_behind;
mod outage;
mod starting;

use futures_util::future::join_all;

use crate::harness::{Database, Process};

/// Nodes with the defaults.
async fn nodes(count: usize, database: &Database) -> Vec<Process> {
    join_all((0..count).map(|_| Process::start(0, database))).await
}

async fn stop(nodes: Vec<Process>, database: &Database) {
    for node in nodes {
        node.stop(database).await;
    }
}
