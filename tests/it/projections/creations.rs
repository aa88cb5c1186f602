//! A creation fills in only what no other event of its subject has given, however late it comes and
//! whatever times it carries.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{ManualClock, Service, Setup, envelope};

const SECRET: &str = "whsec_one";

async fn drawing(service: &Service) -> Value {
    service.query(r#"{ drawing(vendorId: "1") { name tags pdfUrl pngUrl } }"#).await["drawing"].take()
}

async fn project(service: &Service) -> Value {
    let query = r#"{ project(vendorId: "1") {
        name jobNumber tags createdAt updatedAt customer { name phone address { city } }
    } }"#;
    service.query(query).await["project"].take()
}

#[tokio::test]
async fn drawing_created_late_fills_in_what_the_update_left_out() {
    let service = Service::open().await;
    service.arcsite("drawing.updated", r#"{"id":1,"project_id":2,"name":"newer","png_url":null}"#).await.accepted();
    let created = r#"{"id":1,"project_id":3,"name":"older","tags":["a"],"pdf_url":"https://x.example/a.pdf",
        "png_url":"https://x.example/a.png"}"#;
    service.arcsite("drawing.created", created).await.accepted();
    // The update gave `png_url` as null.
    let expected = json!({ "name": "newer", "tags": ["a"], "pdfUrl": "https://x.example/a.pdf", "pngUrl": null });
    assert_eq!(drawing(&service).await, expected);
    let data = service.query(r#"{ drawings(filter: { tag: "a" }) { nodes { projectVendorId } } }"#).await;
    assert_eq!(data["drawings"]["nodes"], json!([{ "projectVendorId": "2" }]));
    service.stop().await;
}

/// A retry of the creation may have a new signature, with a later time than the update.
#[tokio::test]
async fn drawing_created_with_a_newer_signature_is_still_the_older_event() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    clock.advance(TimeDelta::hours(1));
    let t = clock.unix();
    let body = |event: &str, name: &str| envelope(event, &format!(r#"{{"id":1,"project_id":2,"name":"{name}"}}"#));
    service.post_signed(SECRET, t - 60, body("drawing.updated", "newer")).await.receipt().accepted();
    service.post_signed(SECRET, t, body("drawing.created", "older")).await.receipt().accepted();
    assert_eq!(drawing(&service).await["name"], "newer");
    // The creation's signature makes no update old, nor does one of a creation that came first.
    service.post_signed(SECRET, t - 30, body("drawing.updated", "newest")).await.receipt().accepted();
    assert_eq!(drawing(&service).await["name"], "newest");
    let body = |event: &str, name: &str| envelope(event, &format!(r#"{{"id":9,"project_id":2,"name":"{name}"}}"#));
    service.post_signed(SECRET, t, body("drawing.created", "older")).await.receipt().accepted();
    service.post_signed(SECRET, t - 30, body("drawing.updated", "newer")).await.receipt().accepted();
    let data = service.query(r#"{ drawing(vendorId: "9") { name } }"#).await;
    assert_eq!(data["drawing"]["name"], "newer");
    service.stop().await;
}

#[tokio::test]
async fn project_created_late_with_any_time_or_none_fills_in() {
    for (updated, created) in [
        (r#""updated_at":"2026-01-02T00:00:00","#, ""),
        (r#""updated_at":"2026-01-02T00:00:00","#, r#""updated_at":"2026-01-01T00:00:00","#),
        // A creation may show a state that is newer than the update.
        (r#""updated_at":"2026-01-02T00:00:00","#, r#""updated_at":"2026-01-04T00:00:00","#),
        ("", r#""updated_at":"2026-01-04T00:00:00","#),
        ("", ""),
    ] {
        let service = Service::open().await;
        let update = format!(
            r#"{{{updated}"id":1,"name":"newer","job_number":null,"tags":["new"],"customer":{{"phone":"1","address":null}}}}"#
        );
        service.arcsite("project.updated", &update).await.accepted();
        let creation = format!(
            r#"{{{created}"id":1,"name":"older","job_number":"7","tags":["old"],"created_at":"2026-01-01T00:00:00",
                "customer":{{"name":"J. Oakes","phone":"2","address":{{"city":"Troy"}}}}}}"#
        );
        service.arcsite("project.created", &creation).await.accepted();
        let found = project(&service).await;
        let updated_at =
            [updated, created].iter().find_map(|time| time.split('"').nth(3)).map(|time| format!("{time}Z"));
        let expected = json!({
            "name": "newer", "jobNumber": null, "tags": ["new"], "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": updated_at, "customer": { "name": "J. Oakes", "phone": "1", "address": null },
        });
        assert_eq!(found, expected, "{updated} {created}");
        let data = service
            .query(r#"{ new: projects(filter: { tag: "new" }) { totalCount } old: projects(filter: { tag: "old" }) { totalCount } }"#)
            .await;
        assert_eq!(data, json!({ "new": { "totalCount": 1 }, "old": { "totalCount": 0 } }));
        // The creation's time makes no update old.
        service
            .arcsite("project.updated", r#"{"id":1,"name":"newest","updated_at":"2026-01-03T00:00:00"}"#)
            .await
            .accepted();
        let is_ordered_by_the_creation = updated.is_empty() && !created.is_empty();
        let name = if is_ordered_by_the_creation { "newer" } else { "newest" };
        assert_eq!(project(&service).await["name"], name, "{updated} {created}");
        service.stop().await;
    }
}

#[tokio::test]
async fn proposal_created_late_fills_in_and_keeps_the_status() {
    let service = Service::open().await;
    let time = "2026-01-05T10:00:00Z";
    for (id, event, status, stated) in [
        (1, "proposal_viewed", "VIEWED", r#""status":"Viewed","#),
        (2, "proposal_declined", "DECLINED", ""),
        (3, "proposal_accepted_or_declined", "ACCEPTED", r#""status":"Accepted","#),
        // It gives no status.
        (4, "proposal_sent", "PENDING", ""),
    ] {
        let data = format!(r#"{{"id":{id},{stated}"name":"newer","total":2,"updated_at":"{time}"}}"#);
        service.bidsketch(event, &data).await.accepted();
        let created = format!(
            r#"{{"id":{id},"status":"Pending","name":"older","total":1,"description":"d","updated_at":"2026-01-05T11:00:00Z",
                "client":{{"id":8,"name":"J. Oakes"}}}}"#
        );
        service.bidsketch("proposal_created", &created).await.accepted();
        let query = format!(
            r#"{{ proposal(provider: BIDSKETCH, vendorId: "{id}") {{ status name total description updatedAt customerName }} }}"#
        );
        let expected = json!({
            "status": status, "name": "newer", "total": "2.00", "description": "d", "updatedAt": time, "customerName": "J. Oakes",
        });
        assert_eq!(service.query(&query).await["proposal"], expected, "{event}");
    }
    service.stop().await;
}

/// A project that only its drawing has named is not known, so the creation gives all of it.
#[tokio::test]
async fn project_known_through_its_drawing_takes_its_whole_creation() {
    let service = Service::open().await;
    service.arcsite("drawing.created", r#"{"id":5,"project_id":1,"name":"North"}"#).await.accepted();
    assert_eq!(project(&service).await, Value::Null);
    service.arcsite("project.created", r#"{"id":1,"name":"Eaves","tags":["a"]}"#).await.accepted();
    let found = project(&service).await;
    assert_eq!((&found["name"], &found["tags"]), (&json!("Eaves"), &json!(["a"])));
    service.stop().await;
}
