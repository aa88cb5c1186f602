//! The database of one test. This is the one place that decides which kind it is: SQLite, or PostgreSQL where the environment says
//! `BIDARC_TEST_DATABASE=postgres`.

use std::sync::Arc;

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, Statement, TransactionTrait};
use tempfile::TempDir;

use super::Cluster;

const FILE: &str = "bidarc.db";

/// A database that nobody else uses; it goes when it is dropped.
pub(crate) struct Database {
    directory: TempDir,
    kind: Kind,
}

enum Kind {
    Sqlite,
    Postgres { cluster: Arc<Cluster>, name: String },
}

impl Database {
    /// One that has no tables yet.
    #[expect(clippy::disallowed_methods, reason = "which database the tests run on is no setting of the service's")]
    pub(crate) fn fresh() -> Self {
        match std::env::var("BIDARC_TEST_DATABASE").as_deref() {
            Ok("postgres") => Self::in_cluster(&Cluster::shared()),
            Ok("sqlite") | Err(_) => Self::in_file(),
            Ok(other) => panic!("BIDARC_TEST_DATABASE is sqlite or postgres, not {other:?}"),
        }
    }

    /// One of SQLite's, whatever the environment says.
    pub(crate) fn in_file() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), kind: Kind::Sqlite }
    }

    /// One of PostgreSQL's, whatever the environment says.
    pub(crate) fn in_cluster(cluster: &Arc<Cluster>) -> Self {
        Self::with(cluster, "")
    }

    /// The same, made in a way of its own.
    pub(crate) fn with(cluster: &Arc<Cluster>, options: &str) -> Self {
        let name = cluster.name();
        cluster.run(&format!("CREATE DATABASE {name} {options}"));
        Self::postgres(cluster, name)
    }

    fn postgres(cluster: &Arc<Cluster>, name: String) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), kind: Kind::Postgres { cluster: Arc::clone(cluster), name } }
    }

    /// Its `database.url`.
    pub(crate) fn url(&self) -> String {
        match &self.kind {
            Kind::Sqlite => format!("sqlite://{}", self.directory.path().join(FILE).display()),
            Kind::Postgres { cluster, name } => cluster.url(name),
        }
    }

    /// What a backup of it gives, taken while no service runs on it.
    pub(crate) fn copy(&self) -> Self {
        match &self.kind {
            Kind::Sqlite => {
                let copy = Self::in_file();
                std::fs::copy(self.directory.path().join(FILE), copy.directory.path().join(FILE)).unwrap();
                copy
            }
            Kind::Postgres { cluster, name } => Self::with(cluster, &format!("TEMPLATE {name}")),
        }
    }

    /// All its bytes, looked at while no service runs on it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match &self.kind {
            Kind::Sqlite => {
                let files = std::fs::read_dir(self.directory.path()).unwrap();
                files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
            }
            Kind::Postgres { cluster, name } => cluster.dump(name),
        }
    }

    /// Of two ways to say something the one that this kind of database understands.
    pub(crate) fn says<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        match &self.kind {
            Kind::Sqlite => sqlite,
            Kind::Postgres { .. } => postgres,
        }
    }

    /// Takes the first so many steps of the migrations, as an earlier version did that had no more.
    pub(crate) async fn take_steps(&self, steps: u32) {
        if let Kind::Sqlite = self.kind {
            // What is empty is a database, too.
            std::fs::write(self.directory.path().join(FILE), []).unwrap();
        }
        let connection = self.connect().await;
        Migrator::up(&connection, Some(steps)).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Holds the lock of whoever writes, until this is rolled back or dropped.
    pub(crate) async fn lock(&self) -> DatabaseTransaction {
        let connection = self.connect().await;
        match &self.kind {
            Kind::Sqlite => {
                let options = sea_orm::TransactionOptions {
                    sqlite_transaction_mode: Some(sea_orm::SqliteTransactionMode::Immediate),
                    ..sea_orm::TransactionOptions::default()
                };
                connection.begin_with_options(options).await.unwrap()
            }
            Kind::Postgres { .. } => {
                let tx = connection.begin().await.unwrap();
                tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({})", 0x6269_6461_7263_i64))
                    .await
                    .unwrap();
                tx
            }
        }
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
        if let Kind::Sqlite = self.kind {
            assert_eq!(self.texts("PRAGMA integrity_check").await, ["ok"]);
        }
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

impl Drop for Database {
    fn drop(&mut self) {
        if let Kind::Postgres { cluster, name } = &self.kind
            && !std::thread::panicking()
        {
            cluster.run(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

async fn rows(connection: &DatabaseConnection, sql: &str) -> Vec<sea_orm::QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}
