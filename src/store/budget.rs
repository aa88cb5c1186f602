//! What one request may cost: rows, bytes and time. Each read takes from it before or while it
//! reads, so a request stops at its budget and not after it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::StoreError;

/// The most that one request may cost.
#[derive(Clone, Copy, Debug)]
pub struct BudgetLimits {
    /// Rows that it reads.
    pub rows: u64,
    /// Bytes of its answer. It may read twice as many bytes of bodies for it: each page has one row
    /// more than it shows.
    pub bytes: u64,
    /// Time until its answer is complete.
    pub time: Duration,
}

/// What a request has used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// It reads too many rows.
    Rows,
    /// Its answer, or what it reads for it, is too large.
    Bytes,
    /// It takes too long.
    Time,
}

/// What is left for one request.
#[derive(Debug)]
pub struct Budget {
    limits: BudgetLimits,
    rows: AtomicU64,
    bytes_to_read: AtomicU64,
    bytes_to_answer: AtomicU64,
    deadline: Mutex<Instant>,
    /// 0, or what is exceeded.
    exceeded: AtomicU8,
}

impl Budget {
    /// A whole budget. Its time begins now.
    #[must_use]
    pub fn new(limits: BudgetLimits) -> Self {
        Self {
            limits,
            rows: AtomicU64::new(limits.rows),
            bytes_to_read: AtomicU64::new(limits.bytes.saturating_mul(2)),
            bytes_to_answer: AtomicU64::new(limits.bytes),
            deadline: Mutex::new(Instant::now() + limits.time),
            exceeded: AtomicU8::new(0),
        }
    }

    /// Begins again: each message of a subscription has a whole budget.
    pub fn renew(&self) {
        self.rows.store(self.limits.rows, Ordering::Relaxed);
        self.bytes_to_read.store(self.limits.bytes.saturating_mul(2), Ordering::Relaxed);
        self.bytes_to_answer.store(self.limits.bytes, Ordering::Relaxed);
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + self.limits.time;
        self.exceeded.store(0, Ordering::Relaxed);
    }

    /// When its time ends.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes rows that were read.
    ///
    /// # Errors
    ///
    /// [`StoreError::OverBudget`] if fewer are left.
    pub fn take_rows(&self, count: usize) -> Result<(), StoreError> {
        self.take(&self.rows, count, Exceeded::Rows)
    }

    /// Takes bytes of bodies that were read.
    ///
    /// # Errors
    ///
    /// As [`Self::take_rows`].
    pub(super) fn take_bytes_to_read(&self, count: usize) -> Result<(), StoreError> {
        self.take(&self.bytes_to_read, count, Exceeded::Bytes)
    }

    /// Takes bytes of the answer.
    ///
    /// # Errors
    ///
    /// As [`Self::take_rows`].
    pub fn take_bytes_to_answer(&self, count: usize) -> Result<(), StoreError> {
        self.take(&self.bytes_to_answer, count, Exceeded::Bytes)
    }

    /// How many rows the request may still read.
    pub(super) fn rows_left(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// How many bytes of bodies the next statement may return.
    pub(super) fn bytes_to_read(&self) -> u64 {
        self.bytes_to_read.load(Ordering::Relaxed)
    }

    /// What is exceeded, if anything is.
    #[must_use]
    pub fn exceeded(&self) -> Option<Exceeded> {
        match self.exceeded.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Exceeded::Rows),
            2 => Some(Exceeded::Bytes),
            _ => Some(Exceeded::Time),
        }
    }

    /// Ends the request: what it still reads fails. The first reason stays.
    pub fn exceed(&self, what: Exceeded) {
        let what = match what {
            Exceeded::Rows => 1,
            Exceeded::Bytes => 2,
            Exceeded::Time => 3,
        };
        let _ = self.exceeded.compare_exchange(0, what, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Checks that nothing is exceeded.
    ///
    /// # Errors
    ///
    /// As [`Self::take_rows`].
    pub fn check(&self) -> Result<(), StoreError> {
        match self.exceeded() {
            None => Ok(()),
            Some(_) => Err(StoreError::OverBudget),
        }
    }

    fn take(&self, from: &AtomicU64, count: usize, what: Exceeded) -> Result<(), StoreError> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let taken = from.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(count));
        if taken.is_err() {
            self.exceed(what);
        }
        self.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_used_up_fails_until_it_is_renewed() {
        let budget = Budget::new(BudgetLimits { rows: 10, bytes: 100, time: Duration::from_secs(1) });
        budget.take_rows(10).unwrap();
        budget.take_bytes_to_read(200).unwrap();
        budget.take_bytes_to_answer(99).unwrap();
        assert_eq!(budget.exceeded(), None);
        assert!(budget.take_bytes_to_answer(2).is_err());
        assert!(budget.take_rows(1).is_err() && budget.take_bytes_to_answer(0).is_err());
        assert_eq!(budget.exceeded(), Some(Exceeded::Bytes), "the first reason stays");
        budget.renew();
        budget.take_rows(1).unwrap();
        budget.exceed(Exceeded::Time);
        assert!(budget.check().is_err());
    }
}
