//! The database: all SQL lives here, and maps rows to domain values and read rows.
//!
//! Two kinds of database by the same code: `sqlite`, one file for one node, and `postgres`, for any number of nodes. What they do
//! differently is in the files of these names, in `packed::sql` (JSON), in `batch` (writing many rows), in `wanted` (looking many up), in
//! `job` (work of which one node may do it) and in `news` (hearing of another node's commits).

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::Time;
use crate::config;
use crate::domain::{LogId, Seq};

mod batch;
mod bounded;
mod convert;
pub mod copy;
pub mod delivery;
mod dialect;
mod error;
#[cfg(test)]
pub(crate) mod for_tests;
mod job;
mod kept;
pub mod key;
pub mod log;
mod migrate;
mod news;
pub mod packed;
mod postgres;
pub mod projection;
pub mod read;
mod sqlite;
mod wanted;
pub mod webhook;

pub use batch::Batch;
pub use bounded::{Reader, Transaction};
pub use error::{OpenError, StoreError};
pub use job::Hands;
pub use news::{Look, News};

/// How long to wait for a connection or a lock that others have: shorter than a vendor waits for its answer.
const WAIT: Duration = Duration::from_millis(1500);

/// How many connections read what the service itself must know in time: tokens of hooks, the log's head and its newest events. However
/// many queries wait for the readers, these are not among them.
const OWN_READERS: u32 = 2;

/// An open database with today's tables.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    connections: Connections,
    log_id: LogId,
    /// How far the log has come by this node's commits, for the others to be told.
    told: watch::Sender<Seq>,
}

/// The connections of each use.
#[derive(Clone, Debug)]
struct Connections {
    writer: DatabaseConnection,
    readers: Reader,
    own: Reader,
    /// Apart from all others: strangers can have hooks' tokens looked up as often as they like, and the keys are read in time.
    keys: Reader,
}

/// Which kind of database it is.
#[derive(Clone, Debug)]
enum Engine {
    Sqlite { jobs: job::Jobs },
    Postgres(Box<postgres::Postgres>),
}

impl Store {
    /// Opens the database, brings its tables up to date, and gives a new one its log's id.
    ///
    /// # Errors
    ///
    /// Where the URL is of another kind, the database cannot be had or is unfit, a step fails, or a later version of the service has
    /// taken steps that this one does not know.
    pub async fn open(settings: &config::Database, now: Time) -> Result<Self, OpenError> {
        let (connections, engine) = if settings.url.is_postgres() {
            let (connections, node) = postgres::connect(settings, now).await?;
            (connections, Engine::Postgres(Box::new(node)))
        } else if settings.url.expose().starts_with("sqlite:") {
            (sqlite::connect(settings).await?, Engine::Sqlite { jobs: job::Jobs::default() })
        } else {
            let kinds = "its URL must be sqlite://<path of a file> or postgres://<user>@<host>/<database>";
            return Err(OpenError::Unsupported(kinds.to_owned()));
        };
        let log_id = migrate::bring_up_to_date(&connections, &engine, now).await?;
        Ok(Self { engine, connections, log_id, told: watch::Sender::new(Seq(0)) })
    }

    /// The id of this database's log.
    #[must_use]
    pub const fn log_id(&self) -> &LogId {
        &self.log_id
    }

    /// The connections to read with: each statement sees what was committed before it began.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.connections.readers
    }

    /// The connections for what the service itself must know in time, whatever queries do.
    #[must_use]
    pub const fn own_reader(&self) -> &Reader {
        &self.connections.own
    }

    /// The connection to read the keys with.
    #[must_use]
    pub const fn keys_reader(&self) -> &Reader {
        &self.connections.keys
    }

    /// Begins a transaction that holds the database's one write lock: on PostgreSQL, the one of all nodes.
    ///
    /// # Errors
    ///
    /// Where the lock cannot be had within 1.5 seconds, or a connection cannot be in about as long.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        self.engine.begin(&self.connections.writer).await
    }

    /// The same for work that takes long: its statements may take as long as they do, and so may the pauses between them.
    ///
    /// # Errors
    ///
    /// As for [`Store::begin`].
    pub async fn begin_long(&self) -> Result<Transaction, StoreError> {
        let tx = self.begin().await?.without_bound();
        if let Engine::Postgres(_) = &self.engine {
            tx.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = '10min'").await?;
        }
        Ok(tx)
    }

    /// Commits a transaction. `newest` is the log's end where the transaction moved it: other nodes will be told.
    ///
    /// # Errors
    ///
    /// Where the database does not say that it has committed. It may have all the same.
    pub async fn commit(&self, tx: Transaction, newest: Option<Seq>) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite { .. } => tx.commit().await?,
            Engine::Postgres(node) => tx.commit_and_keep(&node.kept).await?,
        }
        if let Some(newest) = newest {
            self.told.send_replace(newest);
        }
        Ok(())
    }

    /// The newest place in the log that is committed.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn head(&self) -> Result<Seq, StoreError> {
        log::head(self.own_reader()).await
    }

    /// Whether the database answers and has the tables of this version, no newer ones.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub async fn check(&self) -> Result<(), OpenError> {
        migrate::check(self.own_reader()).await
    }

    /// Closes all connections, so that SQLite's write-ahead log is folded into the file.
    pub async fn close(self) {
        if let Engine::Postgres(node) = &self.engine {
            node.jobs.close().await;
            node.kept.close().await;
        }
        let Connections { writer, readers, own, keys } = self.connections;
        for connection in [keys.into_inner(), own.into_inner(), readers.into_inner(), writer] {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a database connection did not close cleanly");
            }
        }
    }
}

impl Engine {
    async fn begin(&self, writer: &DatabaseConnection) -> Result<Transaction, StoreError> {
        let begun = async {
            Ok(match self {
                Self::Sqlite { .. } => sqlite::begin(writer).await?,
                Self::Postgres(node) => postgres::begin(writer, node).await?,
            })
        };
        let begun = timeout(bounded::STATEMENT_WITHIN, begun).await;
        Ok(Transaction::new(begun.unwrap_or_else(|_| Err(StoreError::too_late()))?))
    }
}
