//! Connections whose statements have a deadline. If a server's machine dies, it closes no
//! connection, and TCP retries for a quarter of an hour.

use std::time::Duration;

use sea_orm::entity::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use tokio::time::timeout;

use super::postgres::write_connection::WriteConnection;
use crate::store::StoreError;

/// How long a statement may take, except in a maintenance transaction.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15);

/// A connection or a transaction that abandons a statement at its deadline.
#[derive(Clone, Debug)]
pub struct WithDeadline<C> {
    connection: C,
    /// `None` in a maintenance transaction.
    timeout: Option<Duration>,
}

/// Connections that read.
pub type Reader = WithDeadline<DatabaseConnection>;

/// A transaction that writes.
pub type Transaction = WithDeadline<DatabaseTransaction>;

impl<C> WithDeadline<C> {
    pub(super) const fn new(connection: C) -> Self {
        Self { connection, timeout: Some(STATEMENT_TIMEOUT) }
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
        with_timeout(self.timeout, self.connection.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        with_timeout(self.timeout, self.connection.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        with_timeout(self.timeout, self.connection.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        with_timeout(self.timeout, self.connection.query_all_raw(statement)).await
    }
}

/// Waits for a query, up to the limit if there is one.
pub(super) async fn with_timeout<T>(
    limit: Option<Duration>,
    query: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    match limit {
        Some(limit) => timeout(limit, query).await.unwrap_or_else(|_| Err(timed_out())),
        None => query.await,
    }
}

/// The error for a database that did not answer in time.
pub(in crate::store) fn timed_out() -> DbErr {
    DbErr::Custom("it did not answer in time".to_owned())
}
