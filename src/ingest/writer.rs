//! The one writer of deliveries: it takes all that is waiting, writes it in one transaction, and answers each once that
//! is committed. No delay is made to gather a group: while one commits, the next gathers.

use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::normalise::Unfit;
use super::record::{Heads, Incoming, Receipt, SamenessWindows, record};
use crate::domain::QuarantineReason;
use crate::feed::Waker;
use crate::store::{Store, StoreError};

/// How many deliveries may wait for the writer: past it a vendor is told to come again.
const QUEUE: usize = 1024;
/// How many deliveries one transaction takes at most, and of how many bytes: what waits behind it waits for one commit.
const GROUP: usize = 256;
const GROUP_BYTES: usize = 16 * 1024 * 1024;

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
        (Self { queue }, tokio::spawn(run(store, windows, waker, jobs, ending)))
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

async fn run(
    store: Store,
    windows: SamenessWindows,
    waker: Waker,
    mut jobs: mpsc::Receiver<Job>,
    ending: CancellationToken,
) {
    loop {
        let first = tokio::select! {
            biased;
            first = jobs.recv() => first,
            () = ending.cancelled(), if !jobs.is_closed() => {
                jobs.close();
                continue;
            }
        };
        let Some(first) = first else { return };
        let mut bytes = first.incoming.delivery.body().len();
        let mut group = vec![first];
        while group.len() < GROUP && bytes < GROUP_BYTES {
            let Ok(job) = jobs.try_recv() else { break };
            bytes += job.incoming.delivery.body().len();
            group.push(job);
        }
        // Whoever was told to come again, because the database was slow, will: what it left behind is not written as well.
        group.retain(|job| !job.answer.is_closed());
        if !group.is_empty() {
            write_group(&store, windows, &waker, group).await;
        }
    }
}

async fn write_group(store: &Store, windows: SamenessWindows, waker: &Waker, group: Vec<Job>) {
    let started = Instant::now();
    let incoming: Vec<&Incoming> = group.iter().map(|job| &job.incoming).collect();
    let answers = match write(store, windows, waker, &incoming).await {
        Ok(receipts) => receipts.into_iter().map(Ok).collect(),
        Err(Failed::NotBegun(error)) => {
            tracing::error!(%error, deliveries = group.len(), "deliveries were not recorded; their vendors are asked to send them again");
            vec![Err(NotRecorded); group.len()]
        }
        Err(Failed::RolledBack(error)) => {
            tracing::warn!(%error, deliveries = group.len(), "a group of deliveries was rolled back; each is written alone");
            let mut answers: Vec<Answer> = Vec::with_capacity(group.len());
            for job in &group {
                answers.push(if job.answer.is_closed() {
                    Err(NotRecorded)
                } else {
                    write_alone(store, windows, waker, &job.incoming).await
                });
            }
            answers
        }
    };
    metrics::histogram!("bidarc_commit_seconds").record(started.elapsed().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a group has at most 256 deliveries")]
    metrics::histogram!("bidarc_commit_deliveries").record(group.len() as f64);
    for (job, answer) in group.into_iter().zip(answers) {
        // Whoever asked may have gone: the delivery stays recorded, and the vendor's retry will find it so.
        let _ = job.answer.send(answer);
    }
}

/// One delivery of a group that failed: where it is at fault it goes into quarantine, else it is not recorded.
async fn write_alone(store: &Store, windows: SamenessWindows, waker: &Waker, incoming: &Incoming) -> Answer {
    let error = match write(store, windows, waker, &[incoming]).await {
        Ok(receipts) => return receipts.first().copied().ok_or(NotRecorded),
        Err(Failed::NotBegun(error) | Failed::RolledBack(error)) => error,
    };
    let at_fault = match &error {
        StoreError::Refused(_) | StoreError::Unreadable(_) => true,
        StoreError::Unavailable(_) | StoreError::Unsupported => false,
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
    match quarantine(store, incoming, unfit).await {
        Ok(receipt) => Ok(receipt),
        Err(error) => {
            tracing::error!(%error, "a delivery could not be quarantined; its vendor is asked to send it again");
            Err(NotRecorded)
        }
    }
}

async fn quarantine(store: &Store, incoming: &Incoming, unfit: Unfit) -> Result<Receipt, StoreError> {
    let tx = store.begin().await?;
    let mut heads = Heads::read(&tx).await?;
    let receipt = super::record::quarantine(&tx, &mut heads, &incoming.delivery, &unfit).await?;
    tx.commit().await?;
    Ok(receipt)
}

/// Why a transaction came to nothing.
enum Failed {
    /// The database could not be had: no delivery is at fault.
    NotBegun(StoreError),
    /// A statement or the commit failed: one of the deliveries may be at fault.
    RolledBack(StoreError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::RolledBack(error)
    }
}

/// Writes deliveries in one transaction, in their order, and wakes the followers of the log once it is committed.
async fn write(
    store: &Store,
    windows: SamenessWindows,
    waker: &Waker,
    group: &[&Incoming],
) -> Result<Vec<Receipt>, Failed> {
    let tx = store.begin().await.map_err(Failed::NotBegun)?;
    let mut heads = Heads::read(&tx).await?;
    let mut receipts = Vec::with_capacity(group.len());
    for incoming in group {
        receipts.push(record(&tx, &mut heads, incoming, windows).await?);
    }
    tx.commit().await.map_err(StoreError::from)?;
    waker.wake(heads.event());
    Ok(receipts)
}
