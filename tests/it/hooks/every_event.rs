//! Each event type of both vendors, as the simulator writes it, becomes an event.

use serde_json::json;
use simulator::office::every_event;
use simulator::{arcsite, bidsketch};

use crate::harness::Service;

#[tokio::test]
async fn vendor_type_of_either_vendor_becomes_an_event() {
    let service = Service::open().await;
    let mut types = Vec::new();
    for hook in every_event(7) {
        let receipt = service.deliver(&hook).await;
        assert_ne!(receipt.outcome, "QUARANTINED", "{}", hook.body);
        types.push(hook.event);
    }
    for expected in arcsite::EVENTS.iter().chain(bidsketch::EVENTS) {
        assert!(types.iter().any(|sent| sent == expected), "the simulator sent no {expected}");
    }
    let log = service.log("kind vendorTypes").await;
    for kind in [
        "PROJECT_CREATED",
        "PROJECT_UPDATED",
        "DRAWING_CREATED",
        "DRAWING_UPDATED",
        "CLIENT_CREATED",
        "PROPOSAL_CREATED",
        "PROPOSAL_SENT",
        "PROPOSAL_VIEWED",
        "PROPOSAL_ACCEPTED",
        "PROPOSAL_DECLINED",
        "PROPOSAL_STATUS_CHANGED",
        "PROPOSAL_SIGNED",
        "PROPOSAL_APPROVED",
        "PROPOSAL_PAYMENT_RECEIVED",
    ] {
        assert!(log.iter().any(|event| event["kind"] == kind), "no {kind}");
    }
    assert!(log.iter().all(|event| event["kind"] != "UNRECOGNIZED"));
    // One decision that came under both of its names.
    assert!(
        log.iter().any(|event| event["vendorTypes"] == json!(["proposal_declined", "proposal_accepted_or_declined"]))
    );
    assert!(service.metric("bidarc_log_head").await > 0.0);
    let error = service.query_error("{ nothing }").await;
    assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT");
    service.stop().await;
}
