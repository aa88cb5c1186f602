//! One and two nodes on one PostgreSQL: the cost and the gain of a second node. Each node is a
//! process, and the cluster is deleted after the run.

use std::time::Duration;

use crate::{Failure, Nodes, server};

mod cluster;
mod intake;
mod latency;
mod log;

pub(crate) use cluster::Cluster;
use log::Log;

/// Measures, and reports.
pub(crate) async fn run(settings: &Nodes) -> Result<String, Failure> {
    if settings.connections.iter().any(|connections| *connections == 0 || !connections.is_multiple_of(2)) {
        return Err("two nodes get half of the connections each; --connections must be positive even numbers".into());
    }
    let cluster = Cluster::start(None).await?;
    let result = measure(settings, &cluster).await;
    // The result of the measurement counts for more than that of ending the cluster.
    let ended = cluster.stop().await;
    let text = result?;
    ended.map(|()| text)
}

async fn measure(settings: &Nodes, cluster: &Cluster) -> Result<String, Failure> {
    let directory = tempfile::tempdir()?;
    let mut log = Log::new(cluster.url.clone());
    let mut text = format!("PostgreSQL {}. ", cluster.server_version().await?);
    text += &latency::run(settings, &mut log).await?;
    let mut sqlite = Log::new(server::sqlite(&directory.path().join("intake.db")));
    for connections in &settings.connections {
        text += "\n";
        text += &intake::run(settings, *connections, &mut log, &mut sqlite).await?;
    }
    // Checks once more, with processes that recorded nothing themselves.
    log.stop(log.start(2).await?).await?;
    sqlite.stop(sqlite.start(1).await?).await?;
    text += &format!(
        "\nEvery acknowledged delivery is in its log exactly once: {} on PostgreSQL, counted by both nodes, {} on SQLite.",
        log.acknowledged, sqlite.acknowledged
    );
    Ok(text)
}

/// Awaits a future under a time-out.
async fn with_timeout<T>(
    limit: Duration,
    what: &str,
    done: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(limit, done).await.map_err(|_| format!("{what} took longer than {} s", limit.as_secs()))?
}
