//! Durable intake: deliveries answered 200 a second. The answer comes after the commit is on disk.
//!
//! It compares one and two nodes on PostgreSQL with the same number of connections, and one node on
//! SQLite, from which an office would migrate. The rounds alternate, so a slow phase of the machine
//! affects all sides. Each round starts its own nodes: in a round of one node there is no second
//! one. The cluster runs throughout, and is idle while SQLite is measured.

use std::time::Duration;

use super::log::Log;
use super::with_timeout;
use crate::report::{self, Ratios, Round, progress};
use crate::server::Running;
use crate::{Failure, Nodes, load, seed};

/// How long is posted before a round counts. New nodes must first open connections and prepare
/// statements for groups of several sizes.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long the last answers may take after a round's end.
const LAST_ANSWERS_TIMEOUT: Duration = Duration::from_secs(30);

/// Measures both databases with this many connections, and reports.
pub(super) async fn run(
    settings: &Nodes,
    connections: usize,
    postgres: &mut Log,
    sqlite: &mut Log,
) -> Result<String, Failure> {
    let (mut one, mut two, mut file) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=settings.rounds {
        one.push(round(settings.seconds, connections, postgres, 1).await?);
        two.push(round(settings.seconds, connections, postgres, 2).await?);
        file.push(round(settings.seconds, connections, sqlite, 1).await?);
        let rates = [&one, &two, &file].map(|rounds| rounds.last().map_or(0.0, |round| round.rate));
        progress(&format!(
            "{connections} connections, round {number} of {}: \
             {:.0} deliveries a second with one node, {:.0} with two, {:.0} on SQLite",
            settings.rounds, rates[0], rates[1], rates[2]
        ));
    }
    let ratios = [
        ("two nodes to one", Ratios::of(&two, &one)?),
        ("one node to SQLite", Ratios::of(&one, &file)?),
        ("two nodes to SQLite", Ratios::of(&two, &file)?),
    ]
    .map(|(name, ratio)| format!("{name} {ratio}"));
    let table = [("PostgreSQL, one node", one), ("PostgreSQL, two nodes", two), ("SQLite, one node", file)];
    Ok(format!(
        "Durable intake, {connections} connections that post new events, median of {} of {} s.\n\n{}\n\
         Ratios of neighbouring rounds, median and lowest to highest: {}.\n",
        report::rounds(settings.rounds),
        settings.seconds,
        report::table(&table.map(|(name, rounds)| (name.to_owned(), rounds)))?,
        ratios.join(", "),
    ))
}

/// Posts to this many nodes for a while, with an equal share of the connections each, and checks
/// their log.
async fn round(seconds: u64, connections: usize, log: &mut Log, count: usize) -> Result<Round, Failure> {
    let nodes = log.start(count).await?;
    let addresses: Vec<_> = nodes.iter().map(|node: &Running| node.address).collect();
    let mut measured = None;
    for length in [WARM_UP, Duration::from_secs(seconds)] {
        let posting = load::run(&addresses, seed::new_project_request, connections, length);
        let round = with_timeout(length + LAST_ANSWERS_TIMEOUT, "posting", posting).await?;
        log.acknowledged += round.answers;
        measured = Some(round);
    }
    log.stop(nodes).await?;
    measured.ok_or_else(|| "no round was measured".into())
}
