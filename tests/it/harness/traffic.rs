//! Deliveries without a pause, while services are killed and started again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use simulator::arcsite::Project;
use simulator::hook::{Hook, Vendor};
use simulator::sender::{RetryPolicy, Sender};
use simulator::tally::Tally;
use simulator::target::Target;
use tokio_util::task::TaskTracker;

use super::{ManualClock, Process, envelope, eventually};

/// How many deliveries to each service are in flight.
const WORKERS: usize = 16;

/// How long the services may take for any one step, on the slowest machine.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// Deliveries to one or more services until they are stopped, so that a fast machine never runs out
/// of them and a slow one need not finish a fixed number. Each is retried at once and forever.
pub(crate) struct Traffic {
    senders: Vec<Arc<Sender>>,
    tally: Arc<Tally>,
    next: AtomicU64,
    stopped: AtomicBool,
    tasks: TaskTracker,
}

impl Traffic {
    /// Starts deliveries to the services at these addresses. Every tenth body goes to two of them.
    pub(crate) fn start<'a>(bases: impl IntoIterator<Item = &'a str>) -> Arc<Self> {
        let tally = Arc::new(Tally::keeping_bodies());
        let sender = |base| Sender::new(Target::new(base).unwrap(), retry_forever(), Arc::clone(&tally)).unwrap();
        let senders = bases.into_iter().map(|base| Arc::new(sender(base))).collect();
        let (next, stopped, tasks) = (AtomicU64::new(0), AtomicBool::new(false), TaskTracker::new());
        let traffic = Arc::new(Self { senders, tally, next, stopped, tasks });
        for at in 0..traffic.senders.len() {
            for _ in 0..WORKERS {
                traffic.tasks.spawn(Arc::clone(&traffic).deliver_to(at));
            }
        }
        traffic
    }

    /// Delivers to one service until the traffic is stopped.
    async fn deliver_to(self: Arc<Self>, service: usize) {
        while !self.stopped.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let hook = hook(number);
            if number.is_multiple_of(10) && self.senders.len() > 1 {
                // Not awaited: if the other service is down, this one must still get deliveries.
                let (other, copy) = (Arc::clone(&self.senders[(service + 1) % self.senders.len()]), hook.clone());
                self.tasks.spawn(async move { other.deliver(&copy).await });
            }
            self.senders[service].deliver(&hook).await;
        }
    }

    /// Waits until this many further deliveries are acknowledged.
    pub(crate) async fn wait_for_acknowledged(&self, more: u64) {
        let before = self.tally.total().acknowledged;
        eventually("deliveries are acknowledged", STEP_TIMEOUT, async || {
            (self.tally.total().acknowledged >= before + more).then_some(())
        })
        .await;
    }

    /// Waits until deliveries fail and are retried, as they must after a service was killed.
    pub(crate) async fn wait_for_retries(&self) {
        let before = self.tally.total().retried;
        eventually("deliveries are retried", STEP_TIMEOUT, async || {
            (self.tally.total().retried > before).then_some(())
        })
        .await;
    }

    /// Stops the traffic, waits until every delivery is acknowledged, and asserts that each service
    /// has them all: each body is one event with all its acknowledged deliveries, and there is no
    /// other event.
    pub(crate) async fn finish(&self, services: &[&Process]) {
        self.stopped.store(true, Ordering::Relaxed);
        self.tasks.close();
        eventually("every delivery is acknowledged", STEP_TIMEOUT, async || self.tasks.is_empty().then_some(())).await;
        assert!(self.tally.all_acknowledged(), "{}", *self.tally);
        for service in services {
            assert_acknowledged_recorded(service, &self.tally).await;
        }
    }
}

/// A hook whose id no other hook has, so that it is its own event.
fn hook(at: u64) -> Hook {
    let id = 36_029_621_652_695_040 + at;
    match at % 3 {
        0 => Project::new(id, &format!("Roof {at}"), ManualClock::new().now()).created(),
        1 => Hook::new(Vendor::Bidsketch, "proposal_viewed", &serde_json::json!({ "id": id, "status": "Viewed" })),
        _ => Hook::new(
            Vendor::Arcsite,
            "proposal.status_changed",
            &serde_json::json!({ "proposal_id": id, "status": "PENDING" }),
        ),
    }
}

fn retry_forever() -> RetryPolicy {
    RetryPolicy {
        time_out: Duration::from_secs(5),
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(100),
        arcsite_attempts: u32::MAX,
        bidsketch_attempts: u32::MAX,
        resign: false,
        workers: 2 * WORKERS,
    }
}

async fn assert_acknowledged_recorded(service: &Process, tally: &Tally) {
    let log = delivery_counts_by_body(service).await;
    let acknowledged = tally.acknowledged();
    for body in &acknowledged {
        let delivery_counts = log
            .get(&body.hook.body)
            .unwrap_or_else(|| panic!("an acknowledged body is not in the log: {}", body.hook.body));
        assert_eq!(delivery_counts.len(), 1, "a repeated body must be one event: {}", body.hook.body);
        assert!(delivery_counts[0] >= body.times, "an acknowledged delivery is missing: {}", body.hook.body);
    }
    assert_eq!(log.len(), acknowledged.len(), "the log has other events");
}

/// The bodies of all events. Each has the number of deliveries of every event with this body.
async fn delivery_counts_by_body(service: &Process) -> HashMap<String, Vec<u64>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        vendor_types: Vec<String>,
        payload: Box<RawValue>,
        deliveries: Vec<serde_json::Value>,
    }
    let mut log: HashMap<String, Vec<u64>> = HashMap::new();
    for event in service.log_as::<Event>("vendorTypes payload deliveries { id }").await {
        let body = envelope(&event.vendor_types[0], event.payload.get());
        log.entry(body).or_default().push(event.deliveries.len() as u64);
    }
    log
}
