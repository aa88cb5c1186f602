//! The one writer of deliveries. It takes all that are waiting, writes them in one transaction, and
//! answers each after the commit. It never waits for a group to fill: the next group gathers while
//! one commits.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use super::group::CommitGroup;
use super::normalise::NormaliseError;
use super::record::{DedupWindowLengths, NormalisedDelivery, Receipt, record};
use crate::domain::QuarantineReason;
use crate::metrics::{COMMIT_DELIVERIES, COMMIT_SECONDS};
use crate::store::files::FileRecording;
use crate::store::{Store, StoreError, Transaction};

/// How many deliveries may wait for the writer. The next one is not recorded, and its vendor must
/// send it again.
const QUEUE_DELIVERIES_MAX: usize = 1024;
/// How many deliveries one transaction takes. Those behind it wait for one commit.
const GROUP_DELIVERIES_MAX: usize = 256;
/// How many bytes of bodies one transaction takes. They must reach a distant database well before
/// the vendors stop waiting.
const GROUP_BYTES_MAX: usize = 2 * 1024 * 1024;
/// After this time a transaction accepts no more deliveries; the rest move to the next group. Each
/// redelivery may need a query. With a distant database the first deliveries must not wait for the
/// last ones, nor the other nodes for the write lock.
pub(super) const GROUP_DURATION_MAX: Duration = Duration::from_millis(150);
/// How long a whole transaction may take. A dead server may never answer, and after this time no
/// vendor is still waiting.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(5);

/// The delivery was not recorded. The vendor must send it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the delivery cannot be recorded right now; send it again")]
pub struct NotRecorded;

type RecordResult = Result<Receipt, NotRecorded>;

struct WriteRequest {
    incoming: NormalisedDelivery,
    reply: oneshot::Sender<RecordResult>,
    /// The delivery's span, for log lines of a delivery that is written alone.
    span: Span,
}

/// A handle that passes deliveries to the writer.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<WriteRequest>,
}

impl Writer {
    /// Starts the writer. When `ending` is cancelled, it accepts no more deliveries, writes those
    /// that wait, and ends.
    #[must_use]
    pub fn start(
        store: Store,
        windows: DedupWindowLengths,
        recording: FileRecording,
        ending: CancellationToken,
    ) -> (Self, JoinHandle<()>) {
        let (queue, requests) = mpsc::channel(QUEUE_DELIVERIES_MAX);
        (
            Self { queue },
            tokio::spawn(run(
                WriterContext { store, windows, recording },
                DeliveryQueue { requests, deferred: VecDeque::new() },
                ending,
            )),
        )
    }

    /// Records a delivery. A receipt means that it is on disk.
    ///
    /// # Errors
    ///
    /// [`NotRecorded`] if too many deliveries wait, or the database is not available.
    pub async fn record(&self, incoming: NormalisedDelivery) -> RecordResult {
        let (reply, result) = oneshot::channel();
        self.queue.try_send(WriteRequest { incoming, reply, span: Span::current() }).map_err(|_| NotRecorded)?;
        result.await.unwrap_or(Err(NotRecorded))
    }
}

/// What the writer needs for each group.
struct WriterContext {
    store: Store,
    windows: DedupWindowLengths,
    recording: FileRecording,
}

/// The deliveries that wait for the writer.
struct DeliveryQueue {
    requests: mpsc::Receiver<WriteRequest>,
    /// Deliveries that the last transaction had no time for. They come first.
    deferred: VecDeque<WriteRequest>,
}

impl DeliveryQueue {
    /// Waits until there is something to write. False if the queue is empty and closed.
    async fn wait_until_nonempty(&mut self, ending: &CancellationToken) -> bool {
        while self.deferred.is_empty() {
            tokio::select! {
                biased;
                first = self.requests.recv() => match first {
                    Some(first) => self.deferred.push_back(first),
                    None => return false,
                },
                () = ending.cancelled(), if !self.requests.is_closed() => self.requests.close(),
            }
        }
        true
    }

    /// The deliveries of the next transaction.
    fn take_group(&mut self) -> Vec<WriteRequest> {
        let mut group: Vec<WriteRequest> = Vec::new();
        let mut bytes = 0;
        while group.len() < GROUP_DELIVERIES_MAX && bytes < GROUP_BYTES_MAX {
            let Some(request) = self.deferred.pop_front().or_else(|| self.requests.try_recv().ok()) else { break };
            // A request whose vendor no longer waits is dropped: the vendor will send the delivery
            // again.
            if !request.reply.is_closed() {
                bytes += request.incoming.delivery.held_bytes();
                group.push(request);
            }
        }
        group
    }
}

async fn run(context: WriterContext, mut queue: DeliveryQueue, ending: CancellationToken) {
    while queue.wait_until_nonempty(&ending).await {
        let tx = with_transaction_timeout(context.store.begin()).await;
        // The group is taken after the lock, which another node may have held. It includes all that
        // came meanwhile.
        let group = queue.take_group();
        for request in write_group(&context, tx, group).await.into_iter().rev() {
            queue.deferred.push_front(request);
        }
    }
}

/// Writes deliveries in a transaction that has begun, and answers them. Returns those for which
/// there was no time.
async fn write_group(
    context: &WriterContext,
    tx: Result<Transaction, StoreError>,
    mut group: Vec<WriteRequest>,
) -> Vec<WriteRequest> {
    if group.is_empty() {
        return group;
    }
    let started = Instant::now();
    let incoming: Vec<&NormalisedDelivery> = group.iter().map(|request| &request.incoming).collect();
    let results = match tx {
        Err(error) => fail_all(&group, &error),
        Ok(tx) => match with_transaction_timeout(write_and_commit(context, tx, &incoming)).await {
            Ok(receipts) => receipts.into_iter().map(Ok).collect(),
            Err(error) if error.is_connection_lost() => fail_all(&group, &error),
            Err(error) => {
                tracing::warn!(%error, deliveries = group.len(), "a group of deliveries was rolled back; writing each alone");
                let mut results: Vec<RecordResult> = Vec::with_capacity(group.len());
                for request in &group {
                    results.push(if request.reply.is_closed() {
                        Err(NotRecorded)
                    } else {
                        write_alone(context, &request.incoming).instrument(request.span.clone()).await
                    });
                }
                results
            }
        },
    };
    let deferred = group.split_off(results.len());
    metrics::histogram!(COMMIT_SECONDS).record(started.elapsed().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a group has at most 256 deliveries")]
    metrics::histogram!(COMMIT_DELIVERIES).record(group.len() as f64);
    for (request, result) in group.into_iter().zip(results) {
        // The caller may be gone. The delivery stays recorded, and the vendor's retry is a
        // redelivery.
        let _ = request.reply.send(result);
    }
    deferred
}

/// Answers that no delivery of the group was recorded. None is at fault.
fn fail_all(group: &[WriteRequest], error: &StoreError) -> Vec<RecordResult> {
    tracing::error!(%error, deliveries = group.len(), "deliveries not recorded; the vendors must send them again");
    vec![Err(NotRecorded); group.len()]
}

/// Writes one delivery of a failed group alone. If the delivery is at fault, it is quarantined;
/// otherwise it is not recorded.
async fn write_alone(context: &WriterContext, incoming: &NormalisedDelivery) -> RecordResult {
    let result =
        with_transaction_timeout(async { write_and_commit(context, context.store.begin().await?, &[incoming]).await })
            .await;
    let error = match result {
        Ok(receipts) => return receipts.first().copied().ok_or(NotRecorded),
        Err(error) => error,
    };
    let at_fault = match &error {
        StoreError::Refused(_) | StoreError::Unreadable(_) => true,
        StoreError::Unavailable(_) | StoreError::OverBudget => false,
    };
    if !at_fault {
        tracing::error!(%error, "delivery not recorded; the vendor must send it again");
        return Err(NotRecorded);
    }
    tracing::error!(%error, "a delivery cannot be recorded as an event; quarantining it");
    let reason = NormaliseError {
        reason: QuarantineReason::InvalidPayload,
        detail: "the database rejected a value in this payload; see the service's log".to_owned(),
        vendor_type: incoming.event.as_ref().ok().map(|event| event.vendor_type.clone()),
    };
    match with_transaction_timeout(quarantine_alone(&context.store, incoming, reason)).await {
        Ok(receipt) => Ok(receipt),
        Err(error) => {
            tracing::error!(%error, "failed to quarantine a delivery; the vendor must send it again");
            Err(NotRecorded)
        }
    }
}

async fn quarantine_alone(
    store: &Store,
    incoming: &NormalisedDelivery,
    reason: NormaliseError,
) -> Result<Receipt, StoreError> {
    let tx = store.begin().await?;
    let mut group = CommitGroup::begin(tx, &[], FileRecording::Off).await?;
    let receipt = super::record::quarantine(&mut group, &incoming.delivery, &reason)?;
    group.flush().await?.commit(store).await?;
    Ok(receipt)
}

/// Writes deliveries in their order, as many as there is time for, then commits.
async fn write_and_commit(
    context: &WriterContext,
    tx: Transaction,
    incoming: &[&NormalisedDelivery],
) -> Result<Vec<Receipt>, StoreError> {
    let mut group = CommitGroup::begin(tx, incoming, context.recording).await?;
    let started = Instant::now();
    let mut receipts = Vec::with_capacity(incoming.len());
    for incoming in incoming {
        receipts.push(record(&mut group, incoming, context.windows).await?);
        if started.elapsed() >= GROUP_DURATION_MAX {
            break;
        }
    }
    group.flush().await?.commit(&context.store).await?;
    Ok(receipts)
}

/// Runs a transaction under [`TRANSACTION_TIMEOUT`].
async fn with_transaction_timeout<T>(
    transaction: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(TRANSACTION_TIMEOUT, transaction).await.unwrap_or_else(|_| Err(StoreError::timed_out()))
}
