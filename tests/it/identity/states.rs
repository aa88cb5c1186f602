//! States that carry no time: an equal one is a redelivery for a day, unless another event of the
//! subject came in between.

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::{ManualClock, Service, Setup, envelope, fixture};

const SECRET: &str = "whsec_one";

fn status(word: &str) -> String {
    format!(r#"{{"proposal_id":7,"status":"{word}"}}"#)
}

async fn proposal_status(service: &Service) -> serde_json::Value {
    service.query(r#"{ proposal(provider: ARCSITE, vendorId: "7") { status } }"#).await["proposal"]["status"].take()
}

#[tokio::test]
async fn status_there_and_back_is_three_events_and_the_last_wins() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    for word in ["PENDING", "VOID", "PENDING"] {
        clock.advance(TimeDelta::seconds(1));
        service.arcsite("proposal.status_changed", &status(word)).await.accepted();
        assert_eq!(proposal_status(&service).await, word);
    }
    // It repeats the third event, not the first.
    service.arcsite("proposal.status_changed", &status("PENDING")).await.redelivery_of("event:3");
    assert_eq!(service.event_count().await, 3);
    service.stop().await;
}

#[tokio::test]
async fn status_there_and_back_is_ordered_by_signature_time() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    let start = clock.unix();
    for (second, word) in (1..).zip(["PENDING", "VOID", "PENDING"]) {
        // All are received at one moment: only the signatures' times give the order.
        let body = envelope("proposal.status_changed", &status(word));
        service.post_signed(SECRET, start + second, body).await.receipt().accepted();
    }
    assert_eq!(proposal_status(&service).await, "PENDING");
    // The first body is still the first event after 71 hours: its signature has the same second.
    clock.advance(TimeDelta::hours(71));
    let body = envelope("proposal.status_changed", &status("PENDING"));
    service.post_signed(SECRET, start + 1, body.as_str()).await.receipt().redelivery_of("event:1");
    service.post_signed(SECRET, start + 3, body.as_str()).await.receipt().redelivery_of("event:3");
    // A new signature after the window makes a new event.
    service.post_signed(SECRET, clock.unix(), body).await.receipt().accepted();
    service.stop().await;
}

/// The window ends a day after the first delivery, to the microsecond. Later deliveries do not
/// extend it.
#[tokio::test]
async fn state_repeated_within_a_day_is_a_redelivery() {
    for (kind, data) in [
        ("drawing.updated", r#"{"id":1,"project_id":2,"name":"North"}"#),
        ("proposal.status_changed", r#"{"proposal_id":7,"status":"PENDING"}"#),
        ("proposal.signed", r#"{"drawing_id":1,"project_id":2}"#),
        ("proposal.approved", r#"{"proposal_id":7}"#),
        ("moon.risen", r#"{"id":1}"#),
        // A fact, but without the time that would date it.
        ("project.updated", r#"{"id":1}"#),
    ] {
        let clock = ManualClock::new();
        let service = Setup::new().clock(&clock).start().await;
        let event = service.arcsite(kind, data).await.accepted();
        clock.advance(TimeDelta::hours(12));
        service.arcsite(kind, data).await.redelivery_of(&event);
        clock.advance(TimeDelta::hours(12));
        service.arcsite(kind, data).await.redelivery_of(&event);
        clock.advance(TimeDelta::microseconds(1));
        let second = service.arcsite(kind, data).await.accepted();
        assert_ne!(second, event, "{kind}");
        // The second event has another window.
        clock.advance(TimeDelta::hours(24));
        service.arcsite(kind, data).await.redelivery_of(&second);
        service.stop().await;
    }
}

#[tokio::test]
async fn state_window_follows_the_settings() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).with(|settings| settings.identity.state_window_hours = 1).start().await;
    let event = service.arcsite("proposal.status_changed", &status("LOST")).await.accepted();
    clock.advance(TimeDelta::hours(1));
    service.arcsite("proposal.status_changed", &status("LOST")).await.redelivery_of(&event);
    clock.advance(TimeDelta::microseconds(1));
    service.arcsite("proposal.status_changed", &status("LOST")).await.accepted();
    service.stop().await;
}

/// Events of other subjects do not end the window.
#[tokio::test]
async fn state_repeated_after_another_event_of_its_subject_is_a_new_event() {
    let service = Service::open().await;
    let event = service.arcsite("proposal.status_changed", &status("PENDING")).await.accepted();
    service.arcsite("proposal.status_changed", r#"{"proposal_id":8,"status":"VOID"}"#).await.accepted();
    service.bidsketch("proposal_viewed", r#"{"id":7}"#).await.accepted();
    service.arcsite("project.updated", r#"{"id":7}"#).await.accepted();
    service.arcsite("proposal.status_changed", &status("PENDING")).await.redelivery_of(&event);
    let payment = r#"{"proposal_id":7,"paid_amount":1,"pay_channel":"mark_as_paid","paid_date":"2026-01-05"}"#;
    service.arcsite("proposal.payment.received", payment).await.accepted();
    service.arcsite("proposal.status_changed", &status("PENDING")).await.accepted();
    service.stop().await;
}

/// An event of an unknown type is identified by its type and id, and replayed verbatim.
#[tokio::test]
async fn unrecognized_type_is_recorded_and_replayed() {
    let service = Service::open().await;
    let head = service.head().await;
    let body = r#"{"event":"invoice.paid","data":{"id":"a-1","amount":1e3}}"#;
    let event = service.post("/webhooks/arcsite", body).await.receipt().accepted();
    service.post("/webhooks/arcsite", body).await.receipt().redelivery_of(&event);
    service.arcsite("invoice.paid", r#"{"id":"a-2","amount":1e3}"#).await.accepted();
    // The event in between does not count: it has another subject.
    service.post("/webhooks/arcsite", body).await.receipt().redelivery_of(&event);

    let query = format!(
        "subscription {{ events(after: {head:?}, filter: {{ kind: [UNRECOGNIZED] }}) {{ __typename id kind provider \
         vendorTypes payload occurredAt deliveries {{ outcome body }} }} }}"
    );
    let mut replay = service.subscribe(&query).await;
    let expected = json!({
        "__typename": "UnrecognizedEvent", "id": event, "kind": "UNRECOGNIZED", "provider": "ARCSITE",
        "vendorTypes": ["invoice.paid"], "payload": { "id": "a-1", "amount": 1e3 }, "occurredAt": null,
        "deliveries": [
            { "outcome": "ACCEPTED", "body": body },
            { "outcome": "REDELIVERY", "body": body },
            { "outcome": "REDELIVERY", "body": body },
        ],
    });
    assert_eq!(replay.next().await["events"], expected);
    assert_eq!(replay.next().await["events"]["payload"]["id"], "a-2");
    replay.complete().await;
    service.stop().await;
}

#[tokio::test]
async fn state_with_links_signed_again_is_a_redelivery() {
    let service = Service::open().await;
    let updated = |body: String| body.replace("drawing.created", "drawing.updated");
    let first = updated(fixture("arcsite/drawing_created.json"));
    let again = first.replace("Signature=first__", "Signature=second_");
    let event = service.post("/webhooks/arcsite", first).await.receipt().accepted();
    service.post("/webhooks/arcsite", again).await.receipt().redelivery_of(&event);
    service.stop().await;
}
