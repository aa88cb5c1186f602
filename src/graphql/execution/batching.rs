//! When batches are read: once the objects of a level have asked for all they need, neither earlier nor later.
//!
//! A request is one future. Each time it is polled, all objects that can go on do, and ask their loaders; when the poll ends,
//! everything that this level needs has been asked for. So the batches are read within the request's own task, between two
//! polls of it, and one statement a level is what a query costs, however many rows it has and however slow the machine is.
//! A timer, which is the library's way, closes a batch while it is still being asked for, or makes every level wait.

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
use crate::store::Store;

/// The batches that a request has begun to ask for.
#[derive(Clone, Default)]
pub(crate) struct PendingBatches(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl PendingBatches {
    /// A loader for one request, whose batches are read by [`Self::read_during`].
    pub(crate) fn new_loader(&self, store: Store) -> DataLoader<StoreLoader> {
        let begun = self.clone();
        let begin = move |batch| begun.0.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
        DataLoader::new(StoreLoader(store), begin).delay(Duration::ZERO)
    }

    fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a request, and reads its batches whenever it can go no further without them.
    pub(crate) async fn drive<F: Future>(&self, request: F) -> F::Output {
        let mut request = pin!(request);
        let mut reading = FuturesUnordered::new();
        let woken = Arc::new(WakeFlag::default());
        let waker = Waker::from(Arc::clone(&woken));
        poll_fn(|cx| {
            woken.task.register(cx.waker());
            let mut at_once = 0;
            loop {
                woken.is_woken.store(false, Ordering::Release);
                if let Poll::Ready(output) = request.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Poll::Ready(output);
                }
                // Many objects are polled by turns: one that asks for another turn has not asked for all it needs yet.
                at_once += 1;
                if woken.is_woken.load(Ordering::Acquire) && at_once < CONSECUTIVE_POLLS_MAX {
                    continue;
                }
                reading.extend(self.take());
                let mut any = false;
                while let Poll::Ready(Some(())) = reading.poll_next_unpin(cx) {
                    any = true;
                }
                if !any {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

/// How many turns in a row a request is given at most before its batches are: a level of a hundred rows takes some fifty.
const CONSECUTIVE_POLLS_MAX: u32 = 1000;

/// Tells whether a request asked for another turn while it was polled.
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
