//! Runs many futures at once, most of which are ready at their first poll.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs futures concurrently and returns their outputs in the order of the futures.
///
/// All futures that are ready at their first poll share one allocation; each of the others has its
/// own. A wake-up polls all pending futures: they wait for batches, which are ready together.
pub(super) async fn join_in_order<F: Future>(futures: impl ExactSizeIterator<Item = F>) -> Vec<F::Output> {
    let mut outputs = Vec::with_capacity(futures.len());
    let mut pending = Vec::new();
    let mut slot: Option<Pin<Box<F>>> = None;
    for future in futures {
        let mut running = match slot.take() {
            Some(mut slot) => {
                slot.set(future);
                slot
            }
            None => Box::pin(future),
        };
        match poll_fn(|cx| Poll::Ready(running.as_mut().poll(cx))).await {
            Poll::Ready(output) => {
                outputs.push(Some(output));
                slot = Some(running);
            }
            Poll::Pending => {
                pending.push((outputs.len(), running));
                outputs.push(None);
            }
        }
    }
    drop(slot);
    if !pending.is_empty() {
        poll_fn(|cx| poll_pending(&mut pending, &mut outputs, cx)).await;
    }
    outputs.into_iter().flatten().collect()
}

fn poll_pending<F: Future>(
    pending: &mut Vec<(usize, Pin<Box<F>>)>,
    outputs: &mut [Option<F::Output>],
    cx: &mut Context<'_>,
) -> Poll<()> {
    pending.retain_mut(|(index, future)| match future.as_mut().poll(cx) {
        Poll::Ready(output) => {
            outputs[*index] = Some(output);
            false
        }
        Poll::Pending => true,
    });
    if pending.is_empty() { Poll::Ready(()) } else { Poll::Pending }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::join_in_order;

    #[tokio::test]
    async fn outputs_keep_the_order_of_the_futures() {
        let (send_first, first) = oneshot::channel();
        let (send_last, last) = oneshot::channel();
        let futures = [first.map(Result::unwrap).boxed(), async { 2 }.boxed(), last.map(Result::unwrap).boxed()];
        let both = async {
            send_last.send(3).unwrap();
            tokio::task::yield_now().await;
            send_first.send(1).unwrap();
        };
        assert_eq!(tokio::join!(join_in_order(futures.into_iter()), both).0, [1, 2, 3]);
    }

    #[tokio::test]
    async fn pending_future_does_not_block_others() {
        let begun = Cell::new(0);
        let (_never, first) = oneshot::channel::<()>();
        let futures = [first.map(drop).boxed_local(), async { begun.set(begun.get() + 1) }.boxed_local()];
        assert!(join_in_order(futures.into_iter()).now_or_never().is_none());
        assert_eq!(begun.get(), 1);
    }

    #[tokio::test]
    async fn no_futures_give_no_outputs() {
        assert!(join_in_order(std::iter::empty::<std::future::Ready<u8>>()).await.is_empty());
    }
}
