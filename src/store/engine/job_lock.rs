//! Locks for jobs that one node at a time may work on. A holder that dies loses its locks.
//!
//! On PostgreSQL a lock belongs to a transaction that does nothing else. On SQLite, which has one
//! node, it belongs to the process.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::sqlx::{self, Postgres, Transaction};

use super::deadline::STATEMENT_TIMEOUT;
use super::postgres::JOB_LOCK_CLASS;
use super::postgres::pool::with_driver_timeout;
use crate::domain::WebhookId;
use crate::store::StoreError;

/// The job locks that one task holds. They are released when this is dropped.
#[derive(Debug)]
#[must_use = "the locks are released when this is dropped"]
pub struct JobLocks(JobLockHolder);

#[derive(Debug)]
enum JobLockHolder {
    Local { locks: LocalLocks, held: Vec<WebhookId> },
    Database(Transaction<'static, Postgres>),
}

/// The jobs that are locked within this process.
#[derive(Clone, Debug, Default)]
pub(super) struct LocalLocks(Arc<Mutex<HashSet<WebhookId>>>);

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

    /// Locks the work on a webhook: calls to Bidsketch and what follows from their answers. False
    /// if another task or node holds the lock.
    ///
    /// If the database restarts meanwhile, the lock is free although its holder still works. The
    /// next holder must therefore keep the row, so that a late answer still finds it.
    pub async fn try_lock(&mut self, webhook: WebhookId) -> Result<bool, StoreError> {
        match &mut self.0 {
            JobLockHolder::Local { locks, held } => {
                let is_free = locks.0.lock().unwrap_or_else(PoisonError::into_inner).insert(webhook);
                if is_free {
                    held.push(webhook);
                }
                Ok(is_free)
            }
            JobLockHolder::Database(transaction) => {
                // Ids that differ by 2^32 share a lock. One of them then waits.
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "PostgreSQL names such a lock by two 32-bit numbers"
                )]
                let number = webhook.0 as i32;
                let query = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1, $2)")
                    .bind(JOB_LOCK_CLASS)
                    .bind(number)
                    .fetch_one(&mut **transaction);
                with_driver_timeout(STATEMENT_TIMEOUT, query).await
            }
        }
    }
}
