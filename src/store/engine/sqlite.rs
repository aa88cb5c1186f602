//! SQLite: one file in WAL mode with `synchronous=FULL`, so that a committed transaction is on
//! disk. A single connection writes, so that no transaction waits for a lock in its middle.

use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

use super::deadline::Reader;
use super::{ACQUIRE_TIMEOUT, Connections, RESERVED_READER_CONNECTIONS};
use crate::config;
use crate::store::{OpenError, StoreError};

/// Opens the file, and creates it if it does not exist.
pub(super) async fn connect(settings: &config::Database) -> Result<Connections, OpenError> {
    let url = settings.url.expose();
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(OpenError::Unsupported(
            "an in-memory database is lost when the process ends: use sqlite://<path of a file>".to_owned(),
        ));
    }
    Ok(Connections {
        writer: pool(url, 1, true).await?,
        readers: Reader::new(pool(url, settings.readers.max(1), false).await?),
        reserved: Reader::new(pool(url, RESERVED_READER_CONNECTIONS, false).await?),
        keys: Reader::new(pool(url, 1, false).await?),
    })
}

/// Begins a transaction that holds the file's one write lock.
pub(super) async fn begin(writer: &DatabaseConnection) -> Result<DatabaseTransaction, StoreError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    Ok(writer.begin_with_options(options).await?)
}

async fn pool(url: &str, connections: u32, writes: bool) -> Result<DatabaseConnection, StoreError> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options| {
            let options = options
                .create_if_missing(writes)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(ACQUIRE_TIMEOUT)
                .foreign_keys(false)
                .statement_cache_capacity(200);
            if writes { options } else { options.pragma("query_only", "on") }
        });
    Ok(Database::connect(options).await?)
}
