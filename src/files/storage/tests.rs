//! How long the store may take.

use std::pin::pin;

use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};

use super::*;

#[tokio::test(start_paused = true)]
async fn store_is_late_only_while_its_reader_waits() {
    let object = stream::iter([0, 1, 3600]).then(async |seconds| {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(Bytes::from_static(b"piece"))
    });
    let mut pieces = pin!(pieces(object.boxed()));
    assert!(matches!(pieces.next().await, Some(Ok(_))));
    tokio::time::sleep(2 * PIECE_TIMEOUT).await;
    assert!(matches!(pieces.next().await, Some(Ok(_))), "its reader was slow");
    assert!(matches!(pieces.next().await, Some(Err(StorageError::TimedOut))));
}

#[tokio::test(start_paused = true)]
async fn bucket_that_does_not_remove_is_not_waited_for() {
    let hour = Duration::from_secs(3600);
    let config = ThrottleConfig { wait_delete_per_call: hour, ..ThrottleConfig::default() };
    let objects = Arc::new(ThrottledStore::new(InMemory::new(), config));
    let store = FileStore { objects, folder: None, part_bytes: CLOUD_PART_BYTES };
    let deleted = timeout(hour, store.delete(&Digest::new([1; 32]))).await.expect("the store gives up");
    assert!(matches!(deleted, Err(StorageError::TimedOut)), "{deleted:?}");
}
