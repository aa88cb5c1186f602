//! Connections whose statements have a deadline. If a server's machine dies, it closes no
//! connection, and TCP retries for a quarter of an hour.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::entity::prelude::async_trait::async_trait;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, IsolationLevel,
    QueryResult, Statement, TransactionTrait,
};
use tokio::time::timeout;

use super::dialect::Dialect;
use super::postgres::write_connection::WriteConnection;
use crate::store::StoreError;
use crate::store::budget::{Budget, Exceeded};

/// How long a statement may take, except in a maintenance transaction.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15);

/// A table is wider than its index by far. Compiling a statement takes longer than running it.
const SNAPSHOT_SETTINGS: &str = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off";

tokio::task_local! {
    /// The deadline of the statement that this task is about to run. The hooks of a pool read it.
    static STATEMENT_DEADLINE: Instant;
}

/// The deadline of the statement for which a pool gives this task a connection.
pub(super) fn statement_deadline() -> Instant {
    STATEMENT_DEADLINE.try_with(|deadline| *deadline).unwrap_or_else(|_| Instant::now() + STATEMENT_TIMEOUT)
}

/// A connection or a transaction that abandons a statement at its deadline.
#[derive(Clone, Debug)]
pub struct WithDeadline<C> {
    connection: C,
    /// `None` in a maintenance transaction.
    timeout: Option<Duration>,
    /// What the statements of one request may cost.
    budget: Option<Arc<Budget>>,
}

/// Connections that read.
pub type Reader = WithDeadline<DatabaseConnection>;

/// A transaction that only reads. All its statements see the same commits.
pub type Snapshot = WithDeadline<DatabaseTransaction>;

/// A transaction that writes.
pub type Transaction = WithDeadline<DatabaseTransaction>;

impl<C> WithDeadline<C> {
    pub(super) const fn new(connection: C) -> Self {
        Self { connection, timeout: Some(STATEMENT_TIMEOUT), budget: None }
    }

    /// The same, without a deadline.
    pub(super) fn without_deadline(self) -> Self {
        Self { timeout: None, ..self }
    }

    /// The connection itself.
    pub(super) const fn inner(&self) -> &C {
        &self.connection
    }

    pub(super) fn into_inner(self) -> C {
        self.connection
    }

    /// What the statements may cost, if that is bounded.
    pub(in crate::store) fn budget(&self) -> Option<&Budget> {
        self.budget.as_deref()
    }

    /// Runs one statement, up to its deadline and to that of the budget.
    async fn run<T>(&self, statement: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        let Some(budget) = &self.budget else { return with_timeout(self.timeout, statement).await };
        let left = budget.deadline().saturating_duration_since(Instant::now());
        let limit = self.timeout.map_or(left, |timeout| timeout.min(left));
        let result = with_timeout(Some(limit), statement).await;
        if result.is_err() && budget.deadline() <= Instant::now() {
            budget.exceed(Exceeded::Time);
        }
        result
    }
}

impl Reader {
    /// The same connections, for one request.
    #[must_use]
    pub fn within(&self, budget: Arc<Budget>) -> Self {
        Self { budget: Some(budget), ..self.clone() }
    }

    /// Begins a transaction that only reads, for statements that read indexes from end to end. It
    /// occupies a connection, and ends when it is dropped.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let begin = async {
            if Dialect::of(self.connection.get_database_backend()) == Dialect::Sqlite {
                // A transaction of SQLite is one from its first read on.
                return self.connection.begin().await;
            }
            let (isolation, access) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
            let begun = self.connection.begin_with_config(Some(isolation), Some(access)).await?;
            begun.execute_unprepared(SNAPSHOT_SETTINGS).await?;
            Ok(begun)
        };
        let connection = self.run(begin).await?;
        Ok(WithDeadline { connection, timeout: self.timeout, budget: self.budget.clone() })
    }
}

impl Transaction {
    /// Commits. An error means that the outcome is unknown: the transaction may have been
    /// committed. It never means that a value was rejected.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        with_timeout(self.timeout, self.connection.commit()).await.map_err(StoreError::Unavailable)
    }

    /// As [`Self::commit`], and leaves the connection to the next transaction.
    pub(super) async fn commit_and_reuse(self, write_connection: &WriteConnection) -> Result<(), StoreError> {
        with_timeout(self.timeout, write_connection.commit(self.connection)).await.map_err(StoreError::Unavailable)
    }

    /// Rolls back. A dropped transaction is rolled back too, but later.
    pub async fn rollback(self) -> Result<(), StoreError> {
        Ok(with_timeout(self.timeout, self.connection.rollback()).await?)
    }
}

#[async_trait]
impl<C: ConnectionTrait> ConnectionTrait for WithDeadline<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(self.connection.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.run(self.connection.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(self.connection.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(self.connection.query_all_raw(statement)).await
    }
}

/// Waits for a query, up to the limit if there is one.
pub(super) async fn with_timeout<T>(
    limit: Option<Duration>,
    query: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    match limit {
        Some(limit) => {
            let query = STATEMENT_DEADLINE.scope(Instant::now() + limit, query);
            timeout(limit, query).await.unwrap_or_else(|_| Err(timed_out()))
        }
        None => query.await,
    }
}

/// The error for a database that did not answer in time.
pub(in crate::store) fn timed_out() -> DbErr {
    DbErr::Custom("it did not answer in time".to_owned())
}
