//! The current state of an object. An event changes the fields that it names, unless a newer event
//! came before it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{ManualClock, Service, Setup, envelope};

const SECRET: &str = "whsec_one";

async fn project(service: &Service) -> Value {
    let query = r#"{ project(vendorId: "1") {
        name jobNumber tags updatedAt workSiteAddress { city } salesRep { name }
        customer { name phone email address { street city zipCode } }
    } }"#;
    service.query(query).await["project"].take()
}

#[tokio::test]
async fn older_state_received_later_changes_nothing() {
    let service = Service::open().await;
    let state = |day: u32, name: &str| format!(r#"{{"id":1,"name":"{name}","updated_at":"2026-01-0{day}T00:00:00"}}"#);
    service.arcsite("project.updated", &state(3, "third")).await.accepted();
    service.arcsite("project.updated", &state(2, "second")).await.accepted();
    service.arcsite("project.created", &state(1, "first")).await.accepted();
    assert_eq!(project(&service).await["name"], "third");
    service.arcsite("project.updated", &state(4, "fourth")).await.accepted();
    assert_eq!(project(&service).await["name"], "fourth");
    // Not even a field that no newer event has named.
    service
        .arcsite("project.updated", r#"{"id":1,"job_number":"7","updated_at":"2026-01-02T00:00:00"}"#)
        .await
        .accepted();
    assert_eq!(project(&service).await["jobNumber"], json!(null));
    service.stop().await;
}

/// At equal times the status that is later in a proposal's life wins, whichever comes first.
#[tokio::test]
async fn state_tie_keeps_the_later_status() {
    let service = Service::open().await;
    let state =
        |id: u32, status: &str| format!(r#"{{"id":{id},"status":"{status}","updated_at":"2026-01-05T10:00:00Z"}}"#);
    let events = ["proposal_created", "proposal_sent", "proposal_viewed"];
    for (id, order) in
        [["Pending", "Viewed", "Accepted"], ["Accepted", "Viewed", "Pending"], ["Viewed", "Declined", "Pending"]]
            .iter()
            .enumerate()
    {
        for (event, status) in events.iter().zip(order) {
            service.bidsketch(event, &state(u32::try_from(id).unwrap(), status)).await.accepted();
        }
        let found = service
            .query(&format!(r#"{{ proposal(provider: BIDSKETCH, vendorId: "{id}") {{ status vendorStatus }} }}"#))
            .await;
        let last = order.iter().find(|status| ["Accepted", "Declined"].contains(status)).unwrap();
        assert_eq!(found["proposal"], json!({ "status": last.to_uppercase(), "vendorStatus": last }), "{order:?}");
    }
    service.stop().await;
}

/// The later arrival also wins between final statuses of equal rank.
#[tokio::test]
async fn state_tie_without_a_later_status_keeps_the_later_arrival() {
    let service = Service::open().await;
    let state = |name: &str| format!(r#"{{"id":1,"name":"{name}","updated_at":"2026-01-05T10:00:00"}}"#);
    for name in ["b", "a"] {
        service.arcsite("project.updated", &state(name)).await.accepted();
        assert_eq!(project(&service).await["name"], name);
    }
    service.stop().await;
}

/// If the vendor sends no time, the signatures' times order the events.
#[tokio::test]
async fn retry_with_an_old_signature_keeps_the_newer_state() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    let drawing = |name: &str| envelope("drawing.updated", &format!(r#"{{"id":1,"project_id":2,"name":"{name}"}}"#));
    let t = clock.unix();
    clock.advance(TimeDelta::hours(1));
    service.post_signed(SECRET, t + 60, drawing("newer")).await.receipt().accepted();
    service.post_signed(SECRET, t, drawing("older")).await.receipt().accepted();
    let query = r#"{ drawing(vendorId: "1") { name } }"#;
    assert_eq!(service.query(query).await["drawing"]["name"], "newer");
    service.post_signed(SECRET, t + 61, drawing("newest")).await.receipt().accepted();
    assert_eq!(service.query(query).await["drawing"]["name"], "newest");
    service.stop().await;
}

#[tokio::test]
async fn field_missing_stays_and_field_null_is_cleared() {
    let service = Service::open().await;
    let full = r#"{"id":1,"name":"Gutters","job_number":"144111","tags":["a","b"],"updated_at":"2026-01-01T00:00:00",
        "customer":{"name":"J. Oakes","phone":"1441","email":"j@oakes.example",
            "address":{"street":"Hill Road 9","city":"Troy","zip_code":"12180"}},
        "work_site_address":{"city":"Troy"},"sales_rep":{"name":"Sam Eaves"}}"#;
    service.arcsite("project.created", full).await.accepted();
    let before = project(&service).await;

    // The event names only the time.
    service.arcsite("project.updated", r#"{"id":1,"updated_at":"2026-01-02T00:00:00"}"#).await.accepted();
    let mut expected = before.clone();
    expected["updatedAt"] = json!("2026-01-02T00:00:00Z");
    assert_eq!(project(&service).await, expected);

    // The same holds for nested values, at every level.
    let nested = r#"{"id":1,"updated_at":"2026-01-03T00:00:00","job_number":null,
        "customer":{"phone":null,"address":{"city":"Albany","zip_code":null}},"work_site_address":null}"#;
    service.arcsite("project.updated", nested).await.accepted();
    expected["updatedAt"] = json!("2026-01-03T00:00:00Z");
    expected["jobNumber"] = json!(null);
    expected["customer"]["phone"] = json!(null);
    expected["customer"]["address"]["city"] = json!("Albany");
    expected["customer"]["address"]["zipCode"] = json!(null);
    expected["workSiteAddress"] = json!(null);
    assert_eq!(project(&service).await, expected);

    let cleared =
        r#"{"id":1,"updated_at":"2026-01-04T00:00:00","name":null,"tags":null,"customer":null,"sales_rep":null}"#;
    service.arcsite("project.updated", cleared).await.accepted();
    let expected = json!({
        "name": "", "jobNumber": null, "tags": [], "updatedAt": "2026-01-04T00:00:00Z", "customer": null,
        "workSiteAddress": null, "salesRep": null,
    });
    assert_eq!(project(&service).await, expected);
    service.stop().await;
}

#[tokio::test]
async fn redelivery_after_a_newer_event_changes_nothing() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    service.arcsite("drawing.created", r#"{"id":1,"project_id":2,"name":"first"}"#).await.accepted();
    clock.advance(TimeDelta::seconds(1));
    service.arcsite("drawing.updated", r#"{"id":1,"project_id":2,"name":"second"}"#).await.accepted();
    clock.advance(TimeDelta::seconds(1));
    service.arcsite("drawing.created", r#"{"id":1,"project_id":2,"name":"first"}"#).await.redelivery_of("event:1");
    let found = service.query(r#"{ drawing(vendorId: "1") { name lastEventAt firstSeenAt } }"#).await;
    let expected =
        json!({ "name": "second", "firstSeenAt": "2026-01-05T15:00:00Z", "lastEventAt": "2026-01-05T15:00:01Z" });
    assert_eq!(found["drawing"], expected);
    service.stop().await;
}

/// ArcSite's old event types imply a status. It moves a proposal forward, never back.
#[tokio::test]
async fn implied_status_never_moves_a_proposal_back() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    let status = async || {
        let query = r#"{ proposal(provider: ARCSITE, vendorId: "7") { status vendorStatus } }"#;
        service.query(query).await["proposal"].take()
    };
    for (event, data, expected) in [
        ("proposal.sent", r#"{"proposal_id":7}"#, json!({ "status": "PENDING", "vendorStatus": "PENDING" })),
        ("proposal.approved", r#"{"proposal_id":7}"#, json!({ "status": "ACCEPTED", "vendorStatus": "APPROVED" })),
        (
            "proposal.sent",
            r#"{"proposal_id":7,"name":"x"}"#,
            json!({ "status": "ACCEPTED", "vendorStatus": "APPROVED" }),
        ),
        (
            "proposal.status_changed",
            r#"{"proposal_id":7,"status":"DRAFT"}"#,
            json!({ "status": "DRAFT", "vendorStatus": "DRAFT" }),
        ),
        (
            "proposal.status_changed",
            r#"{"proposal_id":7,"status":"SNOOZED"}"#,
            json!({ "status": null, "vendorStatus": "SNOOZED" }),
        ),
    ] {
        clock.advance(TimeDelta::seconds(1));
        service.arcsite(event, data).await.accepted();
        assert_eq!(status().await, expected, "{event} {data}");
    }
    service.stop().await;
}
