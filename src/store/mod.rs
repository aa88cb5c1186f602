//! The database: all SQL lives here, and maps rows to domain values and read rows.
//!
//! Two kinds of database by the same code: `sqlite`, one file for one node, and `postgres`, for any number of nodes. What they do
//! differently is in the files of these names, in `packed::sql` (JSON), in `job` (work of which one node may do it) and in `news`
//! (hearing of another node's commits).

use std::time::Duration;

use sea_orm::{DatabaseConnection, DatabaseTransaction};
use tokio::time::timeout;

use crate::clock::Time;
use crate::config;
use crate::domain::{LogId, Seq};

mod convert;
pub mod copy;
pub mod delivery;
mod error;
mod job;
pub mod key;
pub mod log;
mod migrate;
mod news;
pub mod packed;
mod postgres;
pub mod projection;
pub mod read;
mod sqlite;
pub mod webhook;

pub use error::{OpenError, StoreError};
pub use job::Job;
pub use news::{Look, News};

/// How long to wait for a connection or a lock that others have: shorter than a vendor waits for its answer.
const WAIT: Duration = Duration::from_millis(1500);

/// How long a statement that reads may take. A server that has died without a word answers never.
const READ_WITHIN: Duration = Duration::from_secs(15);

/// An open database with today's tables.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    connections: Connections,
    log_id: LogId,
}

/// The connections of each use.
#[derive(Clone, Debug)]
struct Connections {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
    /// Apart from the readers: however many queries wait for those, the keys are read in time.
    keys_reader: DatabaseConnection,
}

/// Which kind of database it is.
#[derive(Clone, Debug)]
enum Engine {
    Sqlite { jobs: job::Jobs },
    Postgres(postgres::Postgres),
}

/// A transaction that writes.
pub type Transaction = DatabaseTransaction;

impl Store {
    /// Opens the database, brings its tables up to date, and gives a new one its log's id.
    ///
    /// # Errors
    ///
    /// Where the URL is of another kind, the database cannot be had or is unfit, a step fails, or a later version of the service has
    /// taken steps that this one does not know.
    pub async fn open(settings: &config::Database, now: Time) -> Result<Self, OpenError> {
        let (connections, engine) = if settings.url.is_postgres() {
            let (connections, node) = postgres::connect(settings).await?;
            (connections, Engine::Postgres(node))
        } else if settings.url.expose().starts_with("sqlite:") {
            (sqlite::connect(settings).await?, Engine::Sqlite { jobs: job::Jobs::default() })
        } else {
            let kinds = "its URL must be sqlite://<path of a file> or postgres://<user>@<host>/<database>";
            return Err(OpenError::Unsupported(kinds.to_owned()));
        };
        let log_id = migrate::bring_up_to_date(&connections, &engine, now).await?;
        Ok(Self { engine, connections, log_id })
    }

    /// The id of this database's log.
    #[must_use]
    pub const fn log_id(&self) -> &LogId {
        &self.log_id
    }

    /// The connections to read with: each statement sees what was committed before it began.
    #[must_use]
    pub const fn reader(&self) -> &DatabaseConnection {
        &self.connections.readers
    }

    /// The connection to read the keys with.
    #[must_use]
    pub const fn keys_reader(&self) -> &DatabaseConnection {
        &self.connections.keys_reader
    }

    /// Begins a transaction that holds the database's one write lock: on PostgreSQL, the one of all nodes.
    ///
    /// # Errors
    ///
    /// Where the lock or the database cannot be had within 1.5 seconds.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        self.engine.begin(&self.connections.writer).await
    }

    /// Commits a transaction. `newest` is the log's end where the transaction moved it: other nodes are told.
    ///
    /// # Errors
    ///
    /// Where the database does not say that it has committed. It may have all the same.
    pub async fn commit(&self, tx: Transaction, newest: Option<Seq>) -> Result<(), StoreError> {
        if let (Engine::Postgres(node), Some(newest)) = (&self.engine, newest) {
            node.notify(&tx, &self.log_id, newest).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The newest place in the log that is committed.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn head(&self) -> Result<Seq, StoreError> {
        in_time(log::head(self.reader())).await
    }

    /// Whether the database answers and has every table that this version needs.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.head().await?;
        Ok(())
    }

    /// Closes all connections, so that SQLite's write-ahead log is folded into the file.
    pub async fn close(self) {
        let Connections { writer, readers, keys_reader } = self.connections;
        for connection in [keys_reader, readers, writer] {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a database connection did not close cleanly");
            }
        }
    }
}

impl Engine {
    async fn begin(&self, writer: &DatabaseConnection) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite { .. } => sqlite::begin(writer).await,
            Self::Postgres(_) => postgres::begin(writer).await,
        }
    }
}

/// Waits for what a statement gives, but not for ever.
async fn in_time<T, E: Into<StoreError>>(asked: impl Future<Output = Result<T, E>>) -> Result<T, StoreError> {
    match timeout(READ_WITHIN, asked).await {
        Ok(answered) => answered.map_err(Into::into),
        Err(_) => Err(StoreError::too_late()),
    }
}

#[cfg(test)]
impl Store {
    /// A fresh one in a file, which goes with the directory.
    pub(crate) async fn for_test() -> (tempfile::TempDir, Self) {
        let directory = tempfile::tempdir().unwrap();
        let settings = config::Database {
            url: format!("sqlite://{}", directory.path().join("test.db").display()).into(),
            readers: 1,
            ..config::Settings::defaults().unwrap().database
        };
        let store = Self::open(&settings, crate::clock::Clock::system().now()).await.unwrap();
        (directory, store)
    }
}
