//! The progress of a long command: one line that updates on a terminal, otherwise a new line at
//! every tenth.

use std::io::{IsTerminal, Write};

/// Reports progress on standard error.
pub(crate) struct ProgressLine {
    activity: &'static str,
    unit: &'static str,
    tenths_reported: u64,
}

impl ProgressLine {
    /// A line for an activity and its unit, for example "rebuilding" and "events".
    pub(crate) const fn new(activity: &'static str, unit: &'static str) -> Self {
        Self { activity, unit, tenths_reported: 0 }
    }

    /// Reports that `done` of `total` units are done.
    pub(crate) fn report(&mut self, done: u64, total: u64) {
        let (activity, unit) = (self.activity, self.unit);
        let mut err = std::io::stderr().lock();
        let percent = done * 100 / total.max(1);
        // The work continues even if its progress cannot be shown.
        let _ = if err.is_terminal() {
            write!(err, "\r{activity}: {done} of {total} {unit}, {percent} %")
        } else if percent / 10 > self.tenths_reported {
            self.tenths_reported = percent / 10;
            writeln!(err, "{activity}: {done} of {total} {unit}, {percent} %")
        } else {
            Ok(())
        };
    }

    /// Ends the line.
    pub(crate) fn finish(&self) {
        let mut err = std::io::stderr().lock();
        if err.is_terminal() {
            let _ = writeln!(err);
        }
    }
}
