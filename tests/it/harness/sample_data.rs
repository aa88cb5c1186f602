//! Sample data: a database with the deliveries of simulated offices.

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use serde_json::json;
use simulator::disorder::Disorder;
use simulator::hook::{Hook, Vendor};
use simulator::office::{Office, every_event};

use super::{Database, ManualClock, Service, Setup};

/// The signing secret of ArcSite's deliveries.
pub(crate) const SECRET: &str = "whsec_one";

/// The hooks of two simulated offices. They cover every type, and each office's hooks are out of
/// order and partly repeated.
pub(crate) fn sample_hooks() -> Vec<Hook> {
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

/// Posts [`sample_hooks`] to a service on this database. Some deliveries have unknown types, some
/// are quarantined, and most of those are released.
pub(crate) async fn sample_database(database: Database) -> Database {
    let clock = ManualClock::new();
    let service = Setup::new().database(database).signing_secrets(&[SECRET]).clock(&clock).start().await;
    let mut quarantined = 0;
    for (at, hook) in sample_hooks().into_iter().enumerate() {
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

/// Releases three of every four quarantined deliveries.
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

/// Inserts 5000 more events into the log by SQL.
pub(crate) async fn append_many_events(database: &Database) {
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
        ConnectionTrait::execute_unprepared(&connection, statement).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// Inserts stored files by SQL: a PDF and a PNG for each event of a drawing, and a PDF for each
/// event of an ArcSite proposal.
pub(crate) async fn insert_files(database: &Database) {
    let connection = database.connect().await;
    for (number, role, kind, events) in [
        (1, "DRAWING", "PDF", "kind LIKE 'DRAWING_%'"),
        (2, "DRAWING", "PNG", "kind LIKE 'DRAWING_%'"),
        (3, "PROPOSAL", "PDF", "provider = 'ARCSITE' AND proposal_vendor_id IS NOT NULL"),
    ] {
        let insert = format!(
            "INSERT INTO file (id, event_seq, drawing_vendor_id, proposal_vendor_id, role, kind, name, link, link_hash, \
             link_expires_at, state, problem, attempts, next_attempt_at, sha256, size_bytes, stored_at) SELECT 4 * seq + {number}, \
             seq, drawing_vendor_id, proposal_vendor_id, '{role}', '{kind}', 'A name', 'https://files.example/a', 'hash', \
             4000000000000000, 'STORED', 'A problem', 0, 4000000000000000, '{digest}', 5, 1767625200000000 FROM event \
             WHERE {events}",
            digest = "a1".repeat(32)
        );
        ConnectionTrait::execute_unprepared(&connection, &insert).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// Inserts projects by SQL, without events. Each has the name "Roof", a job number, and a time of
/// its newest event that no other has.
pub(crate) async fn insert_projects(database: &Database, count: u32) {
    let numbers = database.by_dialect(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})",
        "WITH numbers (n) AS (SELECT generate_series(1, {count}))",
    );
    let insert = format!(
        "INSERT INTO project (vendor_id, name, name_order, name_folded, name_sort, name_search, job_number, job_number_key, \
         order_key, first_seen_at, last_event_at, created_order, updated_order) {} SELECT CAST(n AS text), 'Roof', 'roof', \
         'roof', 'roof', 'roof', 'R-' || n, 'R-' || n, 0, n, CAST(n AS bigint) * 7919 % 1000003, n, n FROM numbers",
        numbers.replace("{count}", &count.to_string())
    );
    let connection = database.connect().await;
    ConnectionTrait::execute_unprepared(&connection, &insert).await.unwrap();
    connection.close().await.unwrap();
}
