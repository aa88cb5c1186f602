//! Jobs of which one node at a time may do the work: whoever holds a job's lock does it, and a holder that dies loses it.
//!
//! On PostgreSQL the lock is the database's and lives as long as a transaction that does nothing else; on SQLite, which has one node,
//! it is this process's.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::sqlx::{self, PgPool, Postgres, Transaction};

use super::postgres::{self, JOB_LOCKS};
use super::{Engine, Store, StoreError};
use crate::domain::WebhookId;

/// A job that this node has in hand, until this is dropped.
#[derive(Debug)]
#[must_use = "the job is let go when this is dropped"]
pub struct Job(#[expect(dead_code, reason = "held for what happens when it is dropped")] Held);

#[derive(Debug)]
enum Held {
    Here { jobs: Jobs, id: WebhookId },
    InDatabase(#[expect(dead_code, reason = "the lock ends with it")] Transaction<'static, Postgres>),
}

/// The jobs that this process has in hand.
#[derive(Clone, Debug, Default)]
pub(super) struct Jobs(Arc<Mutex<HashSet<WebhookId>>>);

impl Jobs {
    fn take(&self, id: WebhookId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        match self {
            Self::Here { jobs, id } => {
                jobs.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
            }
            Self::InDatabase(_) => {}
        }
    }
}

impl Store {
    /// Takes the work on a webhook in hand: calls to Bidsketch and what follows from their answers. `None` where somebody has it.
    ///
    /// Should the database be restarted meanwhile, the job is free for others although its holder is still at work: whoever takes it
    /// must leave everything so that a late answer finds its place.
    ///
    /// # Errors
    ///
    /// Where the database is not available.
    pub async fn take_job(&self, webhook: WebhookId) -> Result<Option<Job>, StoreError> {
        let held = match &self.engine {
            Engine::Sqlite { jobs } => jobs.take(webhook).then(|| Held::Here { jobs: jobs.clone(), id: webhook }),
            Engine::Postgres(node) => {
                lock(&node.jobs, webhook).await.map_err(postgres::unavailable)?.map(Held::InDatabase)
            }
        };
        Ok(held.map(Job))
    }
}

async fn lock(pool: &PgPool, webhook: WebhookId) -> Result<Option<Transaction<'static, Postgres>>, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    // No call takes so long: by then the holder's machine is gone, without a word.
    sqlx::raw_sql("SET LOCAL idle_in_transaction_session_timeout = '5min'").execute(&mut *transaction).await?;
    // Numbers that differ by 2^32 share a lock, which makes one of them wait.
    #[expect(clippy::cast_possible_truncation, reason = "two numbers of 32 bits name a lock")]
    let number = webhook.0 as i32;
    let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1, $2)")
        .bind(JOB_LOCKS)
        .bind(number)
        .fetch_one(&mut *transaction)
        .await?;
    Ok(taken.then_some(transaction))
}
