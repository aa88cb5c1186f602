//! How many bytes the store may grow: `files.max_total_bytes` less what is stored, and less what
//! running fetches have reserved.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::fetch::{NO_ROOM, ROOM_PAUSE};
use super::gauges::count_outcome;
use super::record::Write;
use super::{ROOM_INTERVAL, Worker};
use crate::clock::Time;
use crate::files::storage::FREE_BYTES_MIN;
use crate::store::StoreError;
use crate::store::files::stored_bytes;

/// How long a disk may take to say what it has free.
const DISK_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// How many bytes the store may grow.
    pub(super) async fn room(&mut self) -> Result<u64, StoreError> {
        let room = &self.context.room;
        if self.room_read_at.is_none_or(|read_at| read_at.elapsed() >= ROOM_INTERVAL) {
            room.begin_count();
            let left = match self.max_total_bytes {
                Some(max) => max.saturating_sub(stored_bytes(self.context.store.reserved_reader()).await?),
                None => u64::MAX,
            };
            room.end_count(left.min(self.room_on_disk().await));
            self.room_read_at = Some(Instant::now());
        }
        Ok(room.free())
    }

    /// How many bytes a folder's disk has for files; none if it does not answer, as a shared folder
    /// whose server is away.
    async fn room_on_disk(&self) -> u64 {
        let files = self.context.files.clone();
        let asked = self.context.downloads.spawn_blocking(move || files.free_bytes());
        match tokio::time::timeout(DISK_TIMEOUT, asked).await {
            Ok(Ok(free)) => free.map_or(u64::MAX, |free| free.saturating_sub(FREE_BYTES_MIN)),
            Ok(Err(_)) | Err(_) => 0,
        }
    }

    /// Lets all jobs wait that are due.
    pub(super) async fn wait_for_room(&mut self, now: Time) -> Result<(), StoreError> {
        self.queue.clear();
        let until = now + ROOM_PAUSE;
        let waiting = self.context.recorder.record(Write::Postponed { now, until, problem: NO_ROOM }).await?;
        if waiting > 0 {
            tracing::warn!(files = waiting, "{NO_ROOM}; files wait");
            count_outcome("no_room", waiting);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
