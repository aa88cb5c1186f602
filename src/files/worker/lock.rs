//! The lock of the job: one node at a time works.

use tokio::time::Instant;

use super::{LOCK_CHECK_INTERVAL, LOCK_INTERVAL, Worker};
use crate::store::{Job, StoreError};

impl Worker {
    /// Takes the job lock, or checks that it is still held.
    pub(super) async fn hold_lock(&mut self) -> Result<bool, StoreError> {
        let asked = self.lock_asked_at.map(|asked_at| asked_at.elapsed());
        match &mut self.locks {
            Some(_) if asked.is_some_and(|elapsed| elapsed < LOCK_CHECK_INTERVAL) => return Ok(true),
            Some(locks) => {
                self.lock_asked_at = Some(Instant::now());
                if matches!(locks.try_lock(Job::Files).await, Ok(true)) {
                    return Ok(true);
                }
                self.locks = None;
            }
            None if asked.is_some_and(|elapsed| elapsed < LOCK_INTERVAL) => return Ok(false),
            None => {}
        }
        self.lock_asked_at = Some(Instant::now());
        let mut locks = self.context.store.job_locks().await?;
        if locks.try_lock(Job::Files).await? {
            self.locks = Some(locks);
            self.room_read_at = None;
        }
        Ok(self.locks.is_some())
    }
}
