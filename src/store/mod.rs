//! The database. All SQL lives here; it maps rows to domain values and to the rows that the API
//! reads.
//!
//! Two kinds of database share this code: SQLite, one file for one node, and PostgreSQL, for any
//! number of nodes. `engine` holds what differs in connections, locks and commit notifications.
//! `sql` holds what differs in statements. Above both there is one file a table: `log`,
//! `projection`, `deliveries`, `files`, `refusals`, `keys`, `sessions`, `audit`, `webhooks`, and
//! the rows that the API reads in `read`.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::clock::Time;
use crate::config;
use crate::domain::{LogId, Seq};

pub mod audit;
pub mod budget;
pub mod copy;
pub mod deliveries;
mod engine;
mod error;
pub mod files;
pub mod keys;
pub mod log;
pub mod projection;
pub mod read;
pub mod refusals;
pub mod secrets;
pub mod sessions;
pub(crate) mod sql;
pub(crate) mod tenths;
#[cfg(test)]
pub(crate) mod test_support;
pub mod webhooks;

use engine::Engine;
pub use engine::backup::{Backup, BackupError, BackupProgress, back_up};
use engine::commit_signal::CommitSignal;
pub use engine::deadline::{Reader, Snapshot, Transaction};
pub use engine::job_lock::{Job, JobLocks};
pub use error::{OpenError, StoreError, WriteProblem};
use projection::folded;
pub use sql::bulk_insert::BulkInsert;

/// How often the service looks for rows that a node of the version before has written.
const FOLDING_INTERVAL: Duration = Duration::from_secs(5);

/// An open database that has the tables of this version.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    log_id: LogId,
    is_new: bool,
    commit_signal: CommitSignal,
}

/// The absolute path of a SQLite database's file; none for a PostgreSQL database.
#[must_use]
pub fn file(settings: &config::Database) -> Option<PathBuf> {
    engine::file(&settings.url)
}

/// Who opens a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opener {
    /// The service, which has a SQLite file for itself, and makes its tables.
    Service,
    /// A command that makes the tables of a new database.
    Creator,
    /// A command for a database that is there.
    Command,
}

impl Store {
    /// Opens the database, runs the migrations that are missing, gives a new database its log id,
    /// and folds the texts of rows that an earlier version wrote.
    ///
    /// # Errors
    ///
    /// The URL names neither kind of database, the server or file cannot be used, a migration
    /// fails, or a later version of the service has run migrations that this one does not know.
    pub async fn open(settings: &config::Database, now: Time) -> Result<Self, OpenError> {
        Self::open_as(settings, now, Opener::Creator).await
    }

    /// As [`Self::open`], and takes the lock of a SQLite file that one service at a time holds. A
    /// command works beside it.
    ///
    /// # Errors
    ///
    /// As [`Self::open`], and if another process holds that lock. The message names it.
    pub async fn open_for_service(settings: &config::Database, now: Time) -> Result<Self, OpenError> {
        Self::open_as(settings, now, Opener::Service).await
    }

    /// As [`Store::open`], for a database that is there.
    ///
    /// # Errors
    ///
    /// Also [`OpenError::NotThere`], if the file is missing or the database has no tables of
    /// bidarc.
    pub async fn open_existing(settings: &config::Database, now: Time) -> Result<Self, OpenError> {
        if let Some(file) = file(settings)
            && !file.try_exists().unwrap_or(true)
        {
            return Err(OpenError::NotThere(format!("there is no database {}", file.display())));
        }
        Self::open_as(settings, now, Opener::Command).await
    }

    async fn open_as(settings: &config::Database, now: Time, opener: Opener) -> Result<Self, OpenError> {
        let engine = Engine::connect(settings, now, opener == Opener::Service).await?;
        let may_create = opener != Opener::Command;
        let (log_id, is_new) = engine::migrate::migrate_to_current(&engine, now, may_create).await?;
        match folded::fold_stale_rows(&engine).await {
            // A node must be able to start during another one's long transaction.
            Err(error) if error.is_lock_timeout() => {
                tracing::info!("another process writes: the names of some rows are folded once it has ended");
            }
            result => result?,
        }
        let head = log::head(&engine.connections().reserved).await?;
        Ok(Self { engine, log_id, is_new, commit_signal: CommitSignal::new(head) })
    }

    /// Whether this call of [`Store::open`] made the database's tables.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// Folds the texts of rows that a node of the version before writes, for as long as it is
    /// polled.
    pub async fn run_folding_loop(&self) {
        let mut interval = tokio::time::interval(FOLDING_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            if let Err(error) = folded::fold_stale_rows(&self.engine).await {
                tracing::debug!(%error, "the names of some rows are not folded yet");
            }
        }
    }

    /// The id of this database's log.
    #[must_use]
    pub const fn log_id(&self) -> &LogId {
        &self.log_id
    }

    /// The connections that answer queries. Each statement sees all commits before its begin.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.engine.connections().readers
    }

    /// The connections reserved for reads that the service itself needs in time, however many
    /// queries wait for the others: hook tokens, the log's head, the newest events.
    #[must_use]
    pub const fn reserved_reader(&self) -> &Reader {
        &self.engine.connections().reserved
    }

    /// The connection that reads the API keys.
    #[must_use]
    pub const fn keys_reader(&self) -> &Reader {
        &self.engine.connections().keys
    }

    /// Begins a transaction that holds the database's one write lock. On PostgreSQL all nodes share
    /// that lock.
    ///
    /// # Errors
    ///
    /// The lock, or a connection, is not free within 1.5 seconds each.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        self.engine.begin().await
    }

    /// Begins a transaction for long work. Neither its statements nor the pauses between them have
    /// a deadline.
    ///
    /// # Errors
    ///
    /// As [`Store::begin`].
    pub async fn begin_maintenance(&self) -> Result<Transaction, StoreError> {
        self.engine.begin_maintenance().await
    }

    /// Commits a transaction. `newest` is the log's head if the transaction moved it: the followers
    /// of the log wake, and other nodes are notified.
    ///
    /// # Errors
    ///
    /// The outcome is unknown: the transaction may have been committed. An error never means that a
    /// value was rejected.
    pub async fn commit(&self, tx: Transaction, newest: Option<Seq>) -> Result<(), StoreError> {
        self.engine.commit(tx).await?;
        if let Some(newest) = newest {
            self.commit_signal.announce_own(newest);
        }
        Ok(())
    }

    /// The newest seq that is committed.
    pub async fn head(&self) -> Result<Seq, StoreError> {
        log::head(self.reserved_reader()).await
    }

    /// The newest seq that this node knows to be committed.
    #[must_use]
    pub fn known_head(&self) -> Seq {
        self.commit_signal.head()
    }

    /// Waits until this node knows that a seq after `known` is committed, and returns the newest.
    pub async fn wait_for_commit(&self, known: Seq) -> Seq {
        self.commit_signal.wait_for(known, |heads| heads.newest).await
    }

    /// Notifies other nodes of this node's commits, and watches the database for theirs. It runs
    /// for as long as it is polled, and ends only if the log has lost events. This node's memory of
    /// the log is wrong then.
    pub async fn exchange_commits(&self) {
        self.engine.exchange_commits(&self.log_id, &self.commit_signal).await;
    }

    /// Locks for jobs. On PostgreSQL each `JobLocks` occupies one of ten connections. Take it
    /// before the write lock, so that the holder of the write lock never waits for a connection.
    ///
    /// # Errors
    ///
    /// All ten connections are in use for 1.5 seconds.
    pub async fn job_locks(&self) -> Result<JobLocks, StoreError> {
        self.engine.job_locks().await
    }

    /// Checks that the database answers, has the tables of this version, and takes deliveries.
    ///
    /// # Errors
    ///
    /// The reason why the database cannot be used.
    pub async fn check(&self) -> Result<(), OpenError> {
        self.engine.check_writable().await?;
        engine::migrate::check(self.reserved_reader()).await
    }

    /// Closes all connections. SQLite then folds its write-ahead log into the file, and another
    /// service may open it.
    pub async fn close(self) {
        self.engine.close().await;
    }
}
