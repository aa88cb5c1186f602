//! Power cuts in the middle of the traffic: what was acknowledged is in the log, once, whatever happened around it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use simulator::arcsite::Project;
use simulator::hook::{Hook, Vendor};
use simulator::sender::{Patience, Sender};
use simulator::tally::Tally;
use simulator::target::Target;
use tokio::task::JoinSet;

use crate::harness::{Database, ManualClock, Process, eventually, lasting_port};

const DELIVERIES: u64 = 3_000;
const KILLS: u64 = 4;
/// How long the whole may take.
const AT_MOST: Duration = Duration::from_secs(40);

/// A body that is its own event: nothing else has its id.
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

/// Tries again at once and for as long as it takes.
pub(crate) fn stubborn() -> Patience {
    Patience {
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
async fn what_was_acknowledged_survives_every_kill_exactly_once() {
    let database = Database::fresh();
    let port = lasting_port().await;
    let mut service = Process::start(port, &database).await;
    let tally = Arc::new(Tally::keeping_bodies());
    let sender = Arc::new(Sender::new(Target::new(service.base()).unwrap(), stubborn(), Arc::clone(&tally)).unwrap());
    let mut deliveries = JoinSet::new();
    for at in 0..DELIVERIES {
        let sender = Arc::clone(&sender);
        deliveries.spawn(async move { sender.deliver(&hook(at)).await });
    }
    for kill in 1..=KILLS {
        let enough = DELIVERIES * kill / (KILLS + 1);
        eventually("deliveries are acknowledged", AT_MOST, async || {
            (tally.total().acknowledged >= enough).then_some(())
        })
        .await;
        service.kill().await;
        assert!(tally.total().acknowledged < DELIVERIES, "the kill came in the middle");
        service = Process::start(port, &database).await;
    }
    eventually("every delivery is acknowledged", AT_MOST, async || tally.all_acknowledged().then_some(())).await;
    assert_eq!(deliveries.join_all().await.len() as u64, DELIVERIES);
    assert!(tally.total().retried > 0, "some had to be sent again: {}", *tally);

    assert_eq!(tally.acknowledged().len() as u64, DELIVERIES);
    assert_all_there(&service, &tally).await;
    service.stop(&database).await;
}

/// Whatever was acknowledged is one event, with every delivery of it that was.
pub(crate) async fn assert_all_there(service: &Process, tally: &Tally) {
    let log = bodies(service).await;
    let acknowledged = tally.acknowledged();
    for body in &acknowledged {
        let found =
            log.get(&body.hook.body).unwrap_or_else(|| panic!("acknowledged and not there: {}", body.hook.body));
        assert_eq!(found.len(), 1, "one event, however often it came: {}", body.hook.body);
        assert!(found[0] >= body.times, "every acknowledged delivery is there: {}", body.hook.body);
    }
    assert_eq!(log.len(), acknowledged.len(), "and nothing else is");
}

/// The events' bodies, each with how many deliveries its events have.
async fn bodies(service: &Process) -> HashMap<String, Vec<u64>> {
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
