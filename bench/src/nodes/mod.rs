//! One node and two on one PostgreSQL: what a second node costs and gives. Each node is a process of its own, and the cluster is
//! thrown away with the run.

use std::time::Duration;

use crate::report::say;
use crate::{Failure, Nodes, server};

mod cluster;
mod intake;
mod latency;
mod log;

use cluster::Cluster;
use log::Log;

/// Measures, and reports.
pub(crate) async fn run(settings: &Nodes) -> Result<(), Failure> {
    if settings.connections.iter().any(|connections| *connections == 0 || !connections.is_multiple_of(2)) {
        return Err("two nodes have half of the connections each: their number must be even".into());
    }
    let cluster = Cluster::start().await?;
    let measured = measure(settings, &cluster).await;
    // What was measured, or why it was not, counts for more than how the cluster ended.
    let ended = cluster.stop().await;
    measured.and(ended)
}

async fn measure(settings: &Nodes, cluster: &Cluster) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let mut log = Log::new(cluster.url.clone());
    latency::run(settings, &mut log).await?;
    let mut sqlite = Log::new(server::sqlite(&directory.path().join("intake.db")));
    for connections in &settings.connections {
        intake::run(settings, *connections, &mut log, &mut sqlite).await?;
    }
    // Once more, as processes that have recorded nothing themselves see it.
    log.stop(log.start(2).await?).await?;
    sqlite.stop(sqlite.start(1).await?).await?;
    say(&format!(
        "every acknowledged delivery is in its log exactly once: {} on PostgreSQL, by both nodes' count, {} on SQLite",
        log.acknowledged, sqlite.acknowledged
    ))
}

/// Waits for something, but not for ever.
async fn within<T>(limit: Duration, what: &str, done: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(limit, done).await.map_err(|_| format!("{what} took longer than {} s", limit.as_secs()))?
}
