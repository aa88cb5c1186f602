//! The two kinds of database. No file outside this folder asks which one is open.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::time::timeout;

use super::{OpenError, StoreError};
use crate::clock::Time;
use crate::config;
use crate::domain::LogId;
use crate::shown_url::SecretUrl;

pub(super) mod backup;
pub(super) mod commit_signal;
pub(super) mod deadline;
pub(super) mod dialect;
pub(super) mod job_lock;
pub(super) mod migrate;
mod postgres;
mod sqlite;

use commit_signal::{CommitSignal, HeadWatch};
use deadline::{Reader, STATEMENT_TIMEOUT, Transaction};
use job_lock::JobLocks;
use postgres::PostgresEngine;
use sqlite::SqliteEngine;

/// How long to wait for a connection or for the write lock. A vendor waits longer than this for its
/// answer.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1500);

/// How many connections are reserved for the service's own reads, which must not wait behind
/// queries.
const RESERVED_READER_CONNECTIONS: u32 = 2;

/// The connections, by their use.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    /// Writes.
    pub(super) writer: DatabaseConnection,
    /// Answer queries.
    pub(super) readers: Reader,
    /// Serve the service's own reads.
    pub(super) reserved: Reader,
    /// Reads the API keys. It is apart from `reserved`, because strangers can cause any number of
    /// hook token lookups.
    pub(super) keys: Reader,
}

/// An open database of either kind.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    connections: Connections,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Sqlite(Arc<SqliteEngine>),
    Postgres(Box<PostgresEngine>),
}

/// The absolute path of a SQLite database's file; none for a PostgreSQL database.
pub(super) fn file(url: &SecretUrl) -> Option<PathBuf> {
    if url.is_postgres() {
        return None;
    }
    let options = SqliteConnectOptions::from_str(url.expose()).ok()?;
    std::path::absolute(options.get_filename()).ok()
}

impl Engine {
    /// Connects to the database that the settings name. A service has a SQLite file for itself.
    pub(super) async fn connect(settings: &config::Database, now: Time, as_service: bool) -> Result<Self, OpenError> {
        if settings.url.is_postgres() {
            let (connections, postgres) = postgres::connect(settings, now).await?;
            Ok(Self { connections, kind: Kind::Postgres(Box::new(postgres)) })
        } else if settings.url.expose().starts_with("sqlite:") {
            let (connections, sqlite) = sqlite::connect(settings, as_service).await?;
            Ok(Self { connections, kind: Kind::Sqlite(Arc::new(sqlite)) })
        } else {
            Err(OpenError::unknown_kind())
        }
    }

    pub(super) const fn connections(&self) -> &Connections {
        &self.connections
    }

    /// As [`super::Store::begin`].
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        let begun = async {
            Ok(match &self.kind {
                Kind::Sqlite(sqlite) => sqlite.begin(&self.connections.writer).await?,
                Kind::Postgres(postgres) => postgres::begin(&self.connections.writer, postgres).await?,
            })
        };
        let begun = timeout(STATEMENT_TIMEOUT, begun).await;
        Ok(Transaction::new(begun.unwrap_or_else(|_| Err(StoreError::timed_out()))?))
    }

    /// As [`super::Store::begin_maintenance`].
    pub(super) async fn begin_maintenance(&self) -> Result<Transaction, StoreError> {
        let tx = self.begin().await?.without_deadline();
        if let Kind::Postgres(_) = &self.kind {
            tx.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = '10min'").await?;
        }
        Ok(tx)
    }

    /// Commits a transaction. An error means that the outcome is unknown.
    pub(super) async fn commit(&self, tx: Transaction) -> Result<(), StoreError> {
        match &self.kind {
            Kind::Sqlite(sqlite) => sqlite.commit(tx).await,
            Kind::Postgres(postgres) => tx.commit_and_reuse(&postgres.write_connection).await,
        }
    }

    /// Checks that a delivery could be written now.
    pub(super) async fn check_writable(&self) -> Result<(), OpenError> {
        match &self.kind {
            Kind::Sqlite(sqlite) => sqlite.check_writable(&self.connections.writer).await,
            Kind::Postgres(_) => Ok(()),
        }
    }

    /// As [`super::Store::exchange_commits`].
    pub(super) async fn exchange_commits(&self, log_id: &LogId, signal: &CommitSignal) {
        let reader = &self.connections.reserved;
        match &self.kind {
            Kind::Sqlite(sqlite) => tokio::select! {
                () = HeadWatch::by_polling(commit_signal::POLL_INTERVAL).run(reader, signal) => {}
                () = sqlite.keep_wal_small(&self.connections) => {}
            },
            Kind::Postgres(postgres) => tokio::select! {
                () = postgres.head_watch(log_id).run(reader, signal) => {}
                () = postgres::notifier::notify_peers(postgres, log_id, signal) => {}
            },
        }
    }

    /// As [`super::Store::job_locks`].
    pub(super) async fn job_locks(&self) -> Result<JobLocks, StoreError> {
        match &self.kind {
            Kind::Sqlite(sqlite) => Ok(JobLocks::local(&sqlite.job_locks)),
            Kind::Postgres(postgres) => Ok(JobLocks::in_database(postgres.begin_job().await?)),
        }
    }

    /// Closes all connections.
    pub(super) async fn close(self) {
        if let Kind::Postgres(postgres) = &self.kind {
            postgres.close().await;
        }
        let Connections { writer, readers, reserved, keys } = self.connections;
        for connection in [keys.into_inner(), reserved.into_inner(), readers.into_inner(), writer] {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a database connection did not close cleanly");
            }
        }
        if let Kind::Sqlite(sqlite) = &self.kind {
            sqlite.release_lock();
        }
    }
}
