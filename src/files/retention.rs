//! Removes stored files that are older than they are kept (`files.keep_pdf_days`,
//! `files.keep_png_days`).

use chrono::TimeDelta;
use tokio::sync::RwLock;

use super::storage::{FileStore, StorageError};
use crate::clock::Time;
use crate::config;
use crate::domain::{Digest, FileId, FileKind};
use crate::store::files::{
    RemovableFile, clear_removed, is_kept, mark_removed, newest_deadline, removable, removed_contents,
};
use crate::store::{Store, StoreError};

/// How many rows one transaction marks. The writer of deliveries waits for its lock meanwhile.
const MARKED_AT_ONCE: u32 = 200;

/// How many files are listed at once.
const PAGE_SIZE: u32 = 100;

/// How many digests a page of removals is of. The worker fetches between two pages.
const REMOVED_AT_ONCE: u32 = 20;

/// How long files of one type are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The type.
    pub kind: FileKind,
    /// For how many days.
    pub days: u32,
}

impl Retention {
    /// What the settings limit; nothing by default.
    #[must_use]
    pub fn of(settings: &config::Files) -> Vec<Self> {
        [(FileKind::Pdf, settings.keep_pdf_days), (FileKind::Png, settings.keep_png_days)]
            .into_iter()
            .filter(|(_, days)| *days > 0)
            .map(|(kind, days)| Self { kind, days })
            .collect()
    }

    /// Files that were stored before this time are removed. This machine's clock may be years
    /// ahead, so it is believed only until the newest link dies: its vendor has said when.
    async fn stored_before(self, store: &Store, now: Time) -> Result<Time, StoreError> {
        let newest = newest_deadline(store.reserved_reader()).await?;
        Ok(newest.map_or(now, |newest| newest.min(now)) - TimeDelta::days(self.days.into()))
    }

    /// The problem of a removed file.
    fn problem(self) -> String {
        let setting = match self.kind {
            FileKind::Pdf => "files.keep_pdf_days",
            FileKind::Png => "files.keep_png_days",
        };
        format!("removed after {} days ({setting})", self.days)
    }

    /// The files that would be removed now, after a number.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn list(self, store: &Store, now: Time, after: FileId) -> Result<Vec<RemovableFile>, StoreError> {
        let stored_before = self.stored_before(store, now).await?;
        removable(store.reserved_reader(), (self.kind, stored_before), after, PAGE_SIZE).await
    }

    /// Marks some of the files as removed, the oldest first. Their bytes are removed by
    /// [`remove_page`].
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn mark_page(self, store: &Store, now: Time) -> Result<MarkedPage, StoreError> {
        let stored_before = self.stored_before(store, now).await?;
        let tx = store.begin().await?;
        let files = mark_removed(&tx, (self.kind, stored_before), &self.problem(), MARKED_AT_ONCE).await?;
        store.commit(tx, None).await?;
        Ok(MarkedPage { files, is_last: files < u64::from(MARKED_AT_ONCE) })
    }
}

/// What was marked at once.
#[derive(Clone, Copy, Debug)]
pub struct MarkedPage {
    /// How many files.
    pub files: u64,
    /// Whether no others are left.
    pub is_last: bool,
}

/// What a page of removals came to.
#[derive(Debug, Default)]
pub struct RemovedPage {
    /// The last digest that was tried; none if there was none left.
    pub last: Option<Digest>,
    /// Why its bytes could not be removed. Those after it were not tried: each may take as long to
    /// fail.
    pub failure: Option<StorageError>,
}

/// Removes the bytes of some files that are marked as removed, those after a digest, unless other
/// files have the same bytes. Fetches hold `storing` from before they store bytes until their row
/// says so. The caller holds the job lock, and has checked it just now.
///
/// # Errors
///
/// The database fails. The rest is removed next time.
pub async fn remove_page(
    store: &Store,
    files: &FileStore,
    storing: &RwLock<()>,
    after: Option<&Digest>,
) -> Result<RemovedPage, StoreError> {
    let digests = removed_contents(store.reserved_reader(), after, REMOVED_AT_ONCE).await?;
    let mut page = RemovedPage::default();
    for digest in digests {
        page.last = Some(digest);
        let _no_fetch_stores = storing.write().await;
        if !is_kept(store.reserved_reader(), &digest).await?
            && let Err(error) = files.delete(&digest).await
        {
            page.failure = Some(error);
            break;
        }
        let tx = store.begin().await?;
        clear_removed(&tx, &digest).await?;
        store.commit(tx, None).await?;
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::domain::FileState;

    #[tokio::test]
    async fn clock_that_is_years_ahead_removes_no_file_too_early() {
        let (_directory, store) = Store::for_test().await;
        let (stored_at, retention) = (Clock::system().now(), Retention { kind: FileKind::Pdf, days: 90 });
        let wrong = stored_at + TimeDelta::days(900);
        store.insert_file(1, FileState::Stored, stored_at).await;
        store.execute(&format!("UPDATE file SET stored_at = {}", stored_at.timestamp_micros())).await;
        for (id, dies_after, expected) in [(2, 89, 0), (3, 91, 1)] {
            store.insert_file(id, FileState::Pending, stored_at + TimeDelta::days(dies_after)).await;
            assert_eq!(retention.list(&store, wrong, FileId(0)).await.unwrap().len(), expected);
            assert_eq!(retention.mark_page(&store, wrong).await.unwrap().files, u64::try_from(expected).unwrap());
        }
    }
}
