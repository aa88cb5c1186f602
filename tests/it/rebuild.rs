//! Making the projections again from the log: the same in every column, all or nothing, and beside a running service.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use simulator::disorder::Disorder;
use simulator::hook::{Hook, Vendor};
use simulator::office::{Office, every_event};

use crate::harness::{BOUND, Database, Launch, ManualClock, Process, Service, Setup, eventually};

const SECRET: &str = "whsec_one";
/// Thousands of events, one after the other.
const REBUILT_WITHIN: Duration = Duration::from_secs(60);

/// Two offices' days, every type among them, each office's hooks in disorder and some of them twice.
fn hooks() -> Vec<Hook> {
    let mut hooks = every_event(7);
    for seed in [1, 2] {
        let mut office = Office::new(seed, ManualClock::new().now());
        let mut day = Vec::new();
        while day.len() < 150 {
            day.extend(office.next_hooks());
        }
        let disorder = Disorder { twice: 0.2, shuffle: 40, ..Disorder::default() };
        hooks.extend(disorder.over(day.into_iter(), seed).map(|planned| planned.hook));
    }
    hooks
}

/// A database that has seen all of it, with unknown types, quarantined deliveries and released ones.
async fn office() -> Database {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    let mut quarantined = 0;
    for (at, hook) in hooks().into_iter().enumerate() {
        clock.advance(TimeDelta::milliseconds(i64::try_from(at % 7).unwrap() * 400));
        let stale = at % 11 == 0 && hook.vendor == Vendor::Arcsite;
        match hook.vendor {
            Vendor::Arcsite => {
                let t = clock.unix() - if stale { 80 * 3600 } else { i64::try_from(at % 3).unwrap() };
                let receipt = service.post_signed(SECRET, t, hook.body).await.receipt();
                assert_eq!(receipt.outcome == "QUARANTINED", stale);
            }
            Vendor::Bidsketch => drop(service.deliver(&hook).await),
        }
        quarantined += u32::from(stale);
        if at % 50 == 0 {
            service.bidsketch("proposal_eaten", &format!(r#"{{"id":{at}}}"#)).await.accepted();
        }
    }
    assert!(quarantined > 10, "{quarantined}");
    release_most(&service).await;
    service.stop().await
}

/// Releases what waits, but for every fourth.
async fn release_most(service: &Service) {
    let data = service.query("{ quarantinedDeliveries(first: 100) { nodes { id } } }").await;
    for (at, delivery) in data["quarantinedDeliveries"]["nodes"].as_array().unwrap().iter().enumerate() {
        if at % 4 == 0 {
            continue;
        }
        let release =
            "mutation ($id: ID!) { releaseQuarantinedDelivery(input: { id: $id }) { userErrors { message } } }";
        let released = service.query_with(release, json!({ "id": delivery["id"] })).await;
        assert_eq!(released["releaseQuarantinedDelivery"]["userErrors"], json!([]));
    }
}

const PROJECTIONS: [&str; 7] = ["client", "drawing", "drawing_tag", "payment", "project", "project_tag", "proposal"];

/// Every row of every table, as text.
async fn dump(database: &Database) -> Vec<String> {
    let tables = database.says(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    );
    let mut dump = Vec::new();
    for table in database.texts(tables).await {
        let columns = database.says(
            "SELECT name FROM pragma_table_info('{table}') ORDER BY cid",
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position",
        );
        let columns = database.texts(&columns.replace("{table}", &table)).await;
        let quote = database.says("quote", "quote_nullable");
        let values: Vec<String> =
            columns.iter().map(|column| format!("'{column}=' || {quote}(\"{column}\")")).collect();
        let rows = format!("SELECT '{table}: ' || {} FROM \"{table}\" ORDER BY 1", values.join(" || ' ' || "));
        dump.extend(database.texts(&rows).await);
    }
    for projection in PROJECTIONS {
        assert!(dump.iter().any(|row| row.starts_with(&format!("{projection}: "))), "nothing in {projection}");
    }
    dump
}

#[track_caller]
fn assert_same(before: &[String], after: &[String]) {
    if before != after {
        let gone: Vec<_> = before.iter().filter(|row| !after.contains(row)).take(5).collect();
        let new: Vec<_> = after.iter().filter(|row| !before.contains(row)).take(5).collect();
        panic!("{} rows were {}; before: {gone:#?}\nafter: {new:#?}", before.len(), after.len());
    }
}

fn launch(database: &Database) -> Launch {
    Launch::new(database.directory()).arg("rebuild").arg("--database-url").arg(&database.url())
}

async fn rebuild(database: &Database) {
    let ended = launch(database).run_within(REBUILT_WITHIN).await;
    assert!(ended.status.success(), "{ended:?}");
    let events = database.numbers("SELECT COUNT(*) FROM event").await[0];
    assert_eq!(ended.stdout, format!("rebuilt from {events} events\n"));
}

#[tokio::test]
async fn what_is_rebuilt_is_what_was_there() {
    let database = office().await;
    let before = dump(&database).await;
    assert!(before.iter().filter(|row| row.starts_with("event: ")).count() > 250);
    rebuild(&database).await;
    assert_same(&before, &dump(&database).await);
    // Again, after damage of every kind.
    let connection = database.connect().await;
    for damage in [
        "DELETE FROM project WHERE vendor_id > (SELECT MIN(vendor_id) FROM project)",
        "UPDATE drawing SET name = 'wrong', project_vendor_id = NULL, last_event_at = 0",
        "UPDATE proposal SET status = 'LOST', order_key = 9223372036854775807, total = 1, total_order = 1",
        "INSERT INTO client SELECT 'ghost', name, first_name, last_name, email, phone, alt_phone, website, \
         address_field_one, address_field_two, city, state, postal_zip, country, notes, other_contact, url, app_url, \
         created_at, updated_at, order_key, first_seen_at, last_event_at, created_order, updated_order, name_order, \
         name_folded, email_folded, city_folded FROM client LIMIT 1",
        "DELETE FROM project_tag",
        "UPDATE drawing_tag SET tag = tag || 'x'",
        "DELETE FROM payment",
    ] {
        sea_orm::ConnectionTrait::execute_unprepared(&connection, damage)
            .await
            .unwrap_or_else(|error| panic!("{damage}: {error}"));
    }
    connection.close().await.unwrap();
    rebuild(&database).await;
    assert_same(&before, &dump(&database).await);
    database.assert_sound().await;
}

/// Makes the log long by writing into it: ten pages of what a rebuild reads at once.
async fn lengthen(database: &Database) {
    let connection = database.connect().await;
    for statement in [
        "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
         SELECT i, (SELECT MAX(seq) FROM event) AS base, (SELECT MAX(id) FROM delivery) AS deliveries FROM n",
        "INSERT INTO event (seq, provider, kind, vendor_type, subject, identity, received_at, order_key, project_vendor_id, \
         body) SELECT base + i, 'ARCSITE', 'PROJECT_CREATED', 'project.created', 'project:x' || i, 'made-' || i, i, i, \
         'x' || i, '{\"event\":\"project.created\",\"data\":{\"id\":\"x' || i || '\",\"name\":\"Made\"}}' FROM n",
        "INSERT INTO delivery (id, provider, vendor_type, received_at, outcome, event_seq) \
         SELECT deliveries + i, 'ARCSITE', 'project.created', i, 'ACCEPTED', base + i FROM n",
    ] {
        sea_orm::ConnectionTrait::execute_unprepared(&connection, statement).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// In the middle of it the service answers from what was there; killed, it has changed nothing.
#[tokio::test]
async fn a_rebuild_that_is_killed_has_changed_nothing_and_the_service_goes_on() {
    let database = office().await;
    lengthen(&database).await;
    let before = dump(&database).await;
    let service = Process::start(0, &database).await;
    let query =
        "{ projects(first: 100) { totalCount nodes { id name } } proposals(first: 100) { nodes { id status total } } }";
    let answered = service.query(query).await;
    let head = service.head().await;

    let running = launch(&database).start();
    running.says("rebuilding:").await;
    // It stands still with half of its work done and the database locked for writing.
    running.signal("STOP").await;
    assert_eq!(service.query(query).await, answered);
    assert_eq!(service.head().await, head);
    let answer = service.post("/webhooks/arcsite", r#"{"event":"project.created","data":{"id":"meanwhile"}}"#).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("retry-after").is_some(), "the vendor is to come again");
    running.kill().await;
    assert_eq!(service.query(query).await, answered);
    eventually("the vendor's next attempt is taken", BOUND, async || {
        let body = r#"{"event":"project.created","data":{"id":"meanwhile"}}"#;
        (service.post("/webhooks/arcsite", body).await.status == 200).then_some(())
    })
    .await;
    service.stop(&database).await;
    // What it was, and what has come since.
    let after: Vec<String> = dump(&database).await.into_iter().filter(|row| !row.contains("meanwhile")).collect();
    let last = database.numbers("SELECT event_seq FROM delivery ORDER BY id DESC LIMIT 1").await[0];
    let its_delivery = [format!("event_seq={last}"), format!("event_seq='{last}'")];
    let after: Vec<String> = after.into_iter().filter(|row| !its_delivery.iter().any(|of| row.contains(of))).collect();
    assert_same(&before, &after);

    // Left alone, it makes the projects that the log has and the projections had not.
    rebuild(&database).await;
    assert_eq!(database.numbers("SELECT COUNT(*) FROM project WHERE name = 'Made'").await, [5000]);
}

/// A service that runs meanwhile shows what was rebuilt, and goes on from there.
#[tokio::test]
async fn a_service_that_runs_meanwhile_shows_the_result() {
    let database = office().await;
    let service = Process::start(0, &database).await;
    let names = "{ projects(first: 100) { totalCount nodes { id name lastEventAt } } }";
    let right = service.query(names).await;
    let connection = database.connect().await;
    sea_orm::ConnectionTrait::execute_unprepared(&connection, "UPDATE project SET name = 'wrong'").await.unwrap();
    connection.close().await.unwrap();
    assert_ne!(service.query(names).await, right);
    rebuild(&database).await;
    assert_eq!(service.query(names).await, right);
    service.arcsite("project.created", r#"{"id":"new"}"#).await.accepted();
    service.stop(&database).await;
}
