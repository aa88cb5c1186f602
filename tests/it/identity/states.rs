//! States without a time of their own: the same again is a redelivery for a day, as long as nothing came in between.

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
async fn there_and_back_is_three_events_and_the_last_one_stands() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    for word in ["PENDING", "VOID", "PENDING"] {
        clock.advance(TimeDelta::seconds(1));
        service.arcsite("proposal.status_changed", &status(word)).await.accepted();
        assert_eq!(proposal_status(&service).await, word);
    }
    // The third is the one that is repeated now.
    service.arcsite("proposal.status_changed", &status("PENDING")).await.repeats("event:3");
    assert_eq!(service.total().await, 3);
    service.stop().await;
}

#[tokio::test]
async fn there_and_back_signed() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    let start = clock.unix();
    for (second, word) in (1..).zip(["PENDING", "VOID", "PENDING"]) {
        // All received in one moment: the signatures' times alone give the order.
        let body = envelope("proposal.status_changed", &status(word));
        service.post_signed(SECRET, start + second, body).await.receipt().accepted();
    }
    assert_eq!(proposal_status(&service).await, "PENDING");
    // The first, however late, is still the first: it was signed at its second.
    clock.advance(TimeDelta::hours(71));
    let body = envelope("proposal.status_changed", &status("PENDING"));
    service.post_signed(SECRET, start + 1, body.as_str()).await.receipt().repeats("event:1");
    service.post_signed(SECRET, start + 3, body.as_str()).await.receipt().repeats("event:3");
    // And what is signed anew after the window is news.
    service.post_signed(SECRET, clock.unix(), body).await.receipt().accepted();
    service.stop().await;
}

/// A day after its first delivery, to the microsecond; later deliveries of it do not prolong it.
#[tokio::test]
async fn the_window_of_a_state_is_a_day() {
    for (kind, data) in [
        ("drawing.updated", r#"{"id":1,"project_id":2,"name":"North"}"#),
        ("proposal.status_changed", r#"{"proposal_id":7,"status":"PENDING"}"#),
        ("proposal.signed", r#"{"drawing_id":1,"project_id":2}"#),
        ("proposal.approved", r#"{"proposal_id":7}"#),
        ("moon.risen", r#"{"id":1}"#),
        // Facts, but without the time that would make them so.
        ("project.updated", r#"{"id":1}"#),
    ] {
        let clock = ManualClock::new();
        let service = Setup::new().clock(&clock).start().await;
        let event = service.arcsite(kind, data).await.accepted();
        clock.advance(TimeDelta::hours(12));
        service.arcsite(kind, data).await.repeats(&event);
        clock.advance(TimeDelta::hours(12));
        service.arcsite(kind, data).await.repeats(&event);
        clock.advance(TimeDelta::microseconds(1));
        let second = service.arcsite(kind, data).await.accepted();
        assert_ne!(second, event, "{kind}");
        // Its own window begins now.
        clock.advance(TimeDelta::hours(24));
        service.arcsite(kind, data).await.repeats(&second);
        service.stop().await;
    }
}

#[tokio::test]
async fn the_window_is_a_setting() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).with(|settings| settings.identity.state_window_hours = 1).start().await;
    let event = service.arcsite("proposal.status_changed", &status("LOST")).await.accepted();
    clock.advance(TimeDelta::hours(1));
    service.arcsite("proposal.status_changed", &status("LOST")).await.repeats(&event);
    clock.advance(TimeDelta::microseconds(1));
    service.arcsite("proposal.status_changed", &status("LOST")).await.accepted();
    service.stop().await;
}

/// Whatever else happens to the subject ends the window; what happens to others does not.
#[tokio::test]
async fn another_event_of_the_subject_ends_the_window() {
    let service = Service::open().await;
    let event = service.arcsite("proposal.status_changed", &status("PENDING")).await.accepted();
    service.arcsite("proposal.status_changed", r#"{"proposal_id":8,"status":"VOID"}"#).await.accepted();
    service.bidsketch("proposal_viewed", r#"{"id":7}"#).await.accepted();
    service.arcsite("project.updated", r#"{"id":7}"#).await.accepted();
    service.arcsite("proposal.status_changed", &status("PENDING")).await.repeats(&event);
    let payment = r#"{"proposal_id":7,"paid_amount":1,"pay_channel":"mark_as_paid","paid_date":"2026-01-05"}"#;
    service.arcsite("proposal.payment.received", payment).await.accepted();
    service.arcsite("proposal.status_changed", &status("PENDING")).await.accepted();
    service.stop().await;
}

/// A type that nobody knows is kept, told apart by its type and id, and replayed as it came.
#[tokio::test]
async fn an_unrecognized_type_is_kept_and_replayed() {
    let service = Service::open().await;
    let head = service.head().await;
    let body = r#"{"event":"invoice.paid","data":{"id":"a-1","amount":1e3}}"#;
    let event = service.post("/webhooks/arcsite", body).await.receipt().accepted();
    service.post("/webhooks/arcsite", body).await.receipt().repeats(&event);
    service.arcsite("invoice.paid", r#"{"id":"a-2","amount":1e3}"#).await.accepted();
    // The other did not come in between: it is another subject.
    service.post("/webhooks/arcsite", body).await.receipt().repeats(&event);

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

/// The same state of a drawing whose links alone were signed anew.
#[tokio::test]
async fn a_state_with_links_signed_anew_is_the_same_state() {
    let service = Service::open().await;
    let updated = |body: String| body.replace("drawing.created", "drawing.updated");
    let first = updated(fixture("arcsite/drawing_created.json"));
    let again = first.replace("Signature=first__", "Signature=second_");
    let event = service.post("/webhooks/arcsite", first).await.receipt().accepted();
    service.post("/webhooks/arcsite", again).await.receipt().repeats(&event);
    service.stop().await;
}
