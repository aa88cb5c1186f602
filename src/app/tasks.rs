//! The tasks that run beside the server for as long as it does.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinHandle;

use crate::auth::Keys;
use crate::feed::Feed;
use crate::webhooks::Webhooks;

/// How often the samples of the histograms are folded. Without that they would grow until the next read of `/metrics`.
const METRICS_UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The running tasks.
pub(super) struct Tasks {
    pub(super) writer: JoinHandle<()>,
    pub(super) feed: JoinHandle<()>,
    pub(super) key_refresh: JoinHandle<()>,
    pub(super) metrics_upkeep: JoinHandle<()>,
    pub(super) webhook_recovery: JoinHandle<()>,
}

impl Tasks {
    /// Starts the tasks. The writer runs already.
    pub(super) fn start(
        writer: JoinHandle<()>,
        feed: Feed,
        keys: Keys,
        metrics: PrometheusHandle,
        webhooks: Webhooks,
    ) -> Self {
        Self {
            writer,
            feed: tokio::spawn(async move { feed.run().await }),
            key_refresh: tokio::spawn(async move { keys.run_refresh_loop().await }),
            metrics_upkeep: tokio::spawn(run_metrics_upkeep(metrics)),
            webhook_recovery: tokio::spawn(async move { webhooks.run_recovery_loop().await }),
        }
    }

    /// Waits until a task ends that must not, and names it. Without one of these the service would only seem to work.
    pub(super) async fn wait_for_exit(&mut self) -> &'static str {
        tokio::select! {
            _ = &mut self.writer => "the writer of deliveries",
            _ = &mut self.feed => "the reader of the log",
            _ = &mut self.key_refresh => "the watch over the keys",
        }
    }
}

async fn run_metrics_upkeep(metrics: PrometheusHandle) {
    let mut interval = tokio::time::interval(METRICS_UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        metrics.run_upkeep();
    }
}
