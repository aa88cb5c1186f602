//! The background tasks that run as long as the server.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::auth::Keys;
use crate::feed::Feed;
use crate::files::worker::Worker;
use crate::ingest::recount::run_counting_loop;
use crate::ingest::refusals::Refusals;
use crate::store::Store;
use crate::webhooks::Webhooks;

/// How often the histograms' samples are aggregated. Without it they would grow until the next
/// request for `/metrics`.
const METRICS_UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The running tasks.
pub(super) struct Tasks {
    pub(super) writer: JoinHandle<()>,
    pub(super) commit_exchange: JoinHandle<()>,
    pub(super) feed: JoinHandle<()>,
    pub(super) key_refresh: JoinHandle<()>,
    pub(super) key_upkeep: JoinHandle<()>,
    pub(super) metrics_upkeep: JoinHandle<()>,
    pub(super) webhook_recovery: JoinHandle<()>,
    pub(super) folding: JoinHandle<()>,
    pub(super) counting: JoinHandle<()>,
    pub(super) refusals: JoinHandle<()>,
    /// Fetches files, if they are kept.
    pub(super) files: Option<JoinHandle<()>>,
}

impl Tasks {
    /// Starts the tasks. The writer runs already.
    #[expect(clippy::too_many_arguments, reason = "one for each part that has a task")]
    pub(super) fn start(
        writer: JoinHandle<()>,
        store: Store,
        feed: Feed,
        keys: Keys,
        metrics: PrometheusHandle,
        webhooks: Webhooks,
        refusals: Refusals,
        files: Option<Worker>,
    ) -> Self {
        let (folding_store, counting_store, refusals_store) = (store.clone(), store.clone(), store.clone());
        let upkeep_keys = keys.clone();
        Self {
            writer,
            commit_exchange: tokio::spawn(async move { store.exchange_commits().await }),
            feed: tokio::spawn(async move { feed.run().await }),
            key_refresh: tokio::spawn(async move { keys.run_refresh_loop().await }),
            key_upkeep: tokio::spawn(async move { upkeep_keys.run_upkeep_loop().await }),
            metrics_upkeep: tokio::spawn(run_metrics_upkeep(metrics)),
            webhook_recovery: tokio::spawn(async move { webhooks.run_recovery_loop().await }),
            folding: tokio::spawn(async move { folding_store.run_folding_loop().await }),
            counting: tokio::spawn(run_counting_loop(counting_store)),
            refusals: tokio::spawn(async move { refusals.run_write_loop(&refusals_store).await }),
            files: files.map(|worker| tokio::spawn(worker.run())),
        }
    }

    /// Waits until one of the essential tasks ends, and returns its name. Without any of them the
    /// service would only seem to work. The worker of files ends by itself when the service stops.
    pub(super) async fn wait_for_exit(&mut self, stopping: &CancellationToken) -> &'static str {
        tokio::select! {
            _ = &mut self.writer => "the writer",
            // To an operator, hearing of other nodes' commits is a part of the feed.
            _ = &mut self.commit_exchange => "the feed",
            _ = &mut self.feed => "the feed",
            _ = &mut self.key_refresh => "the key refresh",
            () = unexpected_end(&mut self.files, stopping) => "the worker of files",
        }
    }
}

/// Waits until a task that runs ends before the service stops.
async fn unexpected_end(task: &mut Option<JoinHandle<()>>, stopping: &CancellationToken) {
    if let Some(running) = task {
        let _ = running.await;
        *task = None;
        if !stopping.is_cancelled() {
            return;
        }
    }
    std::future::pending().await
}

async fn run_metrics_upkeep(metrics: PrometheusHandle) {
    let mut interval = tokio::time::interval(METRICS_UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        metrics.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn end_of_a_task_is_unexpected_until_the_service_stops() {
        for is_stopping in [false, true] {
            let stopping = CancellationToken::new();
            if is_stopping {
                stopping.cancel();
            }
            let mut task = Some(tokio::spawn(async {}));
            while task.as_ref().is_some_and(|task| !task.is_finished()) {
                tokio::task::yield_now().await;
            }
            assert_eq!(unexpected_end(&mut task, &stopping).now_or_never().is_some(), !is_stopping);
            assert!(task.is_none(), "it is not awaited twice");
        }
        let mut task = Some(tokio::spawn(async { panic!("a defect") }));
        unexpected_end(&mut task, &CancellationToken::new()).await;
    }
}
