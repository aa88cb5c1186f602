//! What is shown: progress on standard error, results on standard output.

use std::io::Write;
use std::time::Duration;

use crate::Failure;

/// A line of progress.
pub(crate) fn progress(line: &str) {
    // Progress that cannot be shown is no reason to stop.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Why the run ended.
pub(crate) fn complain(failure: &Failure) {
    let _ = writeln!(std::io::stderr(), "bench: {failure}");
}

/// A part of the report.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

/// What so many of a hundred did not go past, of times in order: at 100, the longest.
pub(crate) fn at(times: &[Duration], part: usize) -> Duration {
    times.get(times.len().saturating_sub(1) * part / 100).copied().unwrap_or_default()
}

/// A time in a table.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// What one server did in one round.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// Answers.
    pub(crate) answers: u64,
    /// Answers a second.
    pub(crate) rate: f64,
    /// How long the middle answer took.
    pub(crate) p50: Duration,
    /// How long the slowest of a hundred took.
    pub(crate) p99: Duration,
}

/// The median round by its rate.
pub(crate) fn median(rounds: &[Round]) -> Result<Round, Failure> {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    rounds.get(rounds.len() / 2).cloned().ok_or_else(|| "no round was measured".into())
}

/// The rates of one side's rounds to those of another's, round by round: the median, and the lowest to the highest. What slows the
/// machine down for a while slows both sides of such a pair.
pub(crate) fn ratio(over: &[Round], under: &[Round]) -> Result<String, Failure> {
    let mut ratios: Vec<f64> = over.iter().zip(under).map(|(over, under)| over.rate / under.rate).collect();
    ratios.sort_by(f64::total_cmp);
    let (Some(lowest), Some(highest)) = (ratios.first(), ratios.last()) else {
        return Err("no round was measured".into());
    };
    Ok(format!("{:.2} ({lowest:.2} to {highest:.2})", ratios[ratios.len() / 2]))
}

/// A table of the servers' rounds, and the ratio of each to the last column's.
pub(crate) fn table(servers: &[(String, Vec<Round>)]) -> Result<String, Failure> {
    let mut table =
        String::from("| server | answers a second | lowest to highest | p50 | p99 |\n|---|---|---|---|---|\n");
    for (name, rounds) in servers {
        let middle = median(rounds)?;
        let rates: Vec<f64> = rounds.iter().map(|round| round.rate).collect();
        let lowest = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = rates.iter().copied().fold(0.0, f64::max);
        table += &format!(
            "| {name} | {:.0} | {lowest:.0} to {highest:.0} | {} | {} |\n",
            middle.rate,
            milliseconds(middle.p50),
            milliseconds(middle.p99),
        );
    }
    Ok(table)
}
