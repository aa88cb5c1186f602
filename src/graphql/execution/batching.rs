//! Reads batches at the right moment: once the objects of a level have requested all that they
//! need.
//!
//! A request is one future. Each poll runs every object that can proceed, and each of these calls
//! its loaders. When the poll ends, the loaders have all keys of the level. The batches are
//! therefore read in the request's own task, between two polls of it. A query costs one statement a
//! level, however many rows it has and however slow the machine is.
//!
//! The library uses a timer. A timer closes a batch while objects still add keys to it, or makes
//! every level wait.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_graphql::dataloader::DataLoader;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::task::AtomicWaker;

use crate::graphql::loader::StoreLoader;
use crate::store::Reader;

/// The batches of a request that have keys and are not read yet.
#[derive(Clone, Default)]
pub(crate) struct PendingBatches(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl PendingBatches {
    /// A loader for one request. [`Self::drive`] reads its batches.
    pub(crate) fn new_loader(&self, reader: Reader) -> DataLoader<StoreLoader> {
        let pending = self.clone();
        let schedule = move |batch| pending.0.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
        DataLoader::new(StoreLoader(reader), schedule).delay(Duration::ZERO)
    }

    fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a request, and reads its batches whenever it cannot proceed without them.
    pub(crate) async fn drive<F: Future>(&self, request: F) -> F::Output {
        let mut request = pin!(request);
        let mut reading = FuturesUnordered::new();
        let wake_flag = Arc::new(WakeFlag::default());
        let waker = Waker::from(Arc::clone(&wake_flag));
        poll_fn(|cx| {
            wake_flag.task.register(cx.waker());
            let mut polls = 0;
            loop {
                wake_flag.is_woken.store(false, Ordering::Release);
                if let Poll::Ready(output) = request.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Poll::Ready(output);
                }
                // Cooperative scheduling may interrupt a poll. A request that wakes itself has not
                // requested all that it needs yet.
                polls += 1;
                if wake_flag.is_woken.load(Ordering::Acquire) && polls < CONSECUTIVE_POLLS_MAX {
                    continue;
                }
                reading.extend(self.take());
                let mut any_finished = false;
                while let Poll::Ready(Some(())) = reading.poll_next_unpin(cx) {
                    any_finished = true;
                }
                if !any_finished {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

/// The maximum number of polls in a row before the batches of a request are read anyway. A level of
/// a hundred rows takes about fifty polls.
const CONSECUTIVE_POLLS_MAX: u32 = 1000;

/// Records whether a request woke itself while it was polled.
#[derive(Default)]
struct WakeFlag {
    is_woken: AtomicBool,
    task: AtomicWaker,
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.task.wake();
    }
}
