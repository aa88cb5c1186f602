//! The one writer of deliveries: it takes all that is waiting, writes it in one transaction, and answers each once that
//! is committed. No delay is made to gather a group: while one commits, the next gathers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::group::CommitGroup;
use super::normalise::NormaliseError;
use super::record::{DedupWindowLengths, NormalisedDelivery, Receipt, record};
use crate::domain::QuarantineReason;
use crate::feed::FollowerWaker;
use crate::metrics::{COMMIT_DELIVERIES, COMMIT_SECONDS};
use crate::store::{Store, StoreError, Transaction};

/// How many deliveries may wait for the writer: past it a vendor is told to come again.
const QUEUE_DELIVERIES_MAX: usize = 1024;
/// How many deliveries one transaction takes at most, and of how many bytes: what waits behind it waits for one commit.
const GROUP_DELIVERIES_MAX: usize = 256;
///
/// The bytes have to reach a database that is far away long before anybody gives up waiting.
const GROUP_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How long one transaction takes in deliveries, once it has read what it needs for all of them: redeliveries may need a look each, and
/// where the database is far away those that come first are not to wait for those behind them, nor other nodes for their turn.
const GROUP_DURATION_MAX: Duration = Duration::from_millis(150);
/// How long a transaction may take in all. A server that has died without a word answers never; nobody waits for it any more by then.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(5);

/// A delivery could not be recorded now; nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the delivery could not be recorded now")]
pub struct NotRecorded;

type RecordResult = Result<Receipt, NotRecorded>;

struct WriteRequest {
    incoming: NormalisedDelivery,
    reply: oneshot::Sender<RecordResult>,
}

/// Where deliveries are handed to the writer.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<WriteRequest>,
}

impl Writer {
    /// Starts the writer. Once `ending` is cancelled it takes no more, writes what was handed over, and ends.
    #[must_use]
    pub fn start(
        store: Store,
        windows: DedupWindowLengths,
        waker: FollowerWaker,
        ending: CancellationToken,
    ) -> (Self, JoinHandle<()>) {
        let (queue, jobs) = mpsc::channel(QUEUE_DELIVERIES_MAX);
        (
            Self { queue },
            tokio::spawn(run(
                WriterContext { store, windows, waker },
                DeliveryQueue { requests: jobs, deferred: VecDeque::new() },
                ending,
            )),
        )
    }

    /// Records a delivery: an answer means that it is on disk.
    ///
    /// # Errors
    ///
    /// [`NotRecorded`] where too many wait already, or the database is not available.
    pub async fn record(&self, incoming: NormalisedDelivery) -> RecordResult {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(WriteRequest { incoming, reply: answer }).map_err(|_| NotRecorded)?;
        answered.await.unwrap_or(Err(NotRecorded))
    }
}

/// What the writer writes to.
struct WriterContext {
    store: Store,
    windows: DedupWindowLengths,
    waker: FollowerWaker,
}

/// What waits for the writer.
struct DeliveryQueue {
    requests: mpsc::Receiver<WriteRequest>,
    /// What a transaction had no time for: it comes first.
    deferred: VecDeque<WriteRequest>,
}

impl DeliveryQueue {
    /// Waits until there is something to write. False once there is nothing, and no more will come.
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
            let Some(job) = self.deferred.pop_front().or_else(|| self.requests.try_recv().ok()) else { break };
            // Whoever was told to come again, because the database was slow, will: what it left behind is not written as well.
            if !job.reply.is_closed() {
                bytes += job.incoming.delivery.body().len();
                group.push(job);
            }
        }
        group
    }
}

async fn run(target: WriterContext, mut queue: DeliveryQueue, ending: CancellationToken) {
    while queue.wait_until_nonempty(&ending).await {
        let begun = with_transaction_timeout(target.store.begin()).await;
        // With it goes all that has come while the lock was waited for, which another node may have had.
        let group = queue.take_group();
        for job in write_group(&target, begun, group).await.into_iter().rev() {
            queue.deferred.push_front(job);
        }
    }
}

/// Writes deliveries in a transaction that has begun, and answers them. Gives those for which there was no time.
async fn write_group(
    target: &WriterContext,
    begun: Result<Transaction, StoreError>,
    mut group: Vec<WriteRequest>,
) -> Vec<WriteRequest> {
    if group.is_empty() {
        return group;
    }
    let started = Instant::now();
    let incoming: Vec<&NormalisedDelivery> = group.iter().map(|job| &job.incoming).collect();
    let answers = match begun {
        Err(error) => fail_all(&group, &error),
        Ok(tx) => match with_transaction_timeout(write_and_commit(target, tx, &incoming)).await {
            Ok(receipts) => receipts.into_iter().map(Ok).collect(),
            Err(error) if error.is_connection_lost() => fail_all(&group, &error),
            Err(error) => {
                tracing::warn!(%error, deliveries = group.len(), "a group of deliveries was rolled back; each is written alone");
                let mut answers: Vec<RecordResult> = Vec::with_capacity(group.len());
                for job in &group {
                    answers.push(if job.reply.is_closed() {
                        Err(NotRecorded)
                    } else {
                        write_alone(target, &job.incoming).await
                    });
                }
                answers
            }
        },
    };
    let left = group.split_off(answers.len());
    metrics::histogram!(COMMIT_SECONDS).record(started.elapsed().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a group has at most 256 deliveries")]
    metrics::histogram!(COMMIT_DELIVERIES).record(group.len() as f64);
    for (job, answer) in group.into_iter().zip(answers) {
        // Whoever asked may have gone: the delivery stays recorded, and the vendor's retry will find it so.
        let _ = job.reply.send(answer);
    }
    left
}

/// No delivery is at fault, and none is recorded.
fn fail_all(group: &[WriteRequest], error: &StoreError) -> Vec<RecordResult> {
    tracing::error!(%error, deliveries = group.len(), "deliveries were not recorded; their vendors are asked to send them again");
    vec![Err(NotRecorded); group.len()]
}

/// One delivery of a group that failed: where it is at fault it goes into quarantine, else it is not recorded.
async fn write_alone(target: &WriterContext, incoming: &NormalisedDelivery) -> RecordResult {
    let written =
        with_transaction_timeout(async { write_and_commit(target, target.store.begin().await?, &[incoming]).await })
            .await;
    let error = match written {
        Ok(receipts) => return receipts.first().copied().ok_or(NotRecorded),
        Err(error) => error,
    };
    let at_fault = match &error {
        StoreError::Refused(_) | StoreError::Unreadable(_) => true,
        StoreError::Unavailable(_) => false,
    };
    if !at_fault {
        tracing::error!(%error, "a delivery was not recorded; its vendor is asked to send it again");
        return Err(NotRecorded);
    }
    tracing::error!(%error, "a delivery cannot be recorded as an event; it is quarantined");
    let unfit = NormaliseError {
        reason: QuarantineReason::InvalidPayload,
        detail: "the database does not take a value of this payload; the service's log says which".to_owned(),
        vendor_type: incoming.event.as_ref().ok().map(|event| event.vendor_type.clone()),
    };
    match with_transaction_timeout(quarantine_alone(&target.store, incoming, unfit)).await {
        Ok(receipt) => Ok(receipt),
        Err(error) => {
            tracing::error!(%error, "a delivery could not be quarantined; its vendor is asked to send it again");
            Err(NotRecorded)
        }
    }
}

async fn quarantine_alone(
    store: &Store,
    incoming: &NormalisedDelivery,
    unfit: NormaliseError,
) -> Result<Receipt, StoreError> {
    let tx = store.begin().await?;
    let mut group = CommitGroup::begin(tx, &[]).await?;
    let receipt = super::record::quarantine(&mut group, &incoming.delivery, &unfit);
    group.flush().await?.commit(store).await?;
    Ok(receipt)
}

/// Writes deliveries, in their order and as many as there is time for, commits, and wakes the followers of the log.
async fn write_and_commit(
    target: &WriterContext,
    tx: Transaction,
    incoming: &[&NormalisedDelivery],
) -> Result<Vec<Receipt>, StoreError> {
    let mut group = CommitGroup::begin(tx, incoming).await?;
    let begun = Instant::now();
    let mut receipts = Vec::with_capacity(incoming.len());
    for incoming in incoming {
        receipts.push(record(&mut group, incoming, target.windows).await?);
        if begun.elapsed() >= GROUP_DURATION_MAX {
            break;
        }
    }
    target.waker.wake(group.flush().await?.commit(&target.store).await?);
    Ok(receipts)
}

/// Waits for a transaction, but not for ever.
async fn with_transaction_timeout<T>(
    transaction: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(TRANSACTION_TIMEOUT, transaction).await.unwrap_or_else(|_| Err(StoreError::timed_out()))
}
