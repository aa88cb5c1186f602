//! The first start of this version brings along the order of state and the identities of creations.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::harness::{Database, Launch, Service, Setup, TIMEOUT, eventually};

/// The number of the migration that adds the columns by which events are ordered.
const STATE_ORDER: u32 = 8;

/// The time of the first event, in microseconds.
const START: i64 = 1_767_625_200_000_000;

/// The log and the projections as the version before left them. Its order key was the vendor's
/// time, else the signed time, else the time of arrival.
async fn database_of_the_version_before() -> Database {
    let database = Database::fresh();
    database.apply_migrations(STATE_ORDER - 1).await;
    let connection = database.connect().await;
    let execute = async |sql: String| {
        connection.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    };
    let ahead = START + 86_400_000_000;
    for (seq, (provider, kind, vendor_type, subject, data, occurred_at, signed)) in (1..).zip([
        ("ARCSITE", "PROJECT_CREATED", "project.created", "project:1", r#"{"id":1,"name":"Eaves"}"#, None, Some(1)),
        (
            "ARCSITE",
            "DRAWING_UPDATED",
            "drawing.updated",
            "drawing:1",
            r#"{"id":1,"project_id":1,"name":"newer"}"#,
            None,
            Some(100),
        ),
        (
            "ARCSITE",
            "DRAWING_UPDATED",
            "drawing.updated",
            "drawing:1",
            r#"{"id":1,"project_id":1,"name":"older"}"#,
            None,
            Some(50),
        ),
        (
            "BIDSKETCH",
            "CLIENT_CREATED",
            "client_created",
            "client:1",
            r#"{"id":1,"name":"Oakes","updated_at":"2026-01-05T15:00:00Z"}"#,
            None,
            None,
        ),
        (
            "BIDSKETCH",
            "PROPOSAL_SENT",
            "proposal_sent",
            "proposal:1",
            r#"{"id":1,"status":"Pending","updated_at":"2026-01-06T15:00:00Z"}"#,
            Some(ahead),
            None,
        ),
        (
            "ARCSITE",
            "PROPOSAL_STATUS_CHANGED",
            "proposal.status_changed",
            "proposal:2",
            r#"{"proposal_id":2,"status":"VOID"}"#,
            None,
            Some(9_000_000_000),
        ),
    ]) {
        let (noun, id) = subject.split_once(':').unwrap();
        let null = |value: Option<i64>| value.map_or("NULL".to_owned(), |value| value.to_string());
        let signed_at = null(signed.map(|second| START / 1_000_000 + second));
        let received_at = START + 1_000_000 * 1000 + seq;
        execute(format!(
            "INSERT INTO event (seq, provider, kind, vendor_type, subject, identity, occurred_at, received_at, signed_at, \
             order_key, {noun}_vendor_id, body) VALUES ({seq}, '{provider}', '{kind}', '{vendor_type}', '{subject}', \
             'old-{seq}', {}, {received_at}, {signed_at}, 1, '{id}', '{{\"event\":\"{vendor_type}\",\"data\":{data}}}')",
            null(occurred_at)
        ))
        .await;
        execute(format!(
            "INSERT INTO delivery (id, provider, vendor_type, received_at, signed_at, outcome, event_seq) \
             VALUES ({seq}, '{provider}', '{vendor_type}', {received_at}, {signed_at}, 'ACCEPTED', {seq})"
        ))
        .await;
    }
    let seen = START + 1_000_000_000;
    execute("UPDATE event SET project_vendor_id = '1' WHERE subject = 'drawing:1'".to_owned()).await;
    for (table, columns, values) in [
        (
            "project",
            "created_order, updated_order, name",
            format!(
                "{}, -9223372036854775808, 'Eaves', {}, {}, {}, 'eaves', 'eaves'",
                seen + 1,
                START + 1,
                seen + 1,
                seen + 3
            ),
        ),
        (
            "drawing",
            "project_vendor_id, name",
            format!("'1', 'newer', {}, {}, {}, 'newer', 'newer'", START + 100_000_000, seen + 2, seen + 3),
        ),
        (
            "client",
            "created_order, updated_order, updated_at, name",
            format!("{}, {START}, {START}, 'Oakes', {START}, {}, {}, 'oakes', 'oakes'", seen + 4, seen + 4, seen + 4),
        ),
    ] {
        execute(format!(
            "INSERT INTO {table} (vendor_id, {columns}, order_key, first_seen_at, last_event_at, name_order, name_folded) VALUES ('1', {values})"
        ))
        .await;
    }
    for (provider, id, status, word, updated_at, order_key, at) in [
        ("BIDSKETCH", 1, "PENDING", "Pending", ahead.to_string(), ahead, seen + 5),
        ("ARCSITE", 2, "VOID", "VOID", "NULL".to_owned(), 9_000_000_000_000_000, seen + 6),
    ] {
        let updated_order = if updated_at == "NULL" { "-9223372036854775808" } else { &updated_at };
        execute(format!(
            "INSERT INTO proposal (provider, vendor_id, status, vendor_status, updated_at, order_key, first_seen_at, last_event_at, \
             created_order, updated_order, total_order, name_order, name_folded) VALUES ('{provider}', '{id}', '{status}', \
             '{word}', {updated_at}, {order_key}, {at}, {at}, {at}, {updated_order}, -9223372036854775808, '', '')"
        ))
        .await;
    }
    connection.close().await.unwrap();
    database
}

async fn state(service: &Service) -> Value {
    let query = r#"{
        project(vendorId: "1") { name updatedAt firstSeenAt lastEventAt } drawing(vendorId: "1") { name lastEventAt }
        client(vendorId: "1") { name updatedAt } bidsketch: proposal(provider: BIDSKETCH, vendorId: "1") { status }
        arcsite: proposal(provider: ARCSITE, vendorId: "2") { status updatedAt }
    }"#;
    service.query(query).await
}

#[tokio::test]
async fn order_and_identities_of_the_version_before_are_brought_along() {
    let database = database_of_the_version_before().await;
    let migrated = Setup::new().database(database).start().await;
    let before = state(&migrated).await;
    // The service counts older events in the background, and a rebuild counts all.
    eventually("all events are counted", TIMEOUT, async || {
        let uncounted = "SELECT COUNT(*) FROM event WHERE is_counted IS NULL AND proposal_vendor_id IS NOT NULL";
        (migrated.database().numbers(uncounted).await == [0]).then_some(())
    })
    .await;
    let database = migrated.stop().await;
    let projections = |dump: Vec<String>| -> Vec<String> {
        let is_projection = |row: &String| {
            ["project", "drawing", "client", "proposal"].iter().any(|table| row.starts_with(&format!("{table}: ")))
        };
        dump.into_iter().filter(is_projection).collect()
    };
    let rows = projections(database.dump().await);
    let rebuilt = Launch::new(database.directory()).arg("rebuild").arg("--database-url").arg(&database.url());
    let ended = rebuilt.run_within(Duration::from_secs(60)).await;
    assert!(ended.status.success(), "{ended:?}");
    // Only the time that was a day ahead was wrong.
    let wrong = |rows: Vec<String>| -> Vec<String> {
        rows.into_iter().filter(|row| !row.contains("'BIDSKETCH'") || !row.contains("PENDING")).collect()
    };
    assert_eq!(wrong(rows), wrong(projections(database.dump().await)));

    let service = Setup::new().database(database).start().await;
    assert_eq!(state(&service).await, before);
    // A creation is known by its subject.
    service.arcsite("project.created", r#"{"id":1,"name":"again"}"#).await.redelivery_of("event:1");
    service.bidsketch("client_created", r#"{"id":1,"name":"again"}"#).await.redelivery_of("event:4");
    service.stop().await;
}

/// The migrated rows order the events that follow as if this version had made them.
#[tokio::test]
async fn migrated_row_takes_newer_events_and_no_older_ones() {
    let secret = "whsec_one";
    let clock = crate::harness::ManualClock::new();
    let setup = Setup::new().database(database_of_the_version_before().await).clock(&clock).signing_secrets(&[secret]);
    let service = setup.start().await;
    clock.advance(chrono::TimeDelta::hours(1));
    let post = async |t: i64, event: &str, data: &str| {
        service
            .post_signed(secret, START / 1_000_000 + t, crate::harness::envelope(event, data))
            .await
            .receipt()
            .accepted();
    };
    post(99, "drawing.updated", r#"{"id":1,"project_id":1,"name":"late"}"#).await;
    assert_eq!(state(&service).await["drawing"]["name"], "newer");
    post(101, "drawing.updated", r#"{"id":1,"project_id":1,"name":"newest"}"#).await;
    assert_eq!(state(&service).await["drawing"]["name"], "newest");
    // Both were stuck for good.
    post(3000, "proposal.status_changed", r#"{"proposal_id":2,"status":"APPROVED"}"#).await;
    service
        .bidsketch("proposal_accepted", r#"{"id":1,"status":"Accepted","updated_at":"2026-01-05T16:00:00Z"}"#)
        .await
        .accepted();
    let found = state(&service).await;
    assert_eq!((&found["arcsite"]["status"], &found["bidsketch"]["status"]), (&json!("ACCEPTED"), &json!("ACCEPTED")));
    service.stop().await;
}

/// A node of the version before still records the deliveries that reach it.
#[tokio::test]
async fn version_before_writes_rows_without_the_new_columns() {
    let database = Database::fresh();
    let service = Setup::new().database(database).start().await;
    service.arcsite("drawing.updated", r#"{"id":1,"project_id":1,"name":"a","pdf_url":null}"#).await.accepted();
    let connection = service.database().connect().await;
    for name in ["old", "older"] {
        let upsert = format!(
            "INSERT INTO drawing (vendor_id, project_vendor_id, name, order_key, first_seen_at, last_event_at, name_order, name_folded) \
             VALUES ('2', '1', '{name}', 5, 5, 5, '', '') ON CONFLICT (vendor_id) DO UPDATE SET name = excluded.name"
        );
        connection.execute_unprepared(&upsert).await.unwrap();
    }
    connection.close().await.unwrap();
    service.arcsite("drawing.created", r#"{"id":2,"project_id":1,"name":"created","tags":["a"]}"#).await.accepted();
    let data = service.query(r#"{ drawing(vendorId: "2") { name tags } }"#).await;
    assert_eq!(data["drawing"], json!({ "name": "older", "tags": ["a"] }));
    service.stop().await;
}
