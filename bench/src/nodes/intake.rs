//! Durable intake: deliveries answered 200 a second, which is after their commit is on disk.
//!
//! One node and two on PostgreSQL, with the same number of connections, and one node on SQLite, which is what an office moves
//! from. The rounds take turns, so that a machine's mood is no side's alone. The nodes of a round are processes of that round: in
//! a round of one node there is no second one. The cluster runs throughout, idle while SQLite is measured.

use std::time::Duration;

use super::log::Log;
use super::within;
use crate::report::{self, Round, progress, say};
use crate::server::Running;
use crate::{Failure, Nodes, load, seed};

/// How long is posted before a round counts: nodes that have just started have their connections to make and their statements to prepare,
/// for groups of several sizes.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long answers may take beyond a round's time.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

/// Measures on both logs with so many connections, and reports.
pub(super) async fn run(
    settings: &Nodes,
    connections: usize,
    postgres: &mut Log,
    sqlite: &mut Log,
) -> Result<(), Failure> {
    let (mut one, mut two, mut file) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=settings.rounds {
        one.push(round(settings.seconds, connections, postgres, 1).await?);
        two.push(round(settings.seconds, connections, postgres, 2).await?);
        file.push(round(settings.seconds, connections, sqlite, 1).await?);
        let rates = [&one, &two, &file].map(|rounds| rounds.last().map_or(0.0, |round| round.rate));
        progress(&format!(
            "round {number}: {:.0} deliveries a second by one node, {:.0} by two, {:.0} on SQLite",
            rates[0], rates[1], rates[2]
        ));
    }
    say(&format!(
        "Durable intake, {connections} connections that post new events, {} rounds of {} s, median:\n",
        settings.rounds, settings.seconds
    ))?;
    let ratios = [
        ("two nodes to one:   ", report::ratio(&two, &one)?),
        ("one node to SQLite: ", report::ratio(&one, &file)?),
        ("two nodes to SQLite:", report::ratio(&two, &file)?),
    ];
    let table = [("PostgreSQL, one node", one), ("PostgreSQL, two nodes", two), ("SQLite, one node", file)];
    say(&report::table(&table.map(|(name, rounds)| (name.to_owned(), rounds)))?)?;
    say("Of the rounds that came after one another, median, and lowest to highest:")?;
    for (name, ratio) in ratios {
        say(&format!("{name} {ratio}"))?;
    }
    say("")
}

/// Posts to so many nodes for a while, each over as many connections, and checks their log.
async fn round(seconds: u64, connections: usize, log: &mut Log, count: usize) -> Result<Round, Failure> {
    let nodes = log.start(count).await?;
    let addresses: Vec<_> = nodes.iter().map(|node: &Running| node.address).collect();
    let mut measured = None;
    for length in [WARM_UP, Duration::from_secs(seconds)] {
        let posting = load::run(&addresses, seed::fresh_project, connections, length);
        let round = within(length + LAST_ANSWERS, "posting", posting).await?;
        log.acknowledged += round.answers;
        measured = Some(round);
    }
    log.stop(nodes).await?;
    measured.ok_or_else(|| "no round was measured".into())
}
