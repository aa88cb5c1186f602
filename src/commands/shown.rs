//! What is shown of long work: one line that changes on a terminal, else a line every tenth.

use std::io::{IsTerminal, Write};

/// How far some work has come, on standard error.
pub(crate) struct Shown {
    doing: &'static str,
    what: &'static str,
    tenth: u64,
}

impl Shown {
    /// Of what is being done to what, as in "rebuilding" and "events".
    pub(crate) const fn new(doing: &'static str, what: &'static str) -> Self {
        Self { doing, what, tenth: 0 }
    }

    /// So much of it is done.
    pub(crate) fn report(&mut self, done: u64, total: u64) {
        let (doing, what) = (self.doing, self.what);
        let mut err = std::io::stderr().lock();
        let percent = done * 100 / total.max(1);
        // Progress that cannot be shown is no reason to stop.
        let _ = if err.is_terminal() {
            write!(err, "\r{doing}: {done} of {total} {what}, {percent} %")
        } else if percent / 10 > self.tenth {
            self.tenth = percent / 10;
            writeln!(err, "{doing}: {done} of {total} {what}, {percent} %")
        } else {
            Ok(())
        };
    }

    /// All of it is.
    pub(crate) fn end(&self) {
        let mut err = std::io::stderr().lock();
        if err.is_terminal() {
            let _ = writeln!(err);
        }
    }
}
