//! Shutdown in order. It finishes the accepted work, and each step has a time-out, so that a
//! process manager never has to kill the process.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::tasks::Tasks;
use crate::auth::Keys;
use crate::store::Store;
use crate::webhooks::Webhooks;

/// How long each step of the shutdown may take after the last request has ended.
const SHUTDOWN_STEP_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the database may take to close. SQLite moves the rest of the `-wal` into the main file.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(4);

/// The parts that are still running when the server has stopped listening.
pub(super) struct Shutdown {
    pub(super) tasks: Tasks,
    /// The sockets and event streams.
    pub(super) connections: TaskTracker,
    pub(super) webhooks: Webhooks,
    pub(super) keys: Keys,
    /// Ends the writer once its queue is empty.
    pub(super) writer_shutdown: CancellationToken,
    pub(super) store: Store,
}

impl Shutdown {
    /// Ends the parts in this order, because open streams need the key refresh, and webhooks need
    /// the database.
    pub(super) async fn run(self) {
        let Self { mut tasks, connections, webhooks, keys, writer_shutdown, store } = self;
        tasks.commit_exchange.abort();
        tasks.feed.abort();
        tasks.metrics_upkeep.abort();
        tasks.webhook_recovery.abort();
        tasks.folding.abort();
        tasks.key_upkeep.abort();
        tasks.counting.abort();
        tasks.refusals.abort();
        connections.close();
        if tokio::time::timeout(SHUTDOWN_STEP_TIMEOUT, connections.wait()).await.is_err() {
            tracing::warn!(connections = connections.len(), "some sockets and event streams did not close in time");
        }
        tasks.key_refresh.abort();
        if tokio::time::timeout(SHUTDOWN_STEP_TIMEOUT, webhooks.drain()).await.is_err() {
            tracing::warn!(
                "Bidsketch has not answered yet; another node resumes the unfinished webhooks, or this one at its next start"
            );
        }
        // A file that is stored at this moment is recorded. The next start fetches it again
        // otherwise.
        if let Some(files) = tasks.files.take()
            && tokio::time::timeout(SHUTDOWN_STEP_TIMEOUT, files).await.is_err()
        {
            tracing::warn!("a file was being stored and will be fetched again");
        }
        // The writer still commits its queue. Later deliveries get 503.
        writer_shutdown.cancel();
        if !tasks.writer.is_finished() && tokio::time::timeout(SHUTDOWN_STEP_TIMEOUT, &mut tasks.writer).await.is_err()
        {
            tracing::error!(
                "the writer did not end in time; deliveries that it had not committed were not acknowledged"
            );
        }
        if tokio::time::timeout(SHUTDOWN_STEP_TIMEOUT, keys.finish_upkeep()).await.is_err() {
            tracing::warn!("the last entries of the audit could not be written in time");
        }
        if tokio::time::timeout(CLOSE_TIMEOUT, store.close()).await.is_err() {
            tracing::warn!("the database does not answer; its connections were left open");
        }
        tracing::info!("stopped");
    }
}
