//! What is shown of long work: one line that changes on a terminal, else a line every tenth.

use std::io::{IsTerminal, Write};

/// How far some work has come, on standard error.
pub(crate) struct ProgressLine {
    activity: &'static str,
    unit: &'static str,
    tenths_reported: u64,
}

impl ProgressLine {
    /// Of what is being done to what, as in "rebuilding" and "events".
    pub(crate) const fn new(doing: &'static str, what: &'static str) -> Self {
        Self { activity: doing, unit: what, tenths_reported: 0 }
    }

    /// So much of it is done.
    pub(crate) fn report(&mut self, done: u64, total: u64) {
        let (doing, what) = (self.activity, self.unit);
        let mut err = std::io::stderr().lock();
        let percent = done * 100 / total.max(1);
        // Progress that cannot be shown is no reason to stop.
        let _ = if err.is_terminal() {
            write!(err, "\r{doing}: {done} of {total} {what}, {percent} %")
        } else if percent / 10 > self.tenths_reported {
            self.tenths_reported = percent / 10;
            writeln!(err, "{doing}: {done} of {total} {what}, {percent} %")
        } else {
            Ok(())
        };
    }

    /// All of it is.
    pub(crate) fn finish(&self) {
        let mut err = std::io::stderr().lock();
        if err.is_terminal() {
            let _ = writeln!(err);
        }
    }
}
