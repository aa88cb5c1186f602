//! How many bytes the store may grow: `files.max_total_bytes` less what is stored, and less what
//! running fetches have reserved.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::fetch::{DISK_SILENT, NO_ROOM, ROOM_PAUSE};
use super::gauges::count_outcome;
use super::record::Write;
use super::{ROOM_INTERVAL, Worker};
use crate::clock::Time;
use crate::files::storage::FREE_BYTES_MIN;
use crate::store::StoreError;
use crate::store::files::stored_bytes;

/// The room that is left. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Mutex<Sizes>>);

#[derive(Debug)]
struct Sizes {
    free: u64,
    /// Of fetches whose rows do not say yet that they are stored.
    reserved: u64,
    /// Of fetches whose rows came to say so since the last count of what is stored began. The count
    /// may miss them.
    recorded: u64,
}

/// Room for one file. Dropped, it is free again.
#[derive(Debug)]
pub(super) struct Reservation {
    room: Room,
    bytes: u64,
}

impl Room {
    /// Room without a bound, until it is counted.
    pub(super) fn unbounded() -> Self {
        Self(Arc::new(Mutex::new(Sizes { free: u64::MAX, reserved: 0, recorded: 0 })))
    }

    fn sizes(&self) -> MutexGuard<'_, Sizes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn free(&self) -> u64 {
        self.sizes().free
    }

    /// Must be called before what is stored is counted.
    fn begin_count(&self) {
        self.sizes().recorded = 0;
    }

    /// Sets what may be stored besides what was counted.
    fn end_count(&self, left: u64) {
        let mut sizes = self.sizes();
        sizes.free = left.saturating_sub(sizes.reserved).saturating_sub(sizes.recorded);
    }

    /// Reserves room for a file; none if there is too little.
    pub(super) fn reserve(&self, bytes: u64) -> Option<Reservation> {
        let mut sizes = self.sizes();
        sizes.free = sizes.free.checked_sub(bytes)?;
        sizes.reserved += bytes;
        Some(Reservation { room: self.clone(), bytes })
    }
}

impl Reservation {
    /// The file is stored, and its row says so.
    pub(super) fn fill(mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut sizes = self.room.sizes();
        sizes.reserved -= bytes;
        sizes.recorded = sizes.recorded.saturating_add(bytes);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut sizes = self.room.sizes();
        sizes.reserved -= self.bytes;
        sizes.free = sizes.free.saturating_add(self.bytes);
    }
}

impl Worker {
    /// Why no file can be stored now; none if there is room.
    pub(super) async fn lack_of_room(&mut self) -> Result<Option<&'static str>, StoreError> {
        let room = &self.context.room;
        if self.room_read_at.is_none_or(|read_at| read_at.elapsed() >= ROOM_INTERVAL) {
            room.begin_count();
            let left = match self.max_total_bytes {
                Some(max) => max.saturating_sub(stored_bytes(self.context.store.reserved_reader()).await?),
                None => u64::MAX,
            };
            let Ok(free) = self.context.files.free_bytes().await else { return Ok(Some(DISK_SILENT)) };
            room.end_count(free.map_or(left, |free| left.min(free.saturating_sub(FREE_BYTES_MIN))));
            self.room_read_at = Some(Instant::now());
        }
        Ok((room.free() == 0).then_some(NO_ROOM))
    }

    /// Lets all jobs wait that are due, for this problem.
    pub(super) async fn wait_for_room(&mut self, now: Time, problem: &'static str) -> Result<(), StoreError> {
        self.queue.clear();
        let until = now + ROOM_PAUSE;
        let waiting = self.context.recorder.record(Write::Postponed { now, until, problem }).await?;
        if waiting > 0 {
            tracing::warn!(files = waiting, "{problem}; files wait");
            count_outcome("no_room", waiting);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::files::storage::StorageError;

    #[tokio::test]
    async fn disk_that_does_not_answer_is_not_taken_for_a_full_one() {
        let (_directory, mut worker) = Worker::for_test(Clock::system()).await;
        worker.max_total_bytes = None;
        assert_eq!(worker.lack_of_room().await.unwrap(), None);
        worker.context.files.silence_disk().await;
        worker.room_read_at = None;
        tokio::time::pause();
        assert_eq!(worker.lack_of_room().await.unwrap(), Some(DISK_SILENT));
        let mut upload = worker.context.files.begin();
        let written = upload.write(vec![0; 1024 * 1024].into()).await;
        assert!(matches!(written, Err(StorageError::TimedOut)), "{written:?}");
    }

    #[test]
    fn files_that_are_being_stored_keep_their_room() {
        let room = Room::unbounded();
        room.begin_count();
        room.end_count(100);
        let first = room.reserve(60).unwrap();
        assert!(room.reserve(41).is_none(), "two files would exceed the bound");
        let second = room.reserve(40).unwrap();
        // A count that sees neither.
        room.begin_count();
        first.fill();
        room.end_count(100);
        assert_eq!(room.free(), 0);
        drop(second);
        assert_eq!(room.free(), 40);
        // A count that sees the first.
        room.begin_count();
        room.end_count(40);
        assert_eq!(room.free(), 40);
    }
}
