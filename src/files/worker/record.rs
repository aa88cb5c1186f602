//! Records what the worker learns. Results of the same moment share a transaction, because
//! deliveries need the write lock more.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Mutex as AsyncMutex;
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::Instant;

use crate::clock::Time;
use crate::domain::{Digest, FileId, FileState};
use crate::store::files::{
    Attempt, FetchJob, expire, postpone_all, record_refused, record_stored, record_unfetched, record_unfit, revive,
};
use crate::store::{Store, StoreError, Transaction};

/// The shortest time between two transactions.
const RECORD_INTERVAL: Duration = Duration::from_millis(50);

/// How many results share a transaction. With a distant database each is a round trip under the
/// write lock, for which deliveries wait.
const RECORD_GROUP_MAX: usize = 16;

/// How long a dead server of the database holds a fetch. The next one tries again.
const RECORD_TRIES: u32 = 3;
const RECORD_PAUSE: Duration = Duration::from_millis(500);

/// What the worker writes.
#[derive(Clone, Debug)]
pub(super) enum Write {
    /// A file is stored: its digest and its size.
    Stored { job: FetchJob, content: (Digest, u64), now: Time },
    /// A file is given up.
    Unfit { job: FetchJob, state: FileState, problem: String },
    /// Links are refused.
    Refused { jobs: Vec<FileId>, problem: String },
    /// An attempt failed.
    Unfetched { job: FetchJob, attempt: Attempt },
    /// The jobs whose links are dead are given up.
    Expired { now: Time },
    /// The jobs are due that a clock which was ahead holds back.
    Revived { now: Time },
    /// All jobs that are due wait.
    Postponed { now: Time, until: Time, problem: &'static str },
}

/// How many rows a write changed.
type Changed = Result<u64, StoreError>;

/// Records results. The caller that finds no transaction running writes those that wait, in groups,
/// until its own is written.
pub(super) struct Recorder {
    store: Store,
    waiting: Mutex<Vec<(Write, oneshot::Sender<Changed>)>>,
    /// When the last transaction ended. The caller that holds it writes.
    written_at: AsyncMutex<Option<Instant>>,
}

impl Recorder {
    pub(super) fn new(store: Store) -> Self {
        Self { store, waiting: Mutex::default(), written_at: AsyncMutex::new(None) }
    }

    /// Records a result. Returns how many rows changed. A result is worth a download, so a busy
    /// database is asked again.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub(super) async fn record(&self, write: Write) -> Changed {
        let (reply, mut changed) = oneshot::channel();
        self.waiting().push((write, reply));
        let mut written_at = self.written_at.lock().await;
        loop {
            match changed.try_recv() {
                // This caller or one before it has written the result.
                Ok(changed) => return changed,
                Err(TryRecvError::Empty) => {}
                // The caller that took it has failed.
                Err(TryRecvError::Closed) => return Err(StoreError::timed_out()),
            }
            if let Some(written_at) = *written_at {
                tokio::time::sleep_until(written_at + RECORD_INTERVAL).await;
            }
            let (writes, replies) = self.take_group();
            let results = self.write_all(&writes).await;
            *written_at = Some(Instant::now());
            for (reply, result) in replies.into_iter().zip(results) {
                // Who asked may have ended.
                let _ = reply.send(result);
            }
        }
    }

    fn take_group(&self) -> (Vec<Write>, Vec<oneshot::Sender<Changed>>) {
        let mut waiting = self.waiting();
        let count = waiting.len().min(RECORD_GROUP_MAX);
        waiting.drain(..count).unzip()
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<(Write, oneshot::Sender<Changed>)>> {
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Writes all in one transaction. If that fails, it writes each alone, so that one does not
    /// fail the others. A database that does not answer, or whose lock is held, is not asked for
    /// each.
    async fn write_all(&self, writes: &[Write]) -> Vec<Changed> {
        if let [_, _, ..] = writes
            && let Ok(changed) = self.write_together(writes).await
        {
            return changed.into_iter().map(Ok).collect();
        }
        let mut results = Vec::with_capacity(writes.len());
        let mut is_available = true;
        for write in writes {
            let result = if is_available { self.write_alone(write).await } else { Err(StoreError::timed_out()) };
            if let Err(error) = &result {
                is_available &= !error.is_connection_lost() && !error.is_lock_timeout();
            }
            results.push(result);
        }
        results
    }

    async fn write_alone(&self, write: &Write) -> Changed {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.write_together(std::slice::from_ref(write)).await {
                Err(StoreError::Unavailable(_)) if tries < RECORD_TRIES => tokio::time::sleep(RECORD_PAUSE).await,
                changed => return changed.map(|changed| changed.iter().sum()),
            }
        }
    }

    async fn write_together(&self, writes: &[Write]) -> Result<Vec<u64>, StoreError> {
        let tx = self.store.begin().await?;
        let mut changed = Vec::with_capacity(writes.len());
        for write in writes {
            changed.push(write.run(&tx).await?);
        }
        self.store.commit(tx, None).await?;
        Ok(changed)
    }
}

impl Write {
    async fn run(&self, tx: &Transaction) -> Changed {
        Ok(match self {
            Self::Stored { job, content, now } => record_stored(tx, job, (&content.0, content.1), *now).await?.into(),
            Self::Unfit { job, state, problem } => record_unfit(tx, job, *state, problem).await?.into(),
            Self::Unfetched { job, attempt } => record_unfetched(tx, job, attempt).await?.into(),
            Self::Refused { jobs, problem } => record_refused(tx, jobs, problem).await?,
            Self::Expired { now } => expire(tx, *now).await?,
            Self::Revived { now } => revive(tx, *now).await?,
            Self::Postponed { now, until, problem } => postpone_all(tx, *now, *until, problem).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::future::join_all;

    use super::*;
    use crate::clock::Clock;

    fn expired() -> Write {
        Write::Expired { now: Clock::system().now() }
    }

    #[tokio::test]
    async fn more_results_than_a_transaction_takes_are_all_recorded() {
        let (_directory, store) = Store::for_test().await;
        let recorder = Recorder::new(store);
        // The first waits for the end of the pause, so that all the others wait with it.
        *recorder.written_at.lock().await = Some(Instant::now() + Duration::from_millis(500));
        let count = 2 * RECORD_GROUP_MAX + 1;
        let (results, groups) = tokio::join!(join_all((0..count).map(|_| recorder.record(expired()))), async {
            let mut waiting = vec![recorder.waiting().len()];
            while waiting.last() != Some(&0) {
                tokio::task::yield_now().await;
                let now = recorder.waiting().len();
                if waiting.last() != Some(&now) {
                    waiting.push(now);
                }
            }
            waiting
        });
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(groups, [count, RECORD_GROUP_MAX + 1, 1, 0]);
    }

    #[tokio::test]
    async fn result_that_a_failed_caller_took_is_an_error_and_the_next_is_recorded() {
        let (_directory, store) = Store::for_test().await;
        let recorder = Arc::new(Recorder::new(store.clone()));
        let lock = store.begin().await.unwrap();
        *recorder.written_at.lock().await = Some(Instant::now() + Duration::from_millis(500));
        let [first, second] = [(); 2].map(|()| {
            let recorder = Arc::clone(&recorder);
            tokio::spawn(async move { recorder.record(expired()).await })
        });
        // The first waits for the end of the pause, takes both, and then waits for the write lock.
        while recorder.waiting().len() < 2 {
            tokio::task::yield_now().await;
        }
        while !recorder.waiting().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        first.abort();
        assert!(matches!(second.await.unwrap(), Err(StoreError::Unavailable(_))));
        drop(lock);
        recorder.record(expired()).await.unwrap();
    }

    #[tokio::test]
    async fn write_that_fails_alone_does_not_fail_the_others() {
        let (_directory, store) = Store::for_test().await;
        store.execute("CREATE TRIGGER failing UPDATE OF attempts ON file BEGIN SELECT * FROM nowhere; END").await;
        let refused = Write::Refused { jobs: vec![FileId(1)], problem: String::new() };
        let results = Recorder::new(store).write_all(&[refused, expired()]).await;
        assert!(matches!(results[..], [Err(StoreError::Unavailable(_)), Ok(0)]), "{results:?}");
    }
}
