//! The database: all SQL lives here, and maps rows to domain values and read rows.
//!
//! SQLite in WAL mode with `synchronous=FULL`: one connection that writes, a pool of connections that read. What is
//! committed is on disk.

use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ActiveValue::Set, ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, EntityTrait,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use crate::clock::Time;
use crate::domain::LogId;

mod convert;
pub mod delivery;
mod error;
pub mod key;
pub mod log;
pub mod packed;
pub mod projection;
pub mod read;
pub mod webhook;

pub use error::StoreError;

/// How long a statement waits for a lock that another process holds: shorter than a vendor waits for its answer.
const BUSY_TIMEOUT: Duration = Duration::from_millis(1500);

/// An open database with today's tables.
#[derive(Clone, Debug)]
pub struct Store {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
    /// Apart from the readers: however many queries wait for those, the keys are read in time.
    keys_reader: DatabaseConnection,
    log_id: LogId,
}

/// A transaction that writes.
pub type Transaction = DatabaseTransaction;

impl Store {
    /// Opens the database at `url` (`sqlite://path`, made if it is not there), brings its tables up to date, and gives a
    /// new one its log's id.
    ///
    /// # Errors
    ///
    /// Where the URL is of another kind, the file cannot be opened, or a migration fails.
    pub async fn open(url: &str, readers: u32, now: Time) -> Result<Self, StoreError> {
        if !url.starts_with("sqlite:") || url.contains(":memory:") || url.contains("mode=memory") {
            return Err(StoreError::Unsupported);
        }
        let writer = connect(url, 1, true).await?;
        Migrator::up(&writer, None).await?;
        let log_id = log_id(&writer, now).await?;
        let readers = connect(url, readers.max(1), false).await?;
        let keys_reader = connect(url, 1, false).await?;
        Ok(Self { writer, readers, keys_reader, log_id })
    }

    /// The id of this database's log.
    #[must_use]
    pub const fn log_id(&self) -> &LogId {
        &self.log_id
    }

    /// The connections to read with: each statement sees what was committed before it began.
    #[must_use]
    pub const fn reader(&self) -> &DatabaseConnection {
        &self.readers
    }

    /// The connection to read the keys with.
    #[must_use]
    pub const fn keys_reader(&self) -> &DatabaseConnection {
        &self.keys_reader
    }

    /// Begins a transaction that holds the database's one write lock.
    ///
    /// # Errors
    ///
    /// Where the lock or the file cannot be had.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.writer.begin_with_options(options).await?)
    }

    /// Whether the database answers and has every table that this version needs.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub async fn check(&self) -> Result<(), StoreError> {
        log::head(&self.readers).await?;
        Ok(())
    }

    /// Closes all connections, so that the write-ahead log is folded into the file.
    pub async fn close(self) {
        for connection in [self.keys_reader, self.readers, self.writer] {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a database connection did not close cleanly");
            }
        }
    }
}

async fn connect(url: &str, connections: u32, writes: bool) -> Result<DatabaseConnection, StoreError> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(BUSY_TIMEOUT)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options| {
            let options = options
                .create_if_missing(writes)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY_TIMEOUT)
                .foreign_keys(false)
                .statement_cache_capacity(200);
            if writes { options } else { options.pragma("query_only", "on") }
        });
    Ok(Database::connect(options).await?)
}

async fn log_id(writer: &DatabaseConnection, now: Time) -> Result<LogId, StoreError> {
    if let Some(row) = entity::log::Entity::find().one(writer).await? {
        return Ok(LogId(row.id.into()));
    }
    let id = hex::encode(rand::random::<[u8; 8]>());
    let row = entity::log::ActiveModel { id: Set(id.clone()), created_at: Set(convert::micros(now)) };
    entity::log::Entity::insert(row).exec_without_returning(writer).await?;
    Ok(LogId(id.into()))
}
