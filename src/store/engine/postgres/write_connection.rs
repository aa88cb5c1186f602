//! The connection of the last transaction that wrote, for reuse by the next one.
//!
//! A connection that returns to its pool is pinged twice, by us with a time-out and by the pool,
//! and begins its next transaction in two round trips. For a series of small transactions that
//! costs more than their statements, also on the server. So one connection stays here, as a
//! transaction that the driver takes for open.
//!
//! A `PgConnection` would need no such pretence, but could not be a `ConnectionTrait` without a
//! copy of the binding of values, which sea-orm does not export, and migrations take only sea-orm's
//! own types.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use tokio::time::timeout;

use super::pool::PING_TIMEOUT;

/// After how long the connection returns to its pool, as all others do: the server may have become
/// a replica.
const CONNECTION_AGE_MAX: Duration = Duration::from_mins(5);

/// Holds at most one connection.
#[derive(Clone, Debug)]
pub(in crate::store) struct WriteConnection(Arc<Mutex<Slot>>);

#[derive(Debug)]
struct Slot {
    /// The connection and when it was last used. It is in no transaction, although the driver takes
    /// it for open.
    connection: Option<(DatabaseTransaction, Instant)>,
    /// When the next connection returns to its pool instead.
    renew_at: Instant,
    is_closed: bool,
}

impl WriteConnection {
    pub(super) fn new() -> Self {
        let slot = Slot { connection: None, renew_at: Instant::now() + CONNECTION_AGE_MAX, is_closed: false };
        Self(Arc::new(Mutex::new(slot)))
    }

    /// Takes the connection, if there is one, with how long it was idle.
    pub(super) fn take(&self) -> Option<(DatabaseTransaction, Duration)> {
        let stored = self.slot().connection.take();
        stored.map(|(connection, last_used)| (connection, last_used.elapsed()))
    }

    /// Commits, and stores the connection if there is room.
    pub(in crate::store) async fn commit(&self, transaction: DatabaseTransaction) -> Result<(), DbErr> {
        // The server answers COMMIT of a failed transaction with a rollback and no error. Any other
        // statement gives an error.
        transaction.execute_unprepared("SELECT 1; COMMIT").await?;
        if let Some(connection) = self.store_or_return(transaction) {
            // The commit is done. Its caller need not wait for the release.
            tokio::spawn(release(connection));
        }
        Ok(())
    }

    /// Stores a connection. Returns it if there is no room, or if the connection is due to return
    /// to its pool.
    fn store_or_return(&self, connection: DatabaseTransaction) -> Option<DatabaseTransaction> {
        let (mut slot, now) = (self.slot(), Instant::now());
        if slot.is_closed || slot.connection.is_some() {
            return Some(connection);
        }
        if slot.renew_at <= now {
            slot.renew_at = now + CONNECTION_AGE_MAX;
            return Some(connection);
        }
        slot.connection = Some((connection, now));
        None
    }

    /// Releases the connection, and stores no other from now on.
    pub(super) async fn close(&self) {
        self.slot().is_closed = true;
        if let Some((connection, _)) = self.take() {
            release(connection).await;
        }
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a connection to its pool, which closes it if this fails.
async fn release(connection: DatabaseTransaction) {
    let returned = async {
        // The driver's view must become true: the server warns about a rollback without a
        // transaction.
        connection.execute_unprepared("BEGIN").await?;
        connection.rollback().await
    };
    if let Ok(Err(error)) = timeout(PING_TIMEOUT, returned).await {
        tracing::debug!(%error, "a database connection was lost");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sea_orm::{ConnectionTrait, Statement};
    use tokio::time::timeout;

    use crate::store::test_support::PostgresCluster;
    use crate::store::{Store, Transaction};

    async fn text<C: ConnectionTrait>(db: &C, sql: &str) -> String {
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    async fn server_process(tx: &Transaction) -> String {
        text(tx, "SELECT CAST(pg_backend_pid() AS text)").await
    }

    async fn transaction(store: &Store) -> String {
        let tx = store.begin().await.unwrap();
        let process = server_process(&tx).await;
        store.commit(tx, None).await.unwrap();
        process
    }

    #[tokio::test]
    async fn consecutive_transactions_share_one_connection_and_free_its_lock() {
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        let first = transaction(&store).await;
        for _ in 0..3 {
            assert_eq!(transaction(&store).await, first);
            let state = format!("SELECT state FROM pg_stat_activity WHERE pid = {first}");
            assert_eq!(text(store.reader(), &state).await, "idle");
        }

        // A rolled back transaction's connection is not reused.
        store.begin().await.unwrap().rollback().await.unwrap();
        let next = transaction(&store).await;
        // A connection whose server process has ended is noticed after it was idle.
        let terminate = format!("SELECT CAST(pg_terminate_backend({next}) AS text)");
        assert_eq!(text(store.reader(), &terminate).await, "true");
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_ne!(transaction(&store).await, next);
        timeout(Duration::from_secs(5), store.close()).await.unwrap();
    }

    /// The server would answer COMMIT with ROLLBACK.
    #[tokio::test]
    async fn failed_transaction_is_not_committed() {
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        let tx = store.begin().await.unwrap();
        tx.execute_unprepared("SELECT 1 / 0").await.unwrap_err();
        store.commit(tx, None).await.unwrap_err();
        transaction(&store).await;
        timeout(Duration::from_secs(5), store.close()).await.unwrap();
    }

    /// A transaction that outlives the store's close releases its connection.
    #[tokio::test]
    async fn commit_after_close_releases_the_connection() {
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        let tx = store.begin().await.unwrap();
        let closing = tokio::spawn(store.clone().close());
        tokio::time::sleep(Duration::from_millis(50)).await;
        store.commit(tx, None).await.unwrap();
        timeout(Duration::from_secs(5), closing).await.unwrap().unwrap();
    }
}
