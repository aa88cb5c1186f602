//! The lists of payments and deliveries with their filters, and what events tell of themselves.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{ManualClock, Pages, Service, Setup, assert_bad_user_input, texts};

/// Checks that a filter selects exactly these rows, in this order.
async fn check(service: &Service, list: &str, prefix: &str, filters: &[(&str, &[&str])]) {
    for (filter, expected) in filters {
        let pages = Pages::of(list, "id").with(&format!("filter: {filter}"));
        let ids = texts(&pages.both_directions(service, 2).await, "id");
        let ids: Vec<&str> = ids.iter().map(|id| id.strip_prefix(prefix).unwrap()).collect();
        assert_eq!(ids, *expected, "{list} {filter}");
        let data = service.query(&format!("{{ {list}(first: 0, filter: {filter}) {{ totalCount }} }}")).await;
        assert_eq!(data[list]["totalCount"], expected.len(), "{list} {filter}");
    }
}

#[tokio::test]
async fn payment_filter_selects_and_counts_its_rows() {
    let service = Service::open().await;
    // The events are numbered, and a payment has the number of its event.
    service
        .arcsite("proposal.status_changed", r#"{"proposal_id":1,"project_id":9,"name":"Roof","status":"PENDING"}"#)
        .await
        .accepted();
    for data in [
        r#"{"proposal_id":1,"paid_amount":"10.00","paid_time":"2026-03-01T10:00:00"}"#,
        r#"{"proposal_id":1,"paid_amount":"20.50","paid_date":"2026-03-02"}"#,
        r#"{"proposal_id":2,"paid_amount":"-5","paid_date":"2026-03-03"}"#,
        r#"{"proposal_id":2,"paid_amount":"100"}"#,
        // The time counts, not the day.
        r#"{"proposal_id":2,"paid_amount":"7","paid_time":"2026-03-05T00:00:00","paid_date":"2026-03-01"}"#,
    ] {
        service.arcsite("proposal.payment.received", data).await.accepted();
    }
    check(
        &service,
        "payments",
        "payment:",
        &[
            ("{}", &["6", "5", "4", "3", "2"]),
            ("null", &["6", "5", "4", "3", "2"]),
            (r#"{ proposalId: "proposal:arcsite:1" }"#, &["3", "2"]),
            (r#"{ proposalId: "proposal:bidsketch:1" }"#, &[]),
            (r#"{ projectId: "project:9" }"#, &["3", "2"]),
            (r#"{ projectId: "project:8" }"#, &[]),
            (r#"{ paidFrom: "2026-03-01T00:00:00Z" }"#, &["6", "4", "3", "2"]),
            (r#"{ paidFrom: "2026-03-01T10:00:00Z" }"#, &["6", "4", "3", "2"]),
            (r#"{ paidFrom: "2026-03-01T10:00:01Z" }"#, &["6", "4", "3"]),
            (r#"{ paidFrom: "2026-03-02T00:00:00Z" }"#, &["6", "4", "3"]),
            (r#"{ paidFrom: "2026-03-02T00:00:01Z" }"#, &["6", "4"]),
            (r#"{ paidBefore: "2026-03-02T00:00:00Z" }"#, &["2"]),
            (r#"{ paidBefore: "2026-03-02T00:00:00.000001Z" }"#, &["3", "2"]),
            (r#"{ paidBefore: "2026-03-05T00:00:00Z" }"#, &["4", "3", "2"]),
            (r#"{ paidFrom: "2026-03-02T01:00:00+01:00", paidBefore: "2026-03-03T00:00:00Z" }"#, &["3"]),
            (r#"{ paidFrom: "2026-03-03T00:00:00Z", paidBefore: "2026-03-02T00:00:00Z" }"#, &[]),
            (r#"{ amountAtLeast: "10" }"#, &["5", "3", "2"]),
            (r#"{ amountAtLeast: 10.01 }"#, &["5", "3"]),
            (r#"{ amountAtLeast: "-5" }"#, &["6", "5", "4", "3", "2"]),
            (r#"{ amountAtLeast: "7", projectId: "project:9" }"#, &["3", "2"]),
        ],
    )
    .await;
    let error = service.query_error(r#"{ payments(filter: { proposalId: "1" }) { totalCount } }"#).await;
    assert_bad_user_input(&error, "`proposalId`");
    let data = service.query("{ payments { nodes { proposalVendorId proposal { id name } } } }").await;
    assert_eq!(data["payments"]["nodes"][0], json!({ "proposalVendorId": "2", "proposal": null }));
    assert_eq!(
        data["payments"]["nodes"][4],
        json!({ "proposalVendorId": "1", "proposal": { "id": "proposal:arcsite:1", "name": "Roof" } })
    );
    service.stop().await;
}

#[tokio::test]
async fn delivery_filter_selects_and_counts_its_rows() {
    let clock = ManualClock::new();
    let start = clock.now();
    let service = Setup::new().clock(&clock).start().await;
    let project = r#"{"id":1,"name":"Roof"}"#;
    let first = service.arcsite("project.created", project).await.accepted();
    clock.advance(TimeDelta::minutes(1));
    service.arcsite("project.created", project).await.redelivery_of(&first);
    clock.advance(TimeDelta::minutes(1));
    service.post("/webhooks/bidsketch", "wrong").await.receipt();
    clock.advance(TimeDelta::minutes(1));
    service.post("/webhooks/arcsite", r#"{"event":"project.created","data":{}}"#).await.receipt();
    clock.advance(TimeDelta::minutes(1));
    service.bidsketch("client_created", r#"{"id":1}"#).await.accepted();
    let minute = |minutes: i64| {
        let time = start + TimeDelta::minutes(minutes);
        format!("{:?}", time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    };
    let from_two = format!("{{ receivedFrom: {} }}", minute(2));
    let before_two = format!("{{ receivedBefore: {} }}", minute(2));
    let between = format!("{{ receivedFrom: {}, receivedBefore: {}, provider: [ARCSITE] }}", minute(1), minute(4));
    check(
        &service,
        "deliveries",
        "delivery:",
        &[
            ("{}", &["5", "4", "3", "2", "1"]),
            ("{ outcome: [ACCEPTED] }", &["5", "1"]),
            ("{ outcome: [REDELIVERY, QUARANTINED] }", &["4", "3", "2"]),
            ("{ outcome: [] }", &[]),
            ("{ reason: [NOT_JSON] }", &["3"]),
            ("{ reason: [NOT_JSON, INVALID_PAYLOAD] }", &["4", "3"]),
            ("{ provider: [BIDSKETCH] }", &["5", "3"]),
            ("{ provider: [BIDSKETCH], outcome: [QUARANTINED] }", &["3"]),
            (&from_two, &["5", "4", "3"]),
            (&before_two, &["2", "1"]),
            (&between, &["4", "2"]),
        ],
    )
    .await;
    service.stop().await;
}

#[tokio::test]
async fn event_tells_its_payload_as_text_and_its_dedup_window() {
    let service = Service::open().await;
    let payload = r#"{ "id" : 36029621652695040,"total":7385.00,"note":"a\u00e9\/" }"#;
    service.arcsite("project.updated", payload).await.accepted();
    for (vendor, event, data) in [
        ("arcsite", "project.updated", r#"{"id":1,"updated_at":"2026-03-01T10:00:00"}"#),
        ("arcsite", "drawing.created", r#"{"id":1,"project_id":1}"#),
        ("bidsketch", "proposal_viewed", r#"{"id":1,"updated_at":"2026-03-01T10:00:00"}"#),
        (
            "arcsite",
            "proposal.payment.received",
            r#"{"proposal_id":1,"paid_amount":1,"paid_time":"2026-03-01T10:00:00"}"#,
        ),
        ("arcsite", "proposal.payment.received", r#"{"proposal_id":1,"paid_amount":1,"paid_date":"2026-03-01"}"#),
        ("arcsite", "moon.risen", r#"{"id":1}"#),
    ] {
        match vendor {
            "arcsite" => service.arcsite(event, data).await.accepted(),
            _ => service.bidsketch(event, data).await.accepted(),
        };
    }
    let events = service.log("payloadText dedupWindow").await;
    assert_eq!(events[0]["payloadText"], payload);
    let windows: Vec<&Value> = events.iter().map(|event| &event["dedupWindow"]).collect();
    assert_eq!(
        windows,
        [
            "UNTIL_SUBJECT_CHANGES",
            "UNLIMITED",
            "UNLIMITED",
            "SINCE_LAST_DELIVERY",
            "UNLIMITED",
            "SINCE_LAST_DELIVERY",
            "UNTIL_SUBJECT_CHANGES"
        ]
    );
    service.stop().await;
}
