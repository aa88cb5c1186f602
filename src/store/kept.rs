//! The connection of the last transaction that wrote, kept for the next one.
//!
//! A connection that goes back to its pool is asked twice whether it is alive, by us within a bound and by the pool, and begins its next
//! transaction in two round trips. Where transactions follow one another, each of a few deliveries, that is more than the statements of a
//! small one, and it is the server's work too: so one connection stays, with a transaction that the driver takes for open.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseTransaction};

/// After how long a connection goes back to its pool all the same, which does not keep one for ever: a server may have become a replica.
const KEPT_FOR: Duration = Duration::from_mins(5);

/// Room for one connection.
#[derive(Clone, Debug)]
pub(super) struct Kept(Arc<Mutex<Slot>>);

#[derive(Debug)]
struct Slot {
    /// With when it was last used.
    connection: Option<(DatabaseTransaction, Instant)>,
    /// When the next one that comes goes back to its pool.
    until: Instant,
}

impl Kept {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Slot { connection: None, until: Instant::now() + KEPT_FOR })))
    }

    /// Takes the connection that is there, which is in no transaction, and for how long it was not used.
    pub(super) fn take(&self) -> Option<(DatabaseTransaction, Duration)> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).connection.take();
        taken.map(|(connection, used)| (connection, used.elapsed()))
    }

    /// Commits, and keeps the connection.
    pub(super) async fn commit(&self, transaction: DatabaseTransaction) -> Result<(), sea_orm::DbErr> {
        if !self.has_room() {
            return transaction.commit().await;
        }
        transaction.execute_unprepared("COMMIT").await?;
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of two that came at once the earlier goes back to the pool.
        slot.connection = Some((transaction, Instant::now()));
        Ok(())
    }

    fn has_room(&self) -> bool {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = slot.until <= Instant::now();
        if is_time {
            slot.until = Instant::now() + KEPT_FOR;
        }
        slot.connection.is_none() && !is_time
    }

    /// Gives the connection back.
    pub(super) async fn give_back(&self) -> Result<(), sea_orm::DbErr> {
        if let Some((connection, _)) = self.take() {
            // For the driver to be right: the server warns of what is rolled back and never began.
            connection.execute_unprepared("BEGIN").await?;
            connection.rollback().await?;
        }
        Ok(())
    }
}
