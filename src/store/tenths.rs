//! The progress of long work in the background, which the log tells at every tenth.

/// Work that is done in batches.
#[derive(Debug)]
pub(crate) struct Tenths {
    pub(crate) done: u64,
    pub(crate) total: u64,
    batch: u64,
}

impl Tenths {
    /// Work of which nothing is done. A `total` of at most one `batch` needs no line.
    pub(crate) const fn new(total: u64, batch: u64) -> Self {
        Self { done: 0, total, batch }
    }

    /// Counts what a batch has done. Returns whether another tenth is done.
    pub(crate) fn advance(&mut self, done: u64) -> bool {
        let tenths = |done: u64| done * 10 / self.total.max(1);
        let before = tenths(self.done);
        self.done += done;
        self.total > self.batch && tenths(self.done) > before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counts after which a line is written.
    fn lines(total: u64, batch: u64, each: u64) -> Vec<u64> {
        let mut work = Tenths::new(total, batch);
        (0..total.div_ceil(each)).filter_map(|_| work.advance(each).then_some(work.done)).collect()
    }

    #[test]
    fn every_tenth_has_a_line() {
        assert_eq!(lines(100, 5, 5), [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        assert_eq!(lines(30, 20, 20), [20, 40], "the total may grow meanwhile");
        assert_eq!(lines(21, 20, 1).len(), 10);
    }

    #[test]
    fn work_of_one_batch_has_no_line() {
        assert!(lines(20, 20, 1).is_empty());
        assert!(!Tenths::new(0, 20).advance(5));
    }
}
