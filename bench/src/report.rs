//! Output: progress on standard error, results on standard output.

use std::fmt::{self, Display, Formatter};
use std::io::Write;
use std::time::Duration;

use crate::Failure;

/// The result of a part.
pub(crate) struct Report {
    /// Sentences and tables, as Markdown.
    pub(crate) text: String,
    pub(crate) picture: Option<Picture>,
}

/// A picture of a report.
pub(crate) struct Picture {
    pub(crate) file_name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) svg: String,
}

/// Prints a line of progress.
pub(crate) fn progress(line: &str) {
    // A failure to print progress does not stop the run.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints why the run failed.
pub(crate) fn print_failure(failure: &Failure) {
    let _ = writeln!(std::io::stderr(), "bench: {failure}");
}

/// Prints a result.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

/// The percentile of sorted times; at 100, the maximum.
pub(crate) fn percentile(times: &[Duration], percent: usize) -> Duration {
    times.get(times.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default()
}

/// Formats a number of rounds.
pub(crate) fn rounds(number: usize) -> String {
    if number == 1 { "1 round".to_owned() } else { format!("{number} rounds") }
}

/// Formats a time for a table.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// The results of one server in one round.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// The number of answers.
    pub(crate) answers: u64,
    /// Answers a second.
    pub(crate) rate: f64,
    /// The median time to an answer.
    pub(crate) p50: Duration,
    /// The 99th percentile of the time to an answer.
    pub(crate) p99: Duration,
}

/// The median round by its rate.
pub(crate) fn median(rounds: &[Round]) -> Result<Round, Failure> {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    rounds.get(rounds.len() / 2).cloned().ok_or_else(|| "no round was measured".into())
}

/// The ratios of two sides' rates, round by round. A temporary slowdown of the machine affects both
/// sides of a pair.
pub(crate) struct Ratios {
    pub(crate) median: f64,
    lowest: f64,
    highest: f64,
}

impl Ratios {
    pub(crate) fn of(over: &[Round], under: &[Round]) -> Result<Self, Failure> {
        let mut ratios: Vec<f64> = over.iter().zip(under).map(|(over, under)| over.rate / under.rate).collect();
        ratios.sort_by(f64::total_cmp);
        let (Some(lowest), Some(highest)) = (ratios.first(), ratios.last()) else {
            return Err("no round was measured".into());
        };
        Ok(Self { median: ratios[ratios.len() / 2], lowest: *lowest, highest: *highest })
    }
}

impl Display for Ratios {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.2} ({:.2} to {:.2})", self.median, self.lowest, self.highest)
    }
}

/// Formats the servers' rounds as a table.
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
