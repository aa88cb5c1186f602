//! What happens again and again: sent, viewed, paid by hand. Equal ones are one while they come close to each other.

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::{ManualClock, Setup, envelope, fixture};

const SECRET: &str = "whsec_one";
const WINDOW: TimeDelta = TimeDelta::minutes(2);
const A_MOMENT: TimeDelta = TimeDelta::microseconds(1);

#[tokio::test]
async fn the_window_is_two_minutes_from_the_last_delivery() {
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
        post().await.repeats(&first);
        clock.advance(WINDOW + A_MOMENT);
        let second = post().await.accepted();
        assert_ne!(first, second, "{event}");
        service.stop().await;
    }
}

/// Retries that come 100 s after each other go on for longer than the window.
#[tokio::test]
async fn a_chain_of_redeliveries_stays_one_event() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    let first = service.bidsketch("proposal_viewed", r#"{"id":1}"#).await.accepted();
    for _ in 0..20 {
        clock.advance(TimeDelta::seconds(100));
        // What else happens to the proposal does not end it.
        service.bidsketch("proposal_created", r#"{"id":1}"#).await;
        service.bidsketch("proposal_viewed", r#"{"id":1}"#).await.repeats(&first);
    }
    let log = service.log("id deliveries { id }").await;
    assert_eq!(log[0]["deliveries"].as_array().unwrap().len(), 21);
    service.stop().await;
}

#[tokio::test]
async fn the_window_is_a_setting() {
    let clock = ManualClock::new();
    let change = |settings: &mut bidarc::config::Settings| settings.identity.occurrence_window_seconds = 5;
    let service = Setup::new().clock(&clock).with(change).start().await;
    let first = service.bidsketch("proposal_viewed", r#"{"id":1}"#).await.accepted();
    clock.advance(TimeDelta::seconds(5));
    service.bidsketch("proposal_viewed", r#"{"id":1}"#).await.repeats(&first);
    clock.advance(TimeDelta::seconds(6));
    service.bidsketch("proposal_viewed", r#"{"id":1}"#).await.accepted();
    service.stop().await;
}

/// Two equal payments that are marked on one day have identical bodies.
#[tokio::test]
async fn equal_payments_three_minutes_apart_are_two_payments() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    service.post("/webhooks/arcsite", fixture("arcsite/proposal_approved.json")).await.receipt().accepted();
    let body = fixture("arcsite/payment_marked.json");
    let first = service.post("/webhooks/arcsite", body.as_str()).await.receipt().accepted();
    clock.advance(TimeDelta::minutes(1));
    service.post("/webhooks/arcsite", body.as_str()).await.receipt().repeats(&first);
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

/// The very bytes, signed at the very second, are a retry: however late it comes, and whatever came since.
#[tokio::test]
async fn the_same_signature_is_the_same_event_however_late() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    let t = clock.unix();
    let body = fixture("arcsite/payment_marked.json");
    let first = service.post_signed(SECRET, t, body.as_str()).await.receipt().accepted();
    clock.advance(TimeDelta::minutes(10));
    let second = service.post_signed(SECRET, t + 600, body.as_str()).await.receipt().accepted();
    clock.advance(TimeDelta::hours(70));
    service.post_signed(SECRET, t, body.as_str()).await.receipt().repeats(&first);
    service.post_signed(SECRET, t + 600, body.as_str()).await.receipt().repeats(&second);
    // Signed anew and close to its last delivery, it is that one again.
    service.post_signed(SECRET, clock.unix(), body.as_str()).await.receipt().repeats(&second);
    service.stop().await;
}
