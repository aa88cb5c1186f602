//! The one writer of deliveries: it takes all that is waiting, writes it in one transaction, and answers each once that
//! is committed. No delay is made to gather a group: while one commits, the next gathers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::group::Group;
use super::normalise::Unfit;
use super::record::{Incoming, Receipt, SamenessWindows, record};
use crate::domain::QuarantineReason;
use crate::feed::Waker;
use crate::metrics::{COMMIT_DELIVERIES, COMMIT_SECONDS};
use crate::store::{Store, StoreError, Transaction};

/// How many deliveries may wait for the writer: past it a vendor is told to come again.
const QUEUE: usize = 1024;
/// How many deliveries one transaction takes at most, and of how many bytes: what waits behind it waits for one commit.
const GROUP: usize = 256;
///
/// The bytes have to reach a database that is far away long before anybody gives up waiting.
const GROUP_BYTES: usize = 2 * 1024 * 1024;
/// How long one transaction takes in deliveries, once it has read what it needs for all of them: redeliveries may need a look each, and
/// where the database is far away those that come first are not to wait for those behind them, nor other nodes for their turn.
const GROUP_TIME: Duration = Duration::from_millis(150);
/// How long a transaction may take in all. A server that has died without a word answers never; nobody waits for it any more by then.
const WRITE_WITHIN: Duration = Duration::from_secs(5);

/// A delivery could not be recorded now; nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the delivery could not be recorded now")]
pub struct NotRecorded;

type Answer = Result<Receipt, NotRecorded>;

struct Job {
    incoming: Incoming,
    answer: oneshot::Sender<Answer>,
}

/// Where deliveries are handed to the writer.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the writer. Once `ending` is cancelled it takes no more, writes what was handed over, and ends.
    #[must_use]
    pub fn start(
        store: Store,
        windows: SamenessWindows,
        waker: Waker,
        ending: CancellationToken,
    ) -> (Self, JoinHandle<()>) {
        let (queue, jobs) = mpsc::channel(QUEUE);
        (
            Self { queue },
            tokio::spawn(run(Target { store, windows, waker }, Queue { jobs, left: VecDeque::new() }, ending)),
        )
    }

    /// Records a delivery: an answer means that it is on disk.
    ///
    /// # Errors
    ///
    /// [`NotRecorded`] where too many wait already, or the database is not available.
    pub async fn record(&self, incoming: Incoming) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Job { incoming, answer }).map_err(|_| NotRecorded)?;
        answered.await.unwrap_or(Err(NotRecorded))
    }
}

/// What the writer writes to.
struct Target {
    store: Store,
    windows: SamenessWindows,
    waker: Waker,
}

/// What waits for the writer.
struct Queue {
    jobs: mpsc::Receiver<Job>,
    /// What a transaction had no time for: it comes first.
    left: VecDeque<Job>,
}

impl Queue {
    /// Waits until there is something to write. False once there is nothing, and no more will come.
    async fn has_some(&mut self, ending: &CancellationToken) -> bool {
        while self.left.is_empty() {
            tokio::select! {
                biased;
                first = self.jobs.recv() => match first {
                    Some(first) => self.left.push_back(first),
                    None => return false,
                },
                () = ending.cancelled(), if !self.jobs.is_closed() => self.jobs.close(),
            }
        }
        true
    }

    /// The deliveries of the next transaction.
    fn group(&mut self) -> Vec<Job> {
        let mut group: Vec<Job> = Vec::new();
        let mut bytes = 0;
        while group.len() < GROUP && bytes < GROUP_BYTES {
            let Some(job) = self.left.pop_front().or_else(|| self.jobs.try_recv().ok()) else { break };
            // Whoever was told to come again, because the database was slow, will: what it left behind is not written as well.
            if !job.answer.is_closed() {
                bytes += job.incoming.delivery.body().len();
                group.push(job);
            }
        }
        group
    }
}

async fn run(target: Target, mut queue: Queue, ending: CancellationToken) {
    while queue.has_some(&ending).await {
        let begun = in_time(target.store.begin()).await;
        // With it goes all that has come while the lock was waited for, which another node may have had.
        let group = queue.group();
        for job in write_group(&target, begun, group).await.into_iter().rev() {
            queue.left.push_front(job);
        }
    }
}

/// Writes deliveries in a transaction that has begun, and answers them. Gives those for which there was no time.
async fn write_group(target: &Target, begun: Result<Transaction, StoreError>, mut group: Vec<Job>) -> Vec<Job> {
    if group.is_empty() {
        return group;
    }
    let started = Instant::now();
    let incoming: Vec<&Incoming> = group.iter().map(|job| &job.incoming).collect();
    let answers = match begun {
        Err(error) => nobody(&group, &error),
        Ok(tx) => match in_time(write(target, tx, &incoming)).await {
            Ok(receipts) => receipts.into_iter().map(Ok).collect(),
            Err(error) if error.is_gone() => nobody(&group, &error),
            Err(error) => {
                tracing::warn!(%error, deliveries = group.len(), "a group of deliveries was rolled back; each is written alone");
                let mut answers: Vec<Answer> = Vec::with_capacity(group.len());
                for job in &group {
                    answers.push(if job.answer.is_closed() {
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
        let _ = job.answer.send(answer);
    }
    left
}

/// No delivery is at fault, and none is recorded.
fn nobody(group: &[Job], error: &StoreError) -> Vec<Answer> {
    tracing::error!(%error, deliveries = group.len(), "deliveries were not recorded; their vendors are asked to send them again");
    vec![Err(NotRecorded); group.len()]
}

/// One delivery of a group that failed: where it is at fault it goes into quarantine, else it is not recorded.
async fn write_alone(target: &Target, incoming: &Incoming) -> Answer {
    let written = in_time(async { write(target, target.store.begin().await?, &[incoming]).await }).await;
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
    let unfit = Unfit {
        reason: QuarantineReason::InvalidPayload,
        detail: "the database does not take a value of this payload; the service's log says which".to_owned(),
        vendor_type: incoming.content.as_ref().ok().map(|event| event.vendor_type.clone()),
    };
    match in_time(quarantine(&target.store, incoming, unfit)).await {
        Ok(receipt) => Ok(receipt),
        Err(error) => {
            tracing::error!(%error, "a delivery could not be quarantined; its vendor is asked to send it again");
            Err(NotRecorded)
        }
    }
}

async fn quarantine(store: &Store, incoming: &Incoming, unfit: Unfit) -> Result<Receipt, StoreError> {
    let tx = store.begin().await?;
    let mut group = Group::begin(tx, &[]).await?;
    let receipt = super::record::quarantine(&mut group, &incoming.delivery, &unfit);
    group.write().await?.commit(store).await?;
    Ok(receipt)
}

/// Writes deliveries, in their order and as many as there is time for, commits, and wakes the followers of the log.
async fn write(target: &Target, tx: Transaction, incoming: &[&Incoming]) -> Result<Vec<Receipt>, StoreError> {
    let mut group = Group::begin(tx, incoming).await?;
    let begun = Instant::now();
    let mut receipts = Vec::with_capacity(incoming.len());
    for incoming in incoming {
        receipts.push(record(&mut group, incoming, target.windows).await?);
        if begun.elapsed() >= GROUP_TIME {
            break;
        }
    }
    target.waker.wake(group.write().await?.commit(&target.store).await?);
    Ok(receipts)
}

/// Waits for a transaction, but not for ever.
async fn in_time<T>(transaction: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(WRITE_WITHIN, transaction).await.unwrap_or_else(|_| Err(StoreError::too_late()))
}
