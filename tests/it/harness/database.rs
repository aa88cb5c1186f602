//! The database of one test. Only this file decides its kind: SQLite, or PostgreSQL if the
//! environment has `BIDARC_TEST_DATABASE=postgres`.

use std::sync::Arc;

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, Statement, TransactionTrait};
use tempfile::TempDir;

use super::Cluster;

const FILE: &str = "bidarc.db";

/// The statement by which a node gets the write lock on PostgreSQL: "bidarc" in ASCII.
pub(crate) const POSTGRES_WRITE_LOCK: &str = "SELECT pg_advisory_xact_lock(108204795196003)";

/// A database for one test. Dropping this value drops the database.
pub(crate) struct Database {
    directory: TempDir,
    kind: Kind,
}

enum Kind {
    Sqlite,
    Postgres { cluster: Arc<Cluster>, name: String },
}

impl Database {
    /// A database without tables.
    #[expect(clippy::disallowed_methods, reason = "the kind of the test database is not a setting of the service")]
    pub(crate) fn fresh() -> Self {
        match std::env::var("BIDARC_TEST_DATABASE").as_deref() {
            Ok("postgres") => Self::in_cluster(&Cluster::shared()),
            Ok("sqlite") | Err(_) => Self::in_file(),
            Ok(other) => panic!("BIDARC_TEST_DATABASE is sqlite or postgres, not {other:?}"),
        }
    }

    /// A SQLite database, regardless of the environment.
    pub(crate) fn in_file() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), kind: Kind::Sqlite }
    }

    /// A PostgreSQL database, regardless of the environment.
    pub(crate) fn in_cluster(cluster: &Arc<Cluster>) -> Self {
        Self::in_cluster_with(cluster, "")
    }

    /// A PostgreSQL database made with these options of `CREATE DATABASE`.
    pub(crate) fn in_cluster_with(cluster: &Arc<Cluster>, options: &str) -> Self {
        let name = cluster.unused_name();
        cluster.execute(&format!("CREATE DATABASE {name} {options}"));
        Self::postgres(cluster, name)
    }

    fn postgres(cluster: &Arc<Cluster>, name: String) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), kind: Kind::Postgres { cluster: Arc::clone(cluster), name } }
    }

    /// The value for `database.url`.
    pub(crate) fn url(&self) -> String {
        match &self.kind {
            Kind::Sqlite => format!("sqlite://{}", self.directory.path().join(FILE).display()),
            Kind::Postgres { cluster, name } => cluster.url(name),
        }
    }

    /// A restored backup of this database. No service may run on it meanwhile.
    pub(crate) fn backup(&self) -> Self {
        match &self.kind {
            Kind::Sqlite => {
                let backup = Self::in_file();
                std::fs::copy(self.directory.path().join(FILE), backup.directory.path().join(FILE)).unwrap();
                backup
            }
            Kind::Postgres { cluster, name } => Self::in_cluster_with(cluster, &format!("TEMPLATE {name}")),
        }
    }

    /// All bytes of the database. No service may run on it meanwhile.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match &self.kind {
            Kind::Sqlite => {
                let files = std::fs::read_dir(self.directory.path()).unwrap();
                files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
            }
            Kind::Postgres { cluster, name } => cluster.dump(name),
        }
    }

    /// Selects the text for the SQL dialect of this database.
    pub(crate) fn by_dialect<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        match &self.kind {
            Kind::Sqlite => sqlite,
            Kind::Postgres { .. } => postgres,
        }
    }

    /// Applies the first `steps` migrations, as an earlier version did.
    pub(crate) async fn apply_migrations(&self, steps: u32) {
        if let Kind::Sqlite = self.kind {
            // SQLite accepts an empty file as a database.
            std::fs::write(self.directory.path().join(FILE), []).unwrap();
        }
        let connection = self.connect().await;
        Migrator::up(&connection, Some(steps)).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Takes the write lock and holds it until the transaction is rolled back or dropped.
    pub(crate) async fn hold_write_lock(&self) -> DatabaseTransaction {
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
                tx.execute_unprepared(POSTGRES_WRITE_LOCK).await.unwrap();
                tx
            }
        }
    }

    /// The file of a SQLite database, or one beside it with this ending.
    pub(crate) fn file(&self, ending: &str) -> std::path::PathBuf {
        self.directory.path().join(format!("{FILE}{ending}"))
    }

    /// A directory for the files of the test.
    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Opens a connection that is separate from those of the service.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(self.url());
        options.max_connections(1).min_connections(1).sqlx_logging(false);
        sea_orm::Database::connect(options).await.unwrap()
    }

    /// The first column of a statement's rows, as numbers.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let connection = self.connect().await;
        let rows = rows(&connection, sql).await;
        let numbers = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        connection.close().await.unwrap();
        numbers
    }

    /// The first column of a statement's rows, as texts.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let connection = self.connect().await;
        let rows = rows(&connection, sql).await;
        let texts = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        connection.close().await.unwrap();
        texts
    }

    /// Asserts the invariants that every database must meet after its service has stopped.
    pub(crate) async fn assert_consistent(&self) {
        if let Kind::Sqlite = self.kind {
            assert_eq!(self.texts("PRAGMA integrity_check").await, ["ok"]);
        }
        for (what, sql) in [
            (
                "events without exactly one accepted delivery",
                "SELECT COUNT(*) FROM event WHERE 1 <> \
                 (SELECT COUNT(*) FROM delivery WHERE delivery.event_seq = event.seq AND outcome = 'ACCEPTED')",
            ),
            (
                "deliveries of a missing event",
                "SELECT COUNT(*) FROM delivery WHERE event_seq IS NOT NULL \
                 AND event_seq NOT IN (SELECT seq FROM event)",
            ),
            (
                "deliveries with neither an event nor a complete quarantine record",
                "SELECT COUNT(*) FROM delivery WHERE event_seq IS NULL \
                 AND (outcome <> 'QUARANTINED' OR body IS NULL OR quarantine_reason IS NULL)",
            ),
            (
                "payments without an event",
                "SELECT COUNT(*) FROM payment WHERE event_seq NOT IN \
                 (SELECT seq FROM event WHERE kind = 'PROPOSAL_PAYMENT_RECEIVED')",
            ),
            (
                "payment events without a payment",
                "SELECT COUNT(*) FROM event WHERE kind = 'PROPOSAL_PAYMENT_RECEIVED' \
                 AND seq NOT IN (SELECT event_seq FROM payment)",
            ),
            ("gaps in the log", "SELECT COALESCE(MAX(seq), 0) - COUNT(*) FROM event"),
            ("seqs below 1", "SELECT COUNT(*) FROM event WHERE seq < 1"),
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
            cluster.execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

async fn rows(connection: &DatabaseConnection, sql: &str) -> Vec<sea_orm::QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}
