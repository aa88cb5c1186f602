//! Locks for jobs that one node at a time may work on. A holder that dies loses its locks.
//!
//! On PostgreSQL a lock belongs to a transaction that does nothing else. On SQLite, which has one
//! node, it belongs to the process.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::sqlx::{self, Postgres, Transaction};

use super::deadline::STATEMENT_TIMEOUT;
use super::postgres::pool::with_driver_timeout;
use super::postgres::{FILES_LOCK_CLASS, WEBHOOK_LOCK_CLASS};
use crate::domain::WebhookId;
use crate::store::StoreError;

/// A job that one task of one node at a time may work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// Calls to Bidsketch for a webhook, and what follows from their answers.
    Webhook(WebhookId),
    /// The fetching of files.
    Files,
}

impl Job {
    /// The two 32-bit numbers by which PostgreSQL names its lock. Webhooks whose ids differ by 2^32
    /// share a lock. One of them then waits.
    const fn lock_id(self) -> (i32, i32) {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "a lock has two 32-bit numbers")]
            Self::Webhook(webhook) => (WEBHOOK_LOCK_CLASS, webhook.0 as i32),
            Self::Files => (FILES_LOCK_CLASS, 0),
        }
    }
}

/// The job locks that one task holds. They are released when this is dropped.
#[derive(Debug)]
#[must_use = "the locks are released when this is dropped"]
pub struct JobLocks(JobLockHolder);

#[derive(Debug)]
enum JobLockHolder {
    Local { locks: LocalLocks, held: Vec<Job> },
    Database(Transaction<'static, Postgres>),
}

/// The jobs that are locked within this process.
#[derive(Clone, Debug, Default)]
pub(super) struct LocalLocks(Arc<Mutex<HashSet<Job>>>);

impl Drop for JobLockHolder {
    fn drop(&mut self) {
        match self {
            Self::Local { locks, held } => {
                let mut locks = locks.0.lock().unwrap_or_else(PoisonError::into_inner);
                locks.retain(|job| !held.contains(job));
            }
            // The locks end with the transaction.
            Self::Database(_) => {}
        }
    }
}

impl JobLocks {
    pub(super) fn local(locks: &LocalLocks) -> Self {
        Self(JobLockHolder::Local { locks: locks.clone(), held: Vec::new() })
    }

    pub(super) const fn in_database(transaction: Transaction<'static, Postgres>) -> Self {
        Self(JobLockHolder::Database(transaction))
    }

    /// Locks a job, or finds that this holds its lock. False if another task or node holds it.
    ///
    /// If the database restarts meanwhile, the lock is free although its holder still works. The
    /// next holder must therefore expect that a late result of the other one is written.
    ///
    /// # Errors
    ///
    /// The database does not answer, or has ended the transaction of these locks. None of them is
    /// held then.
    pub async fn try_lock(&mut self, job: Job) -> Result<bool, StoreError> {
        match &mut self.0 {
            JobLockHolder::Local { locks, held } => {
                if held.contains(&job) {
                    return Ok(true);
                }
                let is_free = locks.0.lock().unwrap_or_else(PoisonError::into_inner).insert(job);
                if is_free {
                    held.push(job);
                }
                Ok(is_free)
            }
            JobLockHolder::Database(transaction) => {
                let (class, number) = job.lock_id();
                let query = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1, $2)")
                    .bind(class)
                    .bind(number)
                    .fetch_one(&mut **transaction);
                with_driver_timeout(STATEMENT_TIMEOUT, query).await
            }
        }
    }
}
