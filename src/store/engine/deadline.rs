//! Connections on which nobody waits for ever. A server whose machine has died says nothing, and TCP goes on hoping for a quarter of an
//! hour.

use std::time::Duration;

use sea_orm::entity::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use tokio::time::timeout;

use super::postgres::write_connection::WriteConnection;
use crate::store::StoreError;

/// How long a statement may take, but for those of work that takes long.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15);

/// A connection, or a transaction, whose statements are waited for so long and no longer. What was begun is broken off then.
#[derive(Clone, Debug)]
pub struct WithDeadline<C> {
    connection: C,
    /// None in work that takes long.
    timeout: Option<Duration>,
}

/// Connections to read with.
pub type Reader = WithDeadline<DatabaseConnection>;

/// A transaction that writes.
pub type Transaction = WithDeadline<DatabaseTransaction>;

impl<C> WithDeadline<C> {
    pub(super) const fn new(connection: C) -> Self {
        Self { connection, timeout: Some(STATEMENT_TIMEOUT) }
    }

    /// The same, but for work that takes long.
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
    /// Commits. An error says that the database has not said that it has: it may have all the same, and no value is at fault.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        with_timeout(self.timeout, self.connection.commit()).await.map_err(StoreError::Unavailable)
    }

    /// Commits it, on a connection that is kept for the next one.
    pub(super) async fn commit_and_reuse(self, kept: &WriteConnection) -> Result<(), StoreError> {
        with_timeout(self.timeout, kept.commit(self.connection)).await.map_err(StoreError::Unavailable)
    }

    /// Takes back what was done. Dropped, a transaction does so as well, later.
    ///
    /// # Errors
    ///
    /// Where the database is not available.
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

/// Waits for an answer, but not for ever.
pub(super) async fn with_timeout<T>(
    within: Option<Duration>,
    asked: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    match within {
        Some(within) => timeout(within, asked).await.unwrap_or_else(|_| Err(timed_out())),
        None => asked.await,
    }
}

/// The database has not answered in time.
pub(in crate::store) fn timed_out() -> DbErr {
    DbErr::Custom("it does not answer in time".to_owned())
}
