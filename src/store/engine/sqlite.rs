//! SQLite: one file in WAL mode with `synchronous=FULL`, so that a committed transaction is on
//! disk. A single connection writes, so that no transaction waits for a lock in its middle. One
//! service at a time has the file (`service_lock`), and notices when it is moved (`open_files`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sea_orm::sqlx::Connection;
use sea_orm::sqlx::sqlite::{SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, SqlxError, Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::Mutex;
use tokio::time::sleep;

pub(super) mod backup;
mod database_file;
mod open_files;
mod service_lock;

use database_file::{DatabaseFile, unsupported};
use open_files::OpenFiles;
use service_lock::ServiceLock;

use super::commit_signal::POLL_INTERVAL;
use super::deadline::{Reader, Transaction, statement_deadline, timed_out};
use super::job_lock::LocalLocks;
use super::{ACQUIRE_TIMEOUT, Connections, RESERVED_READER_CONNECTIONS};
use crate::config;
use crate::store::error::WriteProblem;
use crate::store::{OpenError, StoreError};

/// The size to which the write-ahead log shrinks again. SQLite moves it into the database at about
/// 4 MiB. It grows beyond that while a reader, such as a backup, needs an older state.
const WAL_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// With less room than this on the disk, readiness is judged by a write.
const FREE_BYTES_MIN: u64 = 8 * 1024 * 1024;

/// An open SQLite database.
#[derive(Debug)]
pub(super) struct SqliteEngine {
    pub(super) job_locks: LocalLocks,
    file: DatabaseFile,
    open_files: OpenFiles,
    /// `None` for a command.
    lock: Option<ServiceLock>,
    /// Whether the last transaction could not be written.
    has_write_failed: AtomicBool,
    /// Held by the one write that tries whether writing works again.
    trial: Mutex<()>,
}

/// Opens the file, and creates it if it does not exist. As a service, it takes the file's lock.
pub(super) async fn connect(
    settings: &config::Database,
    as_service: bool,
) -> Result<(Connections, SqliteEngine), OpenError> {
    let file = DatabaseFile::find_or_create(settings)?;
    let lock = if as_service { Some(ServiceLock::acquire(&file).await?) } else { None };
    let connected = async {
        let writer = pool(&file, 1, true).await?;
        // The first read opens the write-ahead log.
        writer.execute_unprepared("SELECT COUNT(*) FROM sqlite_schema").await?;
        Ok(Connections {
            writer,
            readers: Reader::new(pool(&file, settings.readers.max(1), false).await?),
            reserved: Reader::new(pool(&file, RESERVED_READER_CONNECTIONS, false).await?),
            keys: Reader::new(pool(&file, 1, false).await?),
        })
    };
    let connections = connected.await.map_err(|error: StoreError| explain_failure(&file, error))?;
    let open_files = OpenFiles::of(&file)
        .map_err(|error| unsupported(format!("the files of {} cannot be examined: {error}", file.named().display())))?;
    file.restrict();
    let engine = SqliteEngine {
        job_locks: LocalLocks::default(),
        file,
        open_files,
        lock,
        has_write_failed: AtomicBool::new(false),
        trial: Mutex::new(()),
    };
    Ok((connections, engine))
}

impl SqliteEngine {
    /// Begins a transaction that holds the file's one write lock.
    pub(super) async fn begin(&self, writer: &DatabaseConnection) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let begun = writer.begin_with_options(options).await.map_err(StoreError::from);
        if let Err(error) = &begun {
            self.note_failure(error);
        }
        begun
    }

    /// Commits, and checks that the files are still those that their paths name.
    pub(super) async fn commit(&self, tx: Transaction) -> Result<(), StoreError> {
        let committed = match tx.commit().await {
            Ok(()) => self.check_files(),
            failed => failed,
        };
        match &committed {
            Ok(()) => self.has_write_failed.store(false, Ordering::Relaxed),
            Err(error) => self.note_failure(error),
        }
        committed
    }

    /// Another process that holds the write lock is no failure of the file.
    fn note_failure(&self, error: &StoreError) {
        if !error.is_lock_timeout() {
            self.has_write_failed.store(true, Ordering::Relaxed);
        }
    }

    fn check_files(&self) -> Result<(), StoreError> {
        self.open_files
            .check()
            .and_then(|()| self.lock.as_ref().map_or(Ok(()), |lock| lock.keep(&self.file)))
            .map_err(|problem| StoreError::Unavailable(DbErr::Custom(problem)))
    }

    /// Checks that a delivery could be written now. It writes only if that is in doubt.
    pub(super) async fn check_writable(&self, writer: &DatabaseConnection) -> Result<(), OpenError> {
        let problem = |problem, error| OpenError::Unwritable { problem, error };
        self.check_files().map_err(|error| problem(WriteProblem::FileMoved, error))?;
        self.file.check_access().map_err(|error| {
            problem(WriteProblem::ReadOnly, StoreError::Unavailable(DbErr::Custom(error.to_string())))
        })?;
        let has_failed = self.has_write_failed.load(Ordering::Relaxed);
        if !has_failed && !self.is_disk_almost_full() {
            return Ok(());
        }
        // Strangers may ask at any rate, and each trial is a commit: one at a time.
        match self.trial.try_lock() {
            Ok(_only) => self.write_nothing_new(writer).await.map_err(|error| problem(WriteProblem::of(&error), error)),
            Err(_) if has_failed => Err(problem(WriteProblem::Other, StoreError::Unavailable(timed_out()))),
            Err(_) => Ok(()),
        }
    }

    fn is_disk_almost_full(&self) -> bool {
        rustix::fs::statvfs(self.file.resolved())
            .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < FREE_BYTES_MIN)
    }

    /// Writes a number of the file's header that nothing uses. To SQLite that is a commit like any
    /// other; it would leave out a row that does not change.
    async fn write_nothing_new(&self, writer: &DatabaseConnection) -> Result<(), StoreError> {
        let tx = Transaction::new(self.begin(writer).await?);
        tx.execute_unprepared("PRAGMA user_version = 0").await?;
        self.commit(tx).await
    }

    /// Gives back the room of a write-ahead log that has grown, for as long as it is polled.
    /// Nothing in it waits for a reader.
    pub(super) async fn keep_wal_small(&self, connections: &Connections) {
        loop {
            sleep(POLL_INTERVAL).await;
            if let Err(error) = self.shrink_wal(connections).await {
                tracing::warn!(%error, "the write-ahead log cannot be made smaller; will retry");
            }
        }
    }

    /// Moves the log into the database. If no reader needs it any more, the next commit begins it
    /// from the start and cuts off what is beyond `journal_size_limit`.
    async fn shrink_wal(&self, Connections { reserved, writer, .. }: &Connections) -> Result<(), StoreError> {
        let wal = std::fs::metadata(self.file.companion("-wal"));
        if !wal.is_ok_and(|wal| wal.len() > WAL_BYTES_MAX) {
            return Ok(());
        }
        let checkpoint = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(PASSIVE)");
        let Some(row) = reserved.query_one_raw(checkpoint).await? else { return Ok(()) };
        let (pages, moved): (i64, i64) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        if pages == moved { self.write_nothing_new(writer).await } else { Ok(()) }
    }

    /// Lets another service have the file. The connections are closed by now.
    pub(super) fn release_lock(&self) {
        if let Some(lock) = &self.lock {
            lock.release();
        }
    }
}

/// The error of a file that SQLite does not open, though this process may read and write it.
fn explain_failure(file: &DatabaseFile, error: StoreError) -> OpenError {
    let path = file.named().display();
    match error.sqlite_code() {
        Some(code) if crate::store::error::SQLITE_DAMAGED.contains(&code) => unsupported(format!(
            "{path} is not a SQLite database, or is damaged: name another file, or restore a backup (docs/OPERATIONS.md)"
        )),
        Some(_) => unsupported(format!("{path} cannot be opened: {error}")),
        None => error.into(),
    }
}

async fn pool(file: &DatabaseFile, connections: u32, writes: bool) -> Result<DatabaseConnection, StoreError> {
    let mut options = ConnectOptions::new("sqlite:");
    let path = file.resolved().to_owned();
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
                .filename(&path)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(ACQUIRE_TIMEOUT)
                .foreign_keys(false)
                .statement_cache_capacity(200);
            if writes {
                options.pragma("journal_size_limit", WAL_BYTES_MAX.to_string())
            } else {
                options.pragma("query_only", "on")
            }
        });
    options.map_sqlx_sqlite_pool_opts(move |pool| {
        if writes {
            pool.after_release(|connection, _| Box::pin(async move { Ok(has_no_transaction(connection).await) }))
        } else {
            pool.after_connect(|connection, _| Box::pin(interrupt_at_deadline(connection))).before_acquire(
                |connection, _| Box::pin(async { interrupt_at_deadline(connection).await.map(|()| true) }),
            )
        }
    });
    Ok(Database::connect(options).await?)
}

/// How many instructions of SQLite run between two looks at the clock: less than a millisecond.
const INSTRUCTIONS_PER_CHECK: i32 = 10_000;

/// Makes the next statement on this connection end at its deadline. Otherwise a statement that
/// no task awaits any more would keep its connection and a core busy.
async fn interrupt_at_deadline(connection: &mut SqliteConnection) -> Result<(), SqlxError> {
    let deadline = statement_deadline();
    let mut handle = connection.lock_handle().await?;
    handle.set_progress_handler(INSTRUCTIONS_PER_CHECK, move || Instant::now() < deadline);
    Ok(())
}

/// Whether a connection may serve the next transaction. SQLite ends a transaction by itself when
/// the disk is full or fails; the driver's rollback then fails, and the driver takes each later
/// transaction for a part of that one, which nothing ever commits. So that connection is closed.
async fn has_no_transaction(connection: &mut SqliteConnection) -> bool {
    // The ping is answered after a rollback that is still under way.
    !connection.is_in_transaction() || connection.ping().await.is_ok() && !connection.is_in_transaction()
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn transaction_after_failed_ones_is_committed() {
        let (_directory, store) = Store::for_test().await;
        for _ in 0..3 {
            let tx = store.begin().await.unwrap();
            tx.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
            let insert = "INSERT INTO log (id, created_at) VALUES (hex(zeroblob(1000000)), 1)";
            let error = StoreError::from(tx.execute_unprepared(insert).await.unwrap_err());
            assert_eq!(WriteProblem::of(&error), WriteProblem::DiskFull, "{error}");
            assert!(error.is_connection_lost(), "no other delivery can be written either: {error}");
            drop(tx);
            store.begin().await.unwrap().rollback().await.unwrap();
        }
        let tx = store.begin().await.unwrap();
        tx.execute_unprepared("UPDATE log SET created_at = 7").await.unwrap();
        store.commit(tx, None).await.unwrap();
        // Another connection sees what is committed, and nothing else.
        let select = Statement::from_string(DbBackend::Sqlite, "SELECT created_at FROM log");
        let rows = store.reader().query_all_raw(select).await.unwrap();
        let times: Vec<i64> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        assert_eq!(times, [7]);
        store.close().await;
    }

    #[tokio::test]
    async fn write_ahead_log_shrinks_once_an_outside_reader_has_ended() {
        let (directory, store) = Store::for_test().await;
        let path = directory.path().join("test.db");
        let wal_bytes = || std::fs::metadata(directory.path().join("test.db-wal")).unwrap().len();
        let engine = &store.engine;
        let Kind::Sqlite(sqlite) = &engine.kind else { panic!("not SQLite") };

        let outside = Database::connect(format!("sqlite://{}", path.display())).await.unwrap();
        let reading = outside.begin().await.unwrap();
        reading.execute_unprepared("SELECT COUNT(*) FROM log").await.unwrap();
        let tx = store.begin().await.unwrap();
        tx.execute_unprepared("INSERT INTO log (id, created_at) VALUES (hex(zeroblob(6000000)), 1)").await.unwrap();
        store.commit(tx, None).await.unwrap();
        sqlite.shrink_wal(engine.connections()).await.unwrap();
        assert!(wal_bytes() > WAL_BYTES_MAX, "a reader needs it: {}", wal_bytes());

        reading.rollback().await.unwrap();
        sqlite.shrink_wal(engine.connections()).await.unwrap();
        assert!(wal_bytes() <= WAL_BYTES_MAX, "{}", wal_bytes());
        outside.close().await.unwrap();
        store.close().await;
        assert!(!directory.path().join("test.db-wal").exists(), "the stop leaves no log");
    }
}
