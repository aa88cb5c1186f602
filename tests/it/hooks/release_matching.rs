//! Release of all quarantined deliveries that match a filter.

use chrono::{SecondsFormat, TimeDelta};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::harness::{Database, ManualClock, Service, Setup, add_key, assert_bad_user_input, envelope, texts};

const SECRET: &str = "whsec_one";
const STALE_SECONDS: i64 = 73 * 3600;

const RELEASE: &str = "mutation ($filter: DeliveryFilter!) {
    releaseQuarantinedDeliveries(input: { filter: $filter }) {
        released stillInvalid remaining userErrors { code message field }
    }
}";

async fn release(service: &Service, filter: Value) -> Value {
    service.query_with(RELEASE, json!({ "filter": filter })).await["releaseQuarantinedDeliveries"].take()
}

fn counts(payload: &Value) -> [u64; 3] {
    ["released", "stillInvalid", "remaining"].map(|count| payload[count].as_u64().unwrap())
}

async fn quarantined(service: &Service) -> Vec<String> {
    let data = service.query("{ quarantinedDeliveries(last: 100) { nodes { id } } }").await;
    let mut ids = texts(data["quarantinedDeliveries"]["nodes"].as_array().unwrap(), "id");
    ids.reverse();
    ids
}

async fn signed_service() -> (Service, ManualClock) {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    (service, clock)
}

fn status(word: &str) -> String {
    envelope("proposal.status_changed", &format!(r#"{{"proposal_id":1,"status":"{word}"}}"#))
}

#[tokio::test]
async fn matching_deliveries_are_released_oldest_first() {
    let (service, clock) = signed_service().await;
    let stale = clock.unix() - STALE_SECONDS;
    for (seconds, word) in (0..).zip(["PENDING", "VOID", "PENDING", "PENDING"]) {
        // The last one is a retry that was not signed again.
        service.post_signed(SECRET, stale + seconds.min(2), status(word)).await.receipt().quarantined();
    }
    let payload = release(&service, json!({})).await;
    assert_eq!((counts(&payload), &payload["userErrors"]), ([4, 0, 0], &json!([])));
    let log = service.log("... on ProposalEvent { status } deliveries { id outcome quarantineReason }").await;
    let delivery =
        |id: &str, outcome: &str| json!({ "id": id, "outcome": outcome, "quarantineReason": "STALE_SIGNATURE" });
    let expected = json!([
        { "status": "PENDING", "deliveries": [delivery("delivery:1", "ACCEPTED")] },
        { "status": "VOID", "deliveries": [delivery("delivery:2", "ACCEPTED")] },
        { "status": "PENDING", "deliveries": [delivery("delivery:3", "ACCEPTED"), delivery("delivery:4", "REDELIVERY")] },
    ]);
    assert_eq!(json!(log), expected);
    assert_eq!(counts(&release(&service, json!({})).await), [0, 0, 0]);
    service.stop().await;
}

#[tokio::test]
async fn filter_selects_by_reason_vendor_and_time() {
    let (service, clock) = signed_service().await;
    let start = clock.now();
    for number in 0..3 {
        let body = envelope("project.created", &format!(r#"{{"id":{number}}}"#));
        service.post_signed(SECRET, clock.unix() - STALE_SECONDS, body).await.receipt().quarantined();
        clock.advance(TimeDelta::hours(1));
    }
    service.post_signed(SECRET, clock.unix(), "not json").await.receipt().quarantined();
    service.bidsketch("client_created", "{}").await.quarantined();
    let at = |hours: i64| (start + TimeDelta::hours(hours)).to_rfc3339_opts(SecondsFormat::AutoSi, true);
    for (filter, expected, left) in [
        (json!({ "outcome": [] }), [0, 0, 0], "12345"),
        (json!({ "reason": [] }), [0, 0, 0], "12345"),
        (json!({ "provider": ["BIDSKETCH"] }), [0, 1, 0], "12345"),
        (json!({ "reason": ["STALE_SIGNATURE"], "provider": ["BIDSKETCH"] }), [0, 0, 0], "12345"),
        (json!({ "receivedFrom": at(1), "receivedBefore": at(2) }), [1, 0, 0], "1345"),
        (json!({ "reason": ["STALE_SIGNATURE"], "receivedBefore": at(1) }), [1, 0, 0], "345"),
        (json!({ "outcome": ["QUARANTINED"] }), [1, 2, 0], "45"),
    ] {
        let payload = release(&service, filter.clone()).await;
        assert_eq!(counts(&payload), expected, "{filter}");
        let left: Vec<String> = left.chars().map(|id| format!("delivery:{id}")).collect();
        assert_eq!(quarantined(&service).await, left, "{filter}");
    }
    service.stop().await;
}

#[tokio::test]
async fn filter_with_another_outcome_is_refused() {
    let (service, clock) = signed_service().await;
    service.post_signed(SECRET, clock.unix() - STALE_SECONDS, status("VOID")).await.receipt().quarantined();
    for outcome in [json!(["ACCEPTED"]), json!(["REDELIVERY"]), json!(["QUARANTINED", "ACCEPTED"])] {
        let mut answer = service.graphql(RELEASE, json!({ "filter": { "outcome": outcome } })).await.json();
        assert_bad_user_input(&answer["errors"][0].take(), "QUARANTINED");
    }
    assert_eq!(quarantined(&service).await.len(), 1);
    service.stop().await;
}

/// One payload that the database or today's code refuses does not keep the others.
#[tokio::test]
async fn delivery_still_invalid_is_named_and_keeps_no_other() {
    let (service, clock) = signed_service().await;
    for number in 0..25 {
        service.post_signed(SECRET, clock.unix(), format!("not json {number}")).await.receipt().quarantined();
    }
    let body = envelope("project.created", r#"{"id":1}"#);
    service.post_signed(SECRET, clock.unix() - STALE_SECONDS, body).await.receipt().quarantined();
    let payload = release(&service, json!({})).await;
    assert_eq!(counts(&payload), [1, 25, 0]);
    let errors = payload["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 20);
    for (error, id) in errors.iter().zip(1..) {
        assert_eq!((&error["code"], &error["field"]), (&json!("STILL_INVALID"), &json!(["input", "filter"])));
        assert!(error["message"].as_str().unwrap().starts_with(&format!("delivery:{id}: ")), "{error}");
    }
    assert_eq!(service.event_count().await, 1);
    service.stop().await;
}

/// More than a page of 50 that stay invalid, and more than the 1,000 of one call.
#[tokio::test]
async fn call_releases_at_most_a_thousand() {
    let (service, _) = signed_service().await;
    let connection = service.database().connect().await;
    let bytes = service.database().by_dialect("CAST({} AS blob)", "convert_to({}, 'UTF8')");
    for (from, to, body) in [
        (1, 120, "'not json'".to_owned()),
        (121, 1370, r#"'{"event":"project.created","data":{"id":' || i || '}}'"#.to_owned()),
    ] {
        let body = bytes.replace("{}", &body);
        let insert = format!(
            "WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {to}) \
             INSERT INTO delivery (id, provider, received_at, outcome, quarantine_reason, detail, body) \
             SELECT i, 'ARCSITE', 1767625200000000 + i, 'QUARANTINED', 'STALE_SIGNATURE', 'stale', {body} FROM n"
        );
        connection.execute_unprepared(&insert).await.unwrap();
    }
    connection.close().await.unwrap();
    assert_eq!(counts(&release(&service, json!({})).await), [1000, 120, 250]);
    assert_eq!(service.event_count().await, 1000);
    assert_eq!(counts(&release(&service, json!({})).await), [250, 120, 0]);
    let log = service.log("deliveries { id }").await;
    let ids: Vec<String> = log.iter().map(|event| event["deliveries"][0]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (121..=1370).map(|id| format!("delivery:{id}")).collect::<Vec<_>>());
    service.stop().await;
}

#[tokio::test]
async fn release_of_matching_deliveries_needs_the_scope_manage() {
    let database = Database::fresh();
    let read = add_key(&database, "dashboard", "read").await;
    let manage = add_key(&database, "office", "manage").await;
    let service = Setup::new().database(database).start().await;
    service.post("/webhooks/arcsite", "not json").await.receipt().quarantined();
    let answer = service.client().with_token(&read).graphql(RELEASE, json!({ "filter": {} })).await.json();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    let answer = service.client().with_token(&manage).query_with(RELEASE, json!({ "filter": {} })).await;
    assert_eq!(counts(&answer["releaseQuarantinedDeliveries"]), [0, 1, 0]);
    service.stop().await;
}
