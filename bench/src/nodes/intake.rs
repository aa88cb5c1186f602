//! Durable intake: deliveries answered 200 a second, which is after their commit is on disk.
//!
//! One node and two on PostgreSQL, with the same number of connections, and one node on SQLite, which is what an office moves
//! from. The rounds take turns, so that a machine's mood is no side's alone. The nodes of a round are processes of that round: in
//! a round of one node there is no second one. The cluster runs throughout, idle while SQLite is measured.

use std::path::Path;
use std::time::Duration;

use super::log::Log;
use super::within;
use crate::report::{self, Round, median, progress, say};
use crate::server::{self, Running};
use crate::{Failure, Nodes, load, seed};

/// How long is posted before a round counts: nodes that have just started have their statements yet to prepare.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long answers may take beyond a round's time.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

/// Measures on that log and on SQLite, and reports.
pub(super) async fn run(settings: &Nodes, postgres: &mut Log, directory: &Path) -> Result<(), Failure> {
    let mut sqlite = Log::new(server::sqlite(&directory.join("intake.db")));
    let (mut one, mut two, mut file) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=settings.rounds {
        one.push(round(settings, postgres, 1).await?);
        two.push(round(settings, postgres, 2).await?);
        file.push(round(settings, &mut sqlite, 1).await?);
        let rates = [&one, &two, &file].map(|rounds| rounds.last().map_or(0.0, |round| round.rate));
        progress(&format!(
            "round {number}: {:.0} deliveries a second by one node, {:.0} by two, {:.0} on SQLite",
            rates[0], rates[1], rates[2]
        ));
    }
    // Once more, as processes that have recorded nothing themselves see it.
    postgres.stop(postgres.start(2).await?).await?;
    sqlite.stop(sqlite.start(1).await?).await?;

    say(&format!(
        "Durable intake, {} connections that post new events, {} rounds of {} s, median:\n",
        settings.connections, settings.rounds, settings.seconds
    ))?;
    let ratio = |over: &[Round], under: &[Round]| Ok::<_, Failure>(median(over)?.rate / median(under)?.rate);
    let (two_to_one, one_to_sqlite, two_to_sqlite) = (ratio(&two, &one)?, ratio(&one, &file)?, ratio(&two, &file)?);
    let table = [("PostgreSQL, one node", one), ("PostgreSQL, two nodes", two), ("SQLite, one node", file)];
    say(&report::table(&table.map(|(name, rounds)| (name.to_owned(), rounds)))?)?;
    say(&format!("two nodes to one:    {two_to_one:.2}"))?;
    say(&format!("one node to SQLite:  {one_to_sqlite:.2}"))?;
    say(&format!("two nodes to SQLite: {two_to_sqlite:.2}\n"))?;
    say(&format!(
        "every acknowledged delivery is in its log exactly once: {} on PostgreSQL, by both nodes' count, {} on SQLite",
        postgres.acknowledged, sqlite.acknowledged
    ))
}

/// Posts to so many nodes for a while, each over as many connections, and checks their log.
async fn round(settings: &Nodes, log: &mut Log, count: usize) -> Result<Round, Failure> {
    let nodes = log.start(count).await?;
    let addresses: Vec<_> = nodes.iter().map(|node: &Running| node.address).collect();
    let mut measured = None;
    for length in [WARM_UP, Duration::from_secs(settings.seconds)] {
        let posting = load::run(&addresses, seed::fresh_project, settings.connections, length);
        let round = within(length + LAST_ANSWERS, "posting", posting).await?;
        log.acknowledged += round.answers;
        measured = Some(round);
    }
    log.stop(nodes).await?;
    measured.ok_or_else(|| "no round was measured".into())
}
