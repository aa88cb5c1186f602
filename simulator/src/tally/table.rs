//! The account as a table for people.

use std::fmt;

use super::{Counts, Tally};

const HEADINGS: [&str; 8] = ["", "", "sent", "acknowledged", "retried", "given up", "forgotten", "unfinished"];

/// One line an event type and one for the whole. A Bidsketch delivery that was given up is in the same column as
/// ArcSite's; the last line says how often the admin was written to.
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
        write!(f, "{:<9} {:<width$}", "in all", "")?;
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
    fn has_a_line_for_each_type_and_one_for_all() {
        let tally = Tally::new();
        let hook = Hook { vendor: Vendor::Bidsketch, event: "client_created".to_owned(), body: String::new() };
        tally.begun(&hook);
        tally.ended(&hook, &Outcome::Delivered { status: 200, attempts: 1 });
        let lines: Vec<String> =
            tally.to_string().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "sent acknowledged retried given up forgotten unfinished",
                "bidsketch client_created 1 1 0 0 0 0",
                "in all 1 1 0 0 0 0",
            ]
        );
    }
}
