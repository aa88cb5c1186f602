//! The database of one test. This is the one place that decides which kind it is.

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, Statement};
use tempfile::TempDir;

const FILE: &str = "bidarc.db";

/// A database that nobody else uses; its files go when it is dropped.
pub(crate) struct Database {
    directory: TempDir,
}

impl Database {
    /// One that has no tables yet.
    pub(crate) fn fresh() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// Its `database.url`.
    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.directory.path().join(FILE).display())
    }

    /// What a backup of it gives, taken while no service runs on it.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::fresh();
        std::fs::copy(self.directory.path().join(FILE), copy.directory.path().join(FILE)).unwrap();
        copy
    }

    /// A directory of the test's own.
    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// A connection beside the service's.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(self.url());
        options.max_connections(1).min_connections(1).sqlx_logging(false);
        sea_orm::Database::connect(options).await.unwrap()
    }

    /// The first column of what a statement gives, as numbers.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let connection = self.connect().await;
        let rows = rows(&connection, sql).await;
        let numbers = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        connection.close().await.unwrap();
        numbers
    }

    /// The first column of what a statement gives, as texts.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let connection = self.connect().await;
        let rows = rows(&connection, sql).await;
        let texts = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        connection.close().await.unwrap();
        texts
    }

    /// What must hold in every database once its service has stopped: nothing is left over, nothing is missing.
    pub(crate) async fn assert_sound(&self) {
        assert_eq!(self.texts("PRAGMA integrity_check").await, ["ok"]);
        for (what, sql) in [
            (
                "events whose first delivery is not there once",
                "SELECT COUNT(*) FROM event WHERE 1 <> \
                 (SELECT COUNT(*) FROM delivery WHERE delivery.event_seq = event.seq AND outcome = 'ACCEPTED')",
            ),
            (
                "deliveries of an event that is not there",
                "SELECT COUNT(*) FROM delivery WHERE event_seq IS NOT NULL \
                 AND event_seq NOT IN (SELECT seq FROM event)",
            ),
            (
                "deliveries that belong to nothing",
                "SELECT COUNT(*) FROM delivery WHERE event_seq IS NULL \
                 AND (outcome <> 'QUARANTINED' OR body IS NULL OR quarantine_reason IS NULL)",
            ),
            (
                "payments without their event",
                "SELECT COUNT(*) FROM payment WHERE event_seq NOT IN \
                 (SELECT seq FROM event WHERE kind = 'PROPOSAL_PAYMENT_RECEIVED')",
            ),
            (
                "payment events without their payment",
                "SELECT COUNT(*) FROM event WHERE kind = 'PROPOSAL_PAYMENT_RECEIVED' \
                 AND seq NOT IN (SELECT event_seq FROM payment)",
            ),
            ("gaps in the log", "SELECT COALESCE(MAX(seq), 0) - COUNT(*) FROM event"),
            ("places before the first", "SELECT COUNT(*) FROM event WHERE seq < 1"),
            ("gaps in the deliveries", "SELECT COALESCE(MAX(id), 0) - COUNT(*) FROM delivery"),
        ] {
            assert_eq!(self.numbers(sql).await, [0], "{what}");
        }
    }
}

async fn rows(connection: &DatabaseConnection, sql: &str) -> Vec<sea_orm::QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}
