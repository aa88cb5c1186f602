//! Checks that a database holds every delivery that was answered 200, exactly once.
//!
//! Each delivery creates its own project, and any answer other than 200 ends the run. If there are
//! as many projects as acknowledged deliveries, none is lost. If there are also as many events,
//! none is duplicated.

use std::time::Duration;

use serde_json::{Value, json};

use super::with_timeout;
use crate::Failure;
use crate::load::Connection;
use crate::server::{Kind, Running};

/// How long a node may take to open its database and answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// A database, and the number of deliveries acknowledged on it.
pub(super) struct Log {
    url: String,
    /// Acknowledged by all nodes together.
    pub(super) acknowledged: u64,
}

impl Log {
    /// Starts with an empty database.
    pub(super) const fn new(url: String) -> Self {
        Self { url, acknowledged: 0 }
    }

    /// Starts this many nodes on it, and waits until each answers. By then it must see all
    /// acknowledged deliveries.
    pub(super) async fn start(&self, count: usize) -> Result<Vec<Running>, Failure> {
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(Running::start(Kind::Bidarc, &self.url).await?);
        }
        self.check(&nodes).await?;
        Ok(nodes)
    }

    /// Fails if a node sees more or fewer than the acknowledged deliveries.
    pub(super) async fn check(&self, nodes: &[Running]) -> Result<(), Failure> {
        for (name, node) in ('A'..).zip(nodes) {
            for list in ["events", "projects"] {
                let counted = with_timeout(ANSWER_TIMEOUT, "counting", count(node, list)).await?;
                if counted != self.acknowledged {
                    let acknowledged = self.acknowledged;
                    return Err(format!(
                        "{acknowledged} deliveries were acknowledged, but node {name} has {counted} {list}"
                    )
                    .into());
                }
            }
        }
        Ok(())
    }

    /// Checks the nodes, and ends them.
    pub(super) async fn stop(&self, nodes: Vec<Running>) -> Result<(), Failure> {
        self.check(&nodes).await?;
        for node in nodes {
            node.stop().await?;
        }
        Ok(())
    }
}

/// Counts the rows of a list at a node.
async fn count(node: &Running, list: &str) -> Result<u64, Failure> {
    let mut connection = Connection::open(node.address).await?;
    let body = json!({ "query": format!("{{ {list} {{ totalCount }} }}") }).to_string();
    let request = connection.request("/graphql", &body);
    let answer: Value = serde_json::from_slice(connection.send(&request).await?)?;
    let counted = answer["data"][list]["totalCount"].as_u64();
    Ok(counted.ok_or_else(|| format!("the answer has no count of {list}: {answer}"))?)
}
