//! The tally as a table for people.

use std::fmt;

use super::{Counts, Tally};

const HEADINGS: [&str; 8] = ["", "", "sent", "acknowledged", "retried", "given up", "forgotten", "unfinished"];

/// Writes one line for each event type and one for the total. The column "given up" counts both
/// vendors. A last line says how often Bidsketch e-mailed the admin.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.by_event();
        let width = counts.keys().map(|(_, event)| event.len()).max().unwrap_or(0);
        let [vendor, event, numbers @ ..] = HEADINGS;
        write!(f, "{vendor:<9} {event:<width$}")?;
        for heading in numbers {
            write!(f, "  {heading:>12}")?;
        }
        writeln!(f)?;
        for ((vendor, event), counts) in &counts {
            write!(f, "{vendor:<9} {event:<width$}")?;
            row(f, counts)?;
        }
        let total = self.total();
        write!(f, "{:<9} {:<width$}", "total", "")?;
        row(f, &total)?;
        if total.admin_emailed > 0 {
            writeln!(f, "Bidsketch e-mailed the account's admin {} times.", total.admin_emailed)?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, counts: &Counts) -> fmt::Result {
    let given_up = counts.given_up + counts.admin_emailed;
    for number in [counts.sent, counts.acknowledged, counts.retried, given_up, counts.forgotten, counts.unfinished()] {
        write!(f, "  {number:>12}")?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use crate::hook::{Hook, Vendor};
    use crate::sender::Outcome;
    use crate::tally::Tally;

    #[test]
    fn tally_displayed_has_a_line_for_each_type_and_a_total() {
        let tally = Tally::new();
        let hook = Hook { vendor: Vendor::Bidsketch, event: "client_created".to_owned(), body: String::new() };
        tally.record_start(&hook);
        tally.record_end(&hook, &Outcome::Delivered { status: 200, attempts: 1 });
        let lines: Vec<String> =
            tally.to_string().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "sent acknowledged retried given up forgotten unfinished",
                "bidsketch client_created 1 1 0 0 0 0",
                "total 1 1 0 0 0 0",
            ]
        );
    }
}
