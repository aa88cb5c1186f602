//! The connection of the last transaction that wrote, kept for the next one.
//!
//! A connection that goes back to its pool is asked twice whether it is alive, by us within a bound and by the pool, and begins its next
//! transaction in two round trips. Where transactions follow one another, each of a few deliveries, that is more than the statements of a
//! small one, and it is the server's work too: so one connection stays, with a transaction that the driver takes for open.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use tokio::time::timeout;

use super::pool::PING_TIMEOUT;

/// After how long a connection goes back to its pool all the same, which keeps none for ever: a server may have become a replica.
const CONNECTION_AGE_MAX: Duration = Duration::from_mins(5);

/// Room for one connection.
#[derive(Clone, Debug)]
pub(in crate::store) struct WriteConnection(Arc<Mutex<Slot>>);

#[derive(Debug)]
struct Slot {
    /// In no transaction, whatever the driver says; with when it was last used.
    connection: Option<(DatabaseTransaction, Instant)>,
    /// From when on the next one goes back to its pool.
    renew_at: Instant,
    is_closed: bool,
}

impl WriteConnection {
    pub(super) fn new() -> Self {
        let slot = Slot { connection: None, renew_at: Instant::now() + CONNECTION_AGE_MAX, is_closed: false };
        Self(Arc::new(Mutex::new(slot)))
    }

    /// Takes the connection that is there, to begin a transaction on it; with for how long it was not used.
    pub(super) fn take(&self) -> Option<(DatabaseTransaction, Duration)> {
        let taken = self.slot().connection.take();
        taken.map(|(connection, used)| (connection, used.elapsed()))
    }

    /// Commits, and keeps the connection if there is room.
    pub(in crate::store) async fn commit(&self, transaction: DatabaseTransaction) -> Result<(), DbErr> {
        // A transaction that has failed the server takes back when it is to commit it, and says nothing; to any other statement it does.
        transaction.execute_unprepared("SELECT 1; COMMIT").await?;
        if let Some(connection) = self.store_or_return(transaction) {
            // It is committed: nobody is to wait for the rest.
            tokio::spawn(release(connection));
        }
        Ok(())
    }

    /// Puts a connection where it is kept. Gives it back where there is no room, or the time of those that are kept is over.
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

    /// Keeps none any more.
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

/// Lets a connection go back to its pool, which closes it if it fails here.
async fn release(connection: DatabaseTransaction) {
    let given = async {
        // The driver is to be right: the server warns where something is rolled back that never began.
        connection.execute_unprepared("BEGIN").await?;
        connection.rollback().await
    };
    if let Ok(Err(error)) = timeout(PING_TIMEOUT, given).await {
        tracing::debug!(%error, "a database connection is lost");
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
    async fn transactions_that_follow_one_another_have_one_connection_and_its_lock_is_free_between() {
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        let first = transaction(&store).await;
        for _ in 0..3 {
            assert_eq!(transaction(&store).await, first);
            let state = format!("SELECT state FROM pg_stat_activity WHERE pid = {first}");
            assert_eq!(text(store.reader(), &state).await, "idle");
        }

        // One that is taken back is not kept.
        store.begin().await.unwrap().rollback().await.unwrap();
        let next = transaction(&store).await;
        // And one whose server process has ended is noticed once it was idle.
        let ended = format!("SELECT CAST(pg_terminate_backend({next}) AS text)");
        assert_eq!(text(store.reader(), &ended).await, "true");
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_ne!(transaction(&store).await, next);
        timeout(Duration::from_secs(5), store.close()).await.unwrap();
    }

    /// The server would answer COMMIT with ROLLBACK.
    #[tokio::test]
    async fn what_has_failed_is_not_committed() {
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        let tx = store.begin().await.unwrap();
        tx.execute_unprepared("SELECT 1 / 0").await.unwrap_err();
        store.commit(tx, None).await.unwrap_err();
        transaction(&store).await;
        timeout(Duration::from_secs(5), store.close()).await.unwrap();
    }

    /// Whoever still writes while the store is closed gives its connection back.
    #[tokio::test]
    async fn a_closed_store_keeps_none() {
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        let tx = store.begin().await.unwrap();
        let closing = tokio::spawn(store.clone().close());
        tokio::time::sleep(Duration::from_millis(50)).await;
        store.commit(tx, None).await.unwrap();
        timeout(Duration::from_secs(5), closing).await.unwrap().unwrap();
    }
}
