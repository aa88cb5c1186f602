//! Jobs of which one node at a time may do the work: whoever holds a job's lock does it, and a holder that dies loses it.
//!
//! On PostgreSQL the lock is the database's and lives as long as a transaction that does nothing else; on SQLite, which has one node,
//! it is this process's.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::sqlx::{self, Postgres, Transaction};

use super::bounded::STATEMENT_WITHIN;
use super::postgres::{self, JOB_LOCKS};
use super::{Engine, Store, StoreError};
use crate::domain::WebhookId;

/// Whoever is ready to take jobs in hand. What it has taken is let go when this is dropped.
#[derive(Debug)]
#[must_use = "the jobs are let go when this is dropped"]
pub struct Hands(How);

#[derive(Debug)]
enum How {
    Here { jobs: Jobs, held: Vec<WebhookId> },
    InDatabase(Transaction<'static, Postgres>),
}

/// The jobs that this process has in hand.
#[derive(Clone, Debug, Default)]
pub(super) struct Jobs(Arc<Mutex<HashSet<WebhookId>>>);

impl Drop for How {
    fn drop(&mut self) {
        match self {
            Self::Here { jobs, held } => {
                let mut jobs = jobs.0.lock().unwrap_or_else(PoisonError::into_inner);
                jobs.retain(|job| !held.contains(job));
            }
            // The locks end with the transaction.
            Self::InDatabase(_) => {}
        }
    }
}

impl Store {
    /// Hands to take jobs in. On PostgreSQL each pair needs a connection, of which there are ten: to be had before the write lock is,
    /// so that nobody waits for one with that lock in hand.
    ///
    /// # Errors
    ///
    /// Where the database is not available, or all connections are in use for 1.5 seconds.
    pub async fn hands(&self) -> Result<Hands, StoreError> {
        Ok(Hands(match &self.engine {
            Engine::Sqlite { jobs } => How::Here { jobs: jobs.clone(), held: Vec::new() },
            Engine::Postgres(node) => {
                let begun = async {
                    let mut transaction = node.jobs.begin().await?;
                    // No call takes so long: by then the holder's machine is gone, without a word.
                    let limit = "SET LOCAL idle_in_transaction_session_timeout = '5min'";
                    sqlx::raw_sql(limit).execute(&mut *transaction).await?;
                    Ok(transaction)
                };
                How::InDatabase(postgres::in_time(STATEMENT_WITHIN, begun).await?)
            }
        }))
    }
}

impl Hands {
    /// Takes the work on a webhook in hand: calls to Bidsketch and what follows from their answers. False where somebody has it.
    ///
    /// Should the database be restarted meanwhile, the job is free for others although its holder is still at work: whoever takes it
    /// must leave everything so that a late answer finds its place.
    ///
    /// # Errors
    ///
    /// Where the database is not available.
    pub async fn take(&mut self, webhook: WebhookId) -> Result<bool, StoreError> {
        match &mut self.0 {
            How::Here { jobs, held } => {
                let is_free = jobs.0.lock().unwrap_or_else(PoisonError::into_inner).insert(webhook);
                if is_free {
                    held.push(webhook);
                }
                Ok(is_free)
            }
            How::InDatabase(transaction) => {
                // Numbers that differ by 2^32 share a lock, which makes one of them wait.
                #[expect(clippy::cast_possible_truncation, reason = "two numbers of 32 bits name a lock")]
                let number = webhook.0 as i32;
                let asked = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1, $2)").bind(JOB_LOCKS).bind(number);
                postgres::in_time(STATEMENT_WITHIN, asked.fetch_one(&mut **transaction)).await
            }
        }
    }
}
