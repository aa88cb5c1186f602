//! One node and two on one PostgreSQL: what a second node costs and gives. Each node is a process of its own, and the cluster is
//! thrown away with the run.

use std::time::Duration;

use crate::{Failure, Nodes};

mod cluster;
mod intake;
mod latency;
mod log;

use cluster::Cluster;
use log::Log;

/// Measures, and reports.
pub(crate) async fn run(settings: &Nodes) -> Result<(), Failure> {
    if settings.connections == 0 || !settings.connections.is_multiple_of(2) {
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
    intake::run(settings, &mut log, directory.path()).await
}

/// Waits for something, but not for ever.
async fn within<T>(limit: Duration, what: &str, done: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(limit, done).await.map_err(|_| format!("{what} took longer than {} s", limit.as_secs()))?
}
