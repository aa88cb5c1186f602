//! Pools of connections to PostgreSQL, and waiting for the driver within a deadline.

use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sea_orm::sqlx::{self, Connection, Executor, PgPool};
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector};
use tokio::time::timeout;

use crate::store::StoreError;
use crate::store::engine::ACQUIRE_TIMEOUT;

/// A connection that was idle for longer is pinged before it is used: a server that restarted
/// meanwhile has closed it.
pub(super) const PING_AFTER_IDLE: Duration = Duration::from_secs(1);

/// How long a connection has to answer a ping.
pub(in crate::store::engine) const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// A pool that connects on first use.
pub(super) fn pool(options: &PgConnectOptions, connections: u32) -> PgPool {
    pool_options(connections).connect_lazy_with(options.clone())
}

/// As [`pool`], for queries of clients. A query that is abandoned at its request's deadline has its
/// connection closed, and the server then ends it within a second. It would otherwise run on until
/// it has a result to send. That costs one statement a connection and none a query, as a time limit
/// in each transaction or a request to cancel would.
pub(super) fn query_pool(options: &PgConnectOptions, connections: u32) -> PgPool {
    const WATCH_CLIENT: &str = "SET client_connection_check_interval = '1s'";
    let watched = pool_options(connections).after_connect(|connection, _| {
        Box::pin(async move {
            match connection.execute(sqlx::raw_sql(WATCH_CLIENT)).await {
                // A server on Windows cannot do this. It has `statement_timeout`.
                Ok(_) | Err(sqlx::Error::Database(_)) => Ok(()),
                Err(error) => Err(error),
            }
        })
    });
    watched.connect_lazy_with(options.clone())
}

pub(super) fn pool_options(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for >= PING_AFTER_IDLE {
                    ping(connection).await?;
                }
                Ok(true)
            })
        })
        // The user of the connection may have abandoned a statement. Without a time-out a
        // connection to a dead server would occupy the pool for as long as TCP retries.
        .after_release(|connection, _| Box::pin(async move { ping(connection).await.map(|()| true) }))
}

/// A pool as the ORM's type.
pub(super) fn orm_connection(pool: PgPool) -> DatabaseConnection {
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

async fn ping(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    timeout(PING_TIMEOUT, connection.ping()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Waits for the driver, within a time-out.
pub(in crate::store::engine) async fn with_driver_timeout<T>(
    limit: Duration,
    query: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    match timeout(limit, query).await {
        Ok(result) => result.map_err(from_driver_error),
        Err(_) => Err(StoreError::timed_out()),
    }
}

/// An error of the driver as the ORM's type.
pub(super) fn from_driver_error(error: sqlx::Error) -> StoreError {
    StoreError::from(DbErr::Conn(RuntimeErr::SqlxError(error.into())))
}
