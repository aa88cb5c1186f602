//! No clock decides for ever: neither a vendor's that is ahead, nor ours.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{ManualClock, Service, Setup, envelope};

const SECRET: &str = "whsec_one";

/// A time as a vendor writes it.
fn vendor_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

async fn with_clock() -> (Service, ManualClock) {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    (service, clock)
}

async fn proposal(service: &Service) -> Value {
    let query = r#"{ proposal(provider: BIDSKETCH, vendorId: "1") { name status updatedAt } }"#;
    service.query(query).await["proposal"].take()
}

/// Each kind with a vendor's time comes with one that is days ahead. The next event of now applies.
#[tokio::test]
async fn vendor_time_days_ahead_orders_nothing() {
    for (event, status) in [
        ("proposal_created", "Pending"),
        ("proposal_sent", "Pending"),
        ("proposal_viewed", "Viewed"),
        ("proposal_accepted", "Accepted"),
        ("proposal_declined", "Declined"),
        ("proposal_accepted_or_declined", "Viewed"),
    ] {
        let (service, clock) = with_clock().await;
        let earlier = vendor_time(clock.now() - TimeDelta::hours(1));
        let data = |name: &str, status: &str, time: &str| {
            format!(r#"{{"id":1,"name":"{name}","status":"{status}","updated_at":"{time}"}}"#)
        };
        service.bidsketch("proposal_viewed", &data("first", "Pending", &earlier)).await.accepted();
        let ahead = vendor_time(clock.now() + TimeDelta::days(2));
        service.bidsketch(event, &data("ahead", status, &ahead)).await.accepted();
        let found = proposal(&service).await;
        let name = if event == "proposal_created" { "first" } else { "ahead" };
        assert_eq!((&found["name"], &found["updatedAt"]), (&json!(name), &json!(earlier)), "{event}");
        clock.advance(TimeDelta::seconds(1));
        let now = vendor_time(clock.now());
        service.bidsketch("proposal_accepted", &data("now", "Accepted", &now)).await.accepted();
        let expected = json!({ "name": "now", "status": "ACCEPTED", "updatedAt": now });
        assert_eq!(proposal(&service).await, expected, "{event}");
        service.stop().await;
    }
    let project = async |service: &Service| {
        service.query(r#"{ project(vendorId: "1") { name updatedAt } }"#).await["project"].take()
    };
    for event in ["project.created", "project.updated"] {
        let (service, clock) = with_clock().await;
        let data = |name: &str, time: DateTime<Utc>| {
            format!(r#"{{"id":1,"name":"{name}","updated_at":"{}"}}"#, vendor_time(time).trim_end_matches('Z'))
        };
        service.arcsite(event, &data("ahead", clock.now() + TimeDelta::days(2))).await.accepted();
        assert_eq!(project(&service).await, json!({ "name": "ahead", "updatedAt": null }));
        service.arcsite("project.updated", &data("now", clock.now())).await.accepted();
        assert_eq!(project(&service).await, json!({ "name": "now", "updatedAt": vendor_time(clock.now()) }));
        service.stop().await;
    }
    let (service, clock) = with_clock().await;
    let ahead = vendor_time(clock.now() + TimeDelta::days(2));
    service.bidsketch("client_created", &format!(r#"{{"id":1,"name":"a","updated_at":"{ahead}"}}"#)).await.accepted();
    let data = service.query(r#"{ client(vendorId: "1") { name updatedAt } }"#).await;
    assert_eq!(data["client"], json!({ "name": "a", "updatedAt": null }));
    service.stop().await;
}

#[tokio::test]
async fn vendor_time_is_believed_up_to_five_minutes_ahead() {
    for (ahead, name) in [(TimeDelta::minutes(5), "ahead"), (TimeDelta::minutes(5) + TimeDelta::microseconds(1), "now")]
    {
        let (service, clock) = with_clock().await;
        let data = |name: &str, time: DateTime<Utc>| {
            format!(r#"{{"id":1,"name":"{name}","status":"Pending","updated_at":"{}"}}"#, vendor_time(time))
        };
        service.bidsketch("proposal_sent", &data("ahead", clock.now() + ahead)).await.accepted();
        service.bidsketch("proposal_viewed", &data("now", clock.now())).await.accepted();
        assert_eq!(proposal(&service).await["name"], name, "{ahead}");
        service.stop().await;
    }
}

/// An event without a time applies by its place in the log, and leaves the vendor's time as it is.
#[tokio::test]
async fn event_without_a_time_applies_and_moves_no_time() {
    let service = Service::open().await;
    let query = r#"{ project(vendorId: "1") { name updatedAt } }"#;
    for (time, name, shown) in [
        (r#","updated_at":"2026-01-03T00:00:00""#, "third", "third"),
        ("", "undated", "undated"),
        // The row still knows the newest time that was applied.
        (r#","updated_at":"2026-01-02T00:00:00""#, "second", "undated"),
        (r#","updated_at":"2026-01-03T00:00:00""#, "third again", "third again"),
    ] {
        service.arcsite("project.updated", &format!(r#"{{"id":1,"name":"{name}"{time}}}"#)).await.accepted();
        let found = service.query(query).await;
        assert_eq!(found["project"], json!({ "name": shown, "updatedAt": "2026-01-03T00:00:00Z" }));
    }
    service.stop().await;
}

async fn drawing_name(service: &Service) -> Value {
    service.query(r#"{ drawing(vendorId: "1") { name } }"#).await["drawing"]["name"].take()
}

fn drawing(name: &str) -> String {
    envelope("drawing.updated", &format!(r#"{{"id":1,"project_id":2,"name":"{name}"}}"#))
}

/// Our clock goes back by minutes, then forward again. The signatures' times go on.
#[tokio::test]
async fn own_clock_that_jumps_makes_no_event_old() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    let start = clock.unix();
    for (second, jump) in (1..).zip([0, -4, 0, 1, 600, 0, -600, 0]) {
        clock.advance(TimeDelta::minutes(jump));
        let name = format!("state {second}");
        service.post_signed(SECRET, start + second, drawing(&name)).await.receipt().accepted();
        assert_eq!(drawing_name(&service).await, name);
        clock.advance(TimeDelta::seconds(1));
    }
    // A retry with an old signature is still older.
    service.post_signed(SECRET, start + 1, drawing("old")).await.receipt().accepted();
    assert_eq!(drawing_name(&service).await, "state 8");
    service.stop().await;
}

/// The vendor's clock is ahead and is then set right. Its signatures from the future order nothing
/// after their arrival.
#[tokio::test]
async fn signature_from_the_future_counts_as_its_arrival() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    service.post_signed(SECRET, clock.unix() + 240, drawing("ahead")).await.receipt().accepted();
    clock.advance(TimeDelta::seconds(2));
    service.post_signed(SECRET, clock.unix(), drawing("right")).await.receipt().accepted();
    assert_eq!(drawing_name(&service).await, "right");
    service.stop().await;
}

/// Unsigned events have only their place in the log.
#[tokio::test]
async fn unsigned_event_applies_whatever_our_clock_says() {
    let (service, clock) = with_clock().await;
    for (number, jump) in [0, -10_000, 10_000, -1].into_iter().enumerate() {
        clock.advance(TimeDelta::minutes(jump));
        let name = format!("state {number}");
        service.post("/webhooks/arcsite", drawing(&name)).await.receipt().accepted();
        assert_eq!(drawing_name(&service).await, name);
    }
    service.stop().await;
}
