//! Removes the files that are older than they are kept, between the fetches.

use std::time::Duration;

use tokio::time::Instant;

use super::fetch::Context;
use super::{LOCK_CHECK_INTERVAL, Worker};
use crate::clock::Time;
use crate::files::retention::remove_page;
use crate::store::StoreError;

/// How long removals wait after one failed. The store may not permit them.
const REMOVAL_PAUSE: Duration = Duration::from_secs(10 * 60);

impl Worker {
    /// Marks some of the files that are older than they are kept. Returns whether none is left.
    pub(super) async fn mark_old(&mut self, now: Time) -> Result<bool, StoreError> {
        let mut is_done = true;
        for retention in &self.retention {
            let page = retention.mark_page(&self.context.store, now).await?;
            self.retention_marked += page.files;
            is_done &= page.is_last;
        }
        if is_done {
            self.retention_ran_at = Some(Instant::now());
            let files = std::mem::take(&mut self.retention_marked);
            if files > 0 {
                tracing::info!(files, "files are older than they are kept; their bytes will be removed");
            }
        }
        Ok(is_done)
    }

    /// Removes the bytes of some files that are marked. If the lock went to another node, that node
    /// does so.
    pub(super) async fn remove_some(&mut self) -> Result<(), StoreError> {
        self.lock_asked_at = self.lock_asked_at.and_then(|asked_at| asked_at.checked_sub(LOCK_CHECK_INTERVAL));
        if !self.hold_lock().await? {
            return Ok(());
        }
        let Context { store, files, storing, .. } = &*self.context;
        let page = remove_page(store, files, storing, self.removal_tried.as_ref()).await?;
        self.room_read_at = None;
        self.removal_tried = page.last;
        if let Some(error) = page.failure {
            tracing::warn!(%error, "bytes of old files could not be removed; they will be later");
            self.removal_pause_ends = Some(Instant::now() + REMOVAL_PAUSE);
        }
        Ok(())
    }
}
