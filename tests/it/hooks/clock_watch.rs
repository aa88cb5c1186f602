//! A clock that disagrees is named: ours by the vendors' signatures, a vendor's by its times.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Database, Launch, ManualClock, Process, Service, Setup, envelope};

const SECRET: &str = "whsec_one";

fn drawing(id: i64) -> String {
    envelope("drawing.created", &format!(r#"{{"id":{id},"project_id":2}}"#))
}

async fn ready(service: &Service) -> Value {
    let answer = service.get("/readyz").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn signed_service() -> (Service, ManualClock) {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    (service, clock)
}

const RELEASE: &str = "mutation { releaseQuarantinedDeliveries(input: { filter: { reason: [STALE_SIGNATURE] } }) {
    released stillInvalid remaining userErrors { code }
} }";

#[tokio::test]
async fn slow_clock_is_named_and_its_deliveries_are_released_together() {
    let (service, clock) = signed_service().await;
    assert_eq!(ready(&service).await, json!({ "ready": true }));
    for id in 0..120 {
        service.post_signed(SECRET, clock.unix() + 600 + id, drawing(id)).await.receipt().quarantined();
    }
    let details = ready(&service).await["details"]["clock"].take();
    let text = details.as_str().unwrap();
    assert!(text.contains("719 s behind") && text.contains("releaseQuarantinedDeliveries"), "{text}");
    // The clock is set right.
    clock.advance(TimeDelta::minutes(20));
    for id in 200..205 {
        service.post_signed(SECRET, clock.unix() - id + 200, drawing(id)).await.receipt().accepted();
    }
    assert_eq!(ready(&service).await, json!({ "ready": true }));
    let released = json!({ "released": 120, "stillInvalid": 0, "remaining": 0, "userErrors": [] });
    assert_eq!(service.query(RELEASE).await["releaseQuarantinedDeliveries"], released);
    assert_eq!(service.event_count().await, 125);
    service.stop().await;
}

#[tokio::test]
async fn fast_clock_is_named_after_five_old_signatures() {
    let (service, clock) = signed_service().await;
    for id in 0..5 {
        assert_eq!(ready(&service).await, json!({ "ready": true }));
        clock.advance(TimeDelta::seconds(1));
        service.post_signed(SECRET, clock.unix() - 600, drawing(id)).await.receipt().accepted();
    }
    let details = ready(&service).await["details"]["clock"].take();
    assert!(details.as_str().unwrap().contains("600 s ahead"), "{details}");
    service.post_signed(SECRET, clock.unix(), drawing(9)).await.receipt().accepted();
    assert_eq!(ready(&service).await, json!({ "ready": true }));
    service.stop().await;
}

/// Retries after an outage, and a forged signature, say nothing about the clock.
#[tokio::test]
async fn old_or_forged_signatures_name_no_clock() {
    let (service, clock) = signed_service().await;
    let t = clock.unix();
    for _ in 0..20 {
        clock.advance(TimeDelta::minutes(10));
        service.post_signed(SECRET, t, drawing(1)).await.receipt();
        assert_eq!(service.post_signed("whsec_other", clock.unix() + 600, drawing(2)).await.status, 401);
    }
    assert_eq!(ready(&service).await, json!({ "ready": true }));
    service.stop().await;
}

fn lines(service: &Process, text: &str) -> usize {
    service.log_so_far().lines().filter(|line| line.contains("WARN") && line.contains(text)).count()
}

#[expect(clippy::disallowed_methods, reason = "the process has the machine's clock")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

#[tokio::test]
async fn each_clock_is_warned_of_once_and_times_ahead_are_counted() {
    let database = Database::fresh();
    let launch = Launch::new(database.directory()).env("BIDARC_ARCSITE__SIGNING_SECRETS", SECRET);
    let service = launch.serve(0, &database).await;
    let t = now().timestamp();
    for id in 0..5 {
        service.post_signed(SECRET, t + 600 + id, drawing(id)).await.receipt().quarantined();
    }
    let ahead = (now() + TimeDelta::days(2)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    for (event, time) in [
        ("client_created", "created_at"),
        ("client_created", "updated_at"),
        ("proposal_created", "updated_at"),
        ("proposal_sent", "updated_at"),
        ("proposal_declined", "updated_at"),
    ] {
        let id = if time == "created_at" { 2 } else { 1 };
        service.bidsketch(event, &format!(r#"{{"id":{id},"{time}":"{ahead}"}}"#)).await.accepted();
    }
    // A redelivery is the same event.
    service
        .bidsketch("proposal_declined", &format!(r#"{{"id":1,"updated_at":"{ahead}"}}"#))
        .await
        .redelivery_of("event:5");
    let paid = format!(r#"{{"proposal_id":1,"paid_amount":1,"pay_channel":"arcsite_payment","paid_time":"{ahead}"}}"#);
    service.post_signed(SECRET, t, envelope("proposal.payment.received", &paid)).await.receipt().accepted();
    let count = async |provider: &str| {
        service.metric(&format!(r#"bidarc_vendor_times_ahead_total{{provider="{provider}"}}"#)).await
    };
    assert_eq!((count("BIDSKETCH").await, count("ARCSITE").await), (5.0, 1.0));
    assert_eq!(lines(&service, "this machine's clock is about"), 1, "{}", service.log_so_far());
    assert_eq!(lines(&service, "is not believed"), 1, "{}", service.log_so_far());
    service.stop(&database).await;
}
