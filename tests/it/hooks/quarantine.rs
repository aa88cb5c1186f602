//! A delivery that cannot become an event is answered 200 and quarantined: byte for byte, with the
//! reason.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{ManualClock, Service, Setup, fixture};

const SECRET: &str = "whsec_one";

async fn quarantined(service: &Service) -> Vec<Value> {
    let query = "{ quarantinedDeliveries(first: 100) { totalCount nodes {
        id provider vendorType outcome quarantineReason detail body bodyBase64 receivedAt event { id }
    } } }";
    let mut list = service.query(query).await["quarantinedDeliveries"].take();
    let nodes: Vec<Value> = list["nodes"].as_array_mut().unwrap().drain(..).rev().collect();
    assert_eq!(list["totalCount"], nodes.len());
    nodes
}

#[tokio::test]
async fn body_that_is_no_event_is_quarantined_with_its_reason() {
    let service = Service::open().await;
    let bodies: [(&[u8], &str, Value); 7] = [
        (b"not json", "NOT_JSON", json!(null)),
        (b"[1,2]", "NOT_AN_ENVELOPE", json!(null)),
        (br#"{"data":{"id":1}}"#, "NOT_AN_ENVELOPE", json!(null)),
        (br#"{"event":"project.created"}"#, "NOT_AN_ENVELOPE", json!(null)),
        (br#"{"event":"project.created","data":{"name":"Eaves"}}"#, "INVALID_PAYLOAD", json!("project.created")),
        (b"{\"event\":\"project.created\",\"data\":{\"name\":\"\xff\xfe\"}}", "NOT_JSON", json!(null)),
        (b"", "NOT_JSON", json!(null)),
    ];
    for (body, _, _) in &bodies {
        service.post("/webhooks/arcsite", *body).await.receipt().quarantined();
    }
    let deliveries = quarantined(&service).await;
    assert_eq!(deliveries.len(), 7);
    for ((body, reason, vendor_type), delivery) in bodies.iter().zip(&deliveries) {
        assert_eq!(delivery["quarantineReason"], *reason, "{delivery}");
        assert_eq!(STANDARD.decode(delivery["bodyBase64"].as_str().unwrap()).unwrap(), *body, "{delivery}");
        assert_eq!(delivery["body"], String::from_utf8_lossy(body).into_owned());
        assert_eq!(delivery["vendorType"], *vendor_type);
        assert_eq!((&delivery["outcome"], &delivery["event"]), (&json!("QUARANTINED"), &json!(null)));
        assert!(!delivery["detail"].as_str().unwrap().is_empty(), "{delivery}");
    }
    assert!(deliveries[4]["detail"].as_str().unwrap().contains("id"), "it names the missing field: {}", deliveries[4]);
    assert_eq!(service.event_count().await, 0);
    service.stop().await;
}

/// Nothing shows that the second is a redelivery of the first.
#[tokio::test]
async fn body_wrong_and_sent_twice_is_quarantined_twice() {
    let service = Service::open().await;
    for _ in 0..2 {
        service.post("/webhooks/bidsketch", "half a bo").await.receipt().quarantined();
    }
    let deliveries = quarantined(&service).await;
    assert_eq!(deliveries.len(), 2);
    assert!(deliveries.iter().all(|delivery| delivery["provider"] == "BIDSKETCH"));
    service.stop().await;
}

#[tokio::test]
async fn payload_with_a_wrong_required_field_is_quarantined_and_names_the_field() {
    let service = Service::open().await;
    for (vendor, event, data, field) in [
        ("arcsite", "project.created", r#"{"id":null}"#, "id"),
        ("arcsite", "project.created", r#"{"id":1.5}"#, "id"),
        ("arcsite", "drawing.created", r#"{"id":1}"#, "project_id"),
        ("arcsite", "proposal.status_changed", r#"{"proposal_id":1}"#, "status"),
        ("arcsite", "proposal.payment.received", r#"{"proposal_id":1}"#, "paid_amount"),
        ("arcsite", "proposal.payment.received", r#"{"proposal_id":1,"paid_amount":1e15}"#, "paid_amount"),
        ("arcsite", "proposal.signed", r#"{"name":"x"}"#, "drawing_id"),
        ("bidsketch", "client_created", r#"{"name":"x"}"#, "id"),
        ("bidsketch", "proposal_accepted_or_declined", r#"{"id":1}"#, "status"),
    ] {
        let body = crate::harness::envelope(event, data);
        service.post(&format!("/webhooks/{vendor}"), body).await.receipt().quarantined();
        let deliveries = quarantined(&service).await;
        let delivery = deliveries.last().unwrap();
        assert_eq!(
            (&delivery["quarantineReason"], &delivery["vendorType"]),
            (&json!("INVALID_PAYLOAD"), &json!(event))
        );
        assert!(delivery["detail"].as_str().unwrap().contains(field), "{data}: {delivery}");
    }
    service.stop().await;
}

#[tokio::test]
async fn signature_valid_but_too_old_or_too_far_ahead_is_quarantined() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    let now = clock.unix();
    let (max_age, max_ahead) = (TimeDelta::hours(72).num_seconds(), TimeDelta::minutes(5).num_seconds());
    for (t, in_tolerance) in [
        (now - max_age, true),
        (now - max_age - 1, false),
        (now + max_ahead, true),
        (now + max_ahead + 1, false),
        (0, false),
        (i64::MAX, false),
    ] {
        let body = format!(r#"{{"event":"project.created","data":{{"id":{t}}}}}"#);
        let receipt = service.post_signed(SECRET, t, body).await.receipt();
        if in_tolerance { drop(receipt.accepted()) } else { receipt.quarantined() }
    }
    let deliveries = quarantined(&service).await;
    assert_eq!(deliveries.len(), 4);
    for delivery in &deliveries {
        assert_eq!(
            (&delivery["quarantineReason"], &delivery["vendorType"]),
            (&json!("STALE_SIGNATURE"), &json!("project.created"))
        );
        assert!(delivery["body"].as_str().unwrap().contains("project.created"));
    }
    assert_eq!(service.event_count().await, 2);
    service.stop().await;
}

/// A fraction of a second counts.
#[tokio::test]
async fn signature_tolerance_follows_the_settings() {
    let clock = ManualClock::new();
    let setup = Setup::new().signing_secrets(&[SECRET]).clock(&clock).with(|settings| {
        settings.arcsite.signature_max_age_hours = 1;
        settings.arcsite.signature_max_ahead_minutes = 0;
    });
    let service = setup.start().await;
    let signed = clock.unix();
    clock.advance(TimeDelta::hours(1));
    service.post_signed(SECRET, signed, fixture("arcsite/project_created.json")).await.receipt().accepted();
    clock.advance(TimeDelta::microseconds(1));
    service.post_signed(SECRET, signed, fixture("arcsite/drawing_created.json")).await.receipt().quarantined();
    service
        .post_signed(SECRET, clock.unix() + 1, fixture("arcsite/drawing_created.json"))
        .await
        .receipt()
        .quarantined();
    service.stop().await;
}

#[tokio::test]
async fn quarantine_pages_stay_in_place_while_deliveries_come() {
    let service = Service::open().await;
    for number in 0..5 {
        service.post("/webhooks/arcsite", format!("wrong {number}")).await.receipt().quarantined();
    }
    let page = async |arguments: &str| {
        let fields = "nodes { body } pageInfo { startCursor endCursor hasNextPage hasPreviousPage }";
        let query = format!("{{ quarantinedDeliveries({arguments}) {{ {fields} }} }}");
        service.query(&query).await["quarantinedDeliveries"].take()
    };
    let bodies = |page: &Value| {
        let nodes = page["nodes"].as_array().unwrap().iter();
        nodes.map(|node| node["body"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = page("first: 2").await;
    assert_eq!(bodies(&first), ["wrong 4", "wrong 3"]);
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    // A delivery that comes meanwhile does not shift the pages.
    service.post("/webhooks/arcsite", "wrong 5").await.receipt().quarantined();
    let next = page(&format!("first: 3, after: {}", first["pageInfo"]["endCursor"])).await;
    assert_eq!(bodies(&next), ["wrong 2", "wrong 1", "wrong 0"]);
    assert_eq!(next["pageInfo"]["hasNextPage"], false);
    let back = page(&format!("last: 1, before: {}", next["pageInfo"]["startCursor"])).await;
    assert_eq!(bodies(&back), ["wrong 3"]);
    service.stop().await;
}
