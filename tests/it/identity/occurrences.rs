//! Occurrences, which happen again and again: sent, viewed, paid by hand. Equal ones are one event
//! while they come close to each other.

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::{ManualClock, Setup, envelope, fixture};

const SECRET: &str = "whsec_one";
const WINDOW: TimeDelta = TimeDelta::minutes(2);
const MICROSECOND: TimeDelta = TimeDelta::microseconds(1);

#[tokio::test]
async fn occurrence_within_two_minutes_of_the_last_delivery_is_a_redelivery() {
    for (vendor, event, data) in [
        ("bidsketch", "proposal_sent", r#"{"id":1,"updated_at":"2026-01-05T10:00:00-05:00"}"#),
        ("bidsketch", "proposal_viewed", r#"{"id":1,"updated_at":"2026-01-05T10:00:00-05:00"}"#),
        ("arcsite", "proposal.sent", r#"{"proposal_id":1}"#),
        (
            "arcsite",
            "proposal.payment.received",
            r#"{"proposal_id":1,"paid_amount":10.00,"pay_channel":"mark_as_paid","paid_date":"2026-01-05"}"#,
        ),
    ] {
        let clock = ManualClock::new();
        let service = Setup::new().clock(&clock).start().await;
        let post = async || service.post(&format!("/webhooks/{vendor}"), envelope(event, data)).await.receipt();
        let first = post().await.accepted();
        clock.advance(WINDOW);
        post().await.redelivery_of(&first);
        clock.advance(WINDOW + MICROSECOND);
        let second = post().await.accepted();
        assert_ne!(first, second, "{event}");
        service.stop().await;
    }
}

/// Retries every 100 s continue for longer than the window.
#[tokio::test]
async fn redeliveries_in_a_chain_stay_one_event() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    let first = service.bidsketch("proposal_viewed", r#"{"id":1}"#).await.accepted();
    for _ in 0..20 {
        clock.advance(TimeDelta::seconds(100));
        // Other events of the proposal do not end the window.
        service.bidsketch("proposal_created", r#"{"id":1}"#).await;
        service.bidsketch("proposal_viewed", r#"{"id":1}"#).await.redelivery_of(&first);
    }
    let log = service.log("id deliveries { id }").await;
    assert_eq!(log[0]["deliveries"].as_array().unwrap().len(), 21);
    service.stop().await;
}

#[tokio::test]
async fn occurrence_window_follows_the_settings() {
    let clock = ManualClock::new();
    let change = |settings: &mut bidarc::config::Settings| settings.identity.occurrence_window_seconds = 5;
    let service = Setup::new().clock(&clock).with(change).start().await;
    let first = service.bidsketch("proposal_viewed", r#"{"id":1}"#).await.accepted();
    clock.advance(TimeDelta::seconds(5));
    service.bidsketch("proposal_viewed", r#"{"id":1}"#).await.redelivery_of(&first);
    clock.advance(TimeDelta::seconds(6));
    service.bidsketch("proposal_viewed", r#"{"id":1}"#).await.accepted();
    service.stop().await;
}

/// Two equal payments that are marked on one day have identical bodies.
#[tokio::test]
async fn payments_equal_but_three_minutes_apart_are_two_payments() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    service.post("/webhooks/arcsite", fixture("arcsite/proposal_approved.json")).await.receipt().accepted();
    let body = fixture("arcsite/payment_marked.json");
    let first = service.post("/webhooks/arcsite", body.as_str()).await.receipt().accepted();
    clock.advance(TimeDelta::minutes(1));
    service.post("/webhooks/arcsite", body.as_str()).await.receipt().redelivery_of(&first);
    clock.advance(TimeDelta::minutes(3));
    service.post("/webhooks/arcsite", body).await.receipt().accepted();
    let query = r#"{ proposal(provider: ARCSITE, vendorId: "36029621652695042") {
        paidTotal payments { amount paidOn paidAt channel method }
    } }"#;
    let payment = json!({
        "amount": "1250.50", "paidOn": "2026-01-05", "paidAt": null, "channel": "mark_as_paid", "method": "Check",
    });
    let expected = json!({ "paidTotal": "2501.00", "payments": [payment, payment] });
    assert_eq!(service.query(query).await["proposal"], expected);
    service.stop().await;
}

/// Equal bytes, signed at the same second, are a retry, whatever came in between.
#[tokio::test]
async fn signature_seen_before_is_the_same_event_at_any_age() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    let t = clock.unix();
    let body = fixture("arcsite/payment_marked.json");
    let first = service.post_signed(SECRET, t, body.as_str()).await.receipt().accepted();
    clock.advance(TimeDelta::minutes(10));
    let second = service.post_signed(SECRET, t + 600, body.as_str()).await.receipt().accepted();
    clock.advance(TimeDelta::hours(70));
    service.post_signed(SECRET, t, body.as_str()).await.receipt().redelivery_of(&first);
    service.post_signed(SECRET, t + 600, body.as_str()).await.receipt().redelivery_of(&second);
    // With a new signature, but close to the last delivery, it is that event.
    service.post_signed(SECRET, clock.unix(), body.as_str()).await.receipt().redelivery_of(&second);
    service.stop().await;
}
