//! The service is killed under load. Every acknowledged delivery is in the log once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use simulator::arcsite::Project;
use simulator::hook::{Hook, Vendor};
use simulator::sender::{RetryPolicy, Sender};
use simulator::tally::Tally;
use simulator::target::Target;
use tokio::task::JoinSet;

use crate::harness::{Database, ManualClock, Process, eventually, reserved_port};

const DELIVERIES: u64 = 3_000;
const KILLS: u64 = 4;
/// The time-out of the whole test.
const TEST_TIMEOUT: Duration = Duration::from_secs(40);

/// A hook whose id no other hook has, so that it is its own event.
pub(crate) fn hook(at: u64) -> Hook {
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

/// Retries at once and forever.
pub(crate) fn retry_forever() -> RetryPolicy {
    RetryPolicy {
        time_out: Duration::from_secs(5),
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(100),
        arcsite_attempts: u32::MAX,
        bidsketch_attempts: u32::MAX,
        resign: false,
        workers: 32,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_delivery_survives_every_kill_exactly_once() {
    let database = Database::fresh();
    let port = reserved_port().await;
    let mut service = Process::start(port, &database).await;
    let tally = Arc::new(Tally::keeping_bodies());
    let sender =
        Arc::new(Sender::new(Target::new(service.base()).unwrap(), retry_forever(), Arc::clone(&tally)).unwrap());
    let mut deliveries = JoinSet::new();
    for at in 0..DELIVERIES {
        let sender = Arc::clone(&sender);
        deliveries.spawn(async move { sender.deliver(&hook(at)).await });
    }
    for kill in 1..=KILLS {
        let threshold = DELIVERIES * kill / (KILLS + 1);
        eventually("deliveries are acknowledged", TEST_TIMEOUT, async || {
            (tally.total().acknowledged >= threshold).then_some(())
        })
        .await;
        service.kill().await;
        assert!(tally.total().acknowledged < DELIVERIES, "all deliveries were acknowledged before the kill");
        service = Process::start(port, &database).await;
    }
    eventually("every delivery is acknowledged", TEST_TIMEOUT, async || tally.all_acknowledged().then_some(())).await;
    assert_eq!(deliveries.join_all().await.len() as u64, DELIVERIES);
    assert!(tally.total().retried > 0, "no delivery was retried: {}", *tally);

    assert_eq!(tally.acknowledged().len() as u64, DELIVERIES);
    assert_acknowledged_recorded(&service, &tally).await;
    service.stop(&database).await;
}

/// Asserts that each acknowledged body is one event with all its acknowledged deliveries, and that
/// the log has no other event.
pub(crate) async fn assert_acknowledged_recorded(service: &Process, tally: &Tally) {
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
        let body = crate::harness::envelope(&event.vendor_types[0], event.payload.get());
        log.entry(body).or_default().push(event.deliveries.len() as u64);
    }
    log
}
