//! What a database must hold: every delivery that was answered 200, exactly once.
//!
//! Each delivery creates a project of its own, and any answer but 200 ends the run. So where there are as many projects as
//! acknowledged deliveries none is lost, and where there are as many events too none is there twice.

use std::time::Duration;

use serde_json::{Value, json};

use super::within;
use crate::Failure;
use crate::load::Connection;
use crate::server::{Kind, Running};

/// How long a node may take to open its database and answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A database, and how many deliveries were acknowledged on it.
pub(super) struct Log {
    url: String,
    /// By all nodes together.
    pub(super) acknowledged: u64,
}

impl Log {
    /// The log of a database that is empty yet.
    pub(super) const fn new(url: String) -> Self {
        Self { url, acknowledged: 0 }
    }

    /// Starts so many nodes on it, and waits until each answers: by then it must see what the nodes before it acknowledged.
    pub(super) async fn start(&self, count: usize) -> Result<Vec<Running>, Failure> {
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(Running::start(Kind::Bidarc, &self.url).await?);
        }
        self.check(&nodes).await?;
        Ok(nodes)
    }

    /// Fails where a node sees more or fewer than what was acknowledged.
    pub(super) async fn check(&self, nodes: &[Running]) -> Result<(), Failure> {
        for (name, node) in ('A'..).zip(nodes) {
            for list in ["events", "projects"] {
                let counted = within(ANSWER_WITHIN, "counting", count(node, list)).await?;
                if counted != self.acknowledged {
                    let acknowledged = self.acknowledged;
                    return Err(
                        format!("{acknowledged} were acknowledged, but node {name} has {counted} {list}").into()
                    );
                }
            }
        }
        Ok(())
    }

    /// Checks what the nodes see, and ends them.
    pub(super) async fn stop(&self, nodes: Vec<Running>) -> Result<(), Failure> {
        self.check(&nodes).await?;
        for node in nodes {
            node.stop().await?;
        }
        Ok(())
    }
}

/// How many a list of a node has.
async fn count(node: &Running, list: &str) -> Result<u64, Failure> {
    let mut connection = Connection::open(node.address).await?;
    let body = json!({ "query": format!("{{ {list} {{ totalCount }} }}") }).to_string();
    let request = connection.request("/graphql", &body);
    let answer: Value = serde_json::from_slice(connection.ask(&request).await?)?;
    let counted = answer["data"][list]["totalCount"].as_u64();
    Ok(counted.ok_or_else(|| format!("the {list} are not counted: {answer}"))?)
}
