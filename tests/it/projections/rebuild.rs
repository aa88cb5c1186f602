//! Rebuild of the projections: equal in every column, all or nothing, and beside a running service.

use std::time::Duration;

use crate::harness::{
    Database, Launch, Process, TIMEOUT, append_many_events, assert_same_rows, eventually, sample_database,
};

/// For thousands of events, one after the other.
const REBUILD_TIMEOUT: Duration = Duration::from_secs(60);

const PROJECTIONS: [&str; 7] = ["client", "drawing", "drawing_tag", "payment", "project", "project_tag", "proposal"];

/// Every row of every table except the audit. Each projection must have some.
async fn dump(database: &Database) -> Vec<String> {
    let dump = database.dump_without_audit().await;
    for projection in PROJECTIONS {
        assert!(dump.iter().any(|row| row.starts_with(&format!("{projection}: "))), "nothing in {projection}");
    }
    dump
}

fn launch(database: &Database) -> Launch {
    Launch::new(database.directory()).arg("rebuild").arg("--database-url").arg(&database.url())
}

pub(super) async fn rebuild(database: &Database) {
    let ended = launch(database).run_within(REBUILD_TIMEOUT).await;
    assert!(ended.status.success(), "{ended:?}");
    let events = database.numbers("SELECT COUNT(*) FROM event").await[0];
    assert_eq!(ended.stdout, format!("rebuilt from {events} events\n"));
}

#[tokio::test]
async fn rebuild_after_damage_restores_every_row() {
    let database = sample_database(Database::fresh()).await;
    let before = dump(&database).await;
    assert!(before.iter().filter(|row| row.starts_with("event: ")).count() > 250);
    rebuild(&database).await;
    assert_same_rows(&before, &dump(&database).await);
    // Again, after damage of each kind.
    let connection = database.connect().await;
    for damage in [
        "DELETE FROM project WHERE vendor_id > (SELECT MIN(vendor_id) FROM project)",
        "UPDATE drawing SET name = 'wrong', project_vendor_id = NULL, last_event_at = 0",
        "UPDATE proposal SET status = 'LOST', order_key = 9223372036854775807, total = 1, total_order = 1",
        "UPDATE proposal SET sent_at = 1, view_count = view_count + 1, decided_at = NULL, paid = 7, stats_key = 'x'",
        "UPDATE event SET previous_status = 'LOST', view_slot = 5",
        "UPDATE event SET is_counted = NULL WHERE seq % 3 = 0",
        "UPDATE drawing SET signed_order = 9223372036854775807, cleared = '[\"name\"]'",
        "INSERT INTO client (vendor_id, name, order_key, first_seen_at, last_event_at, created_order, updated_order, name_order, \
         name_folded) SELECT 'ghost', name, order_key, first_seen_at, last_event_at, created_order, updated_order, name_order, \
         name_folded FROM client LIMIT 1",
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
    assert_same_rows(&before, &dump(&database).await);
    database.assert_consistent().await;
}

/// During a rebuild the service answers from the old state.
#[tokio::test]
async fn rebuild_killed_halfway_changes_nothing_and_the_service_continues() {
    let database = sample_database(Database::fresh()).await;
    append_many_events(&database).await;
    let before = dump(&database).await;
    let service = Process::start(0, &database).await;
    let query =
        "{ projects(first: 100) { totalCount nodes { id name } } proposals(first: 100) { nodes { id status total } } }";
    let expected = service.query(query).await;
    let head = service.head().await;

    let running = launch(&database).start();
    running.wait_for_log("rebuilding:").await;
    // Stopped halfway, it holds the write lock.
    running.signal("STOP").await;
    assert_eq!(service.query(query).await, expected);
    assert_eq!(service.head().await, head);
    let answer = service.post("/webhooks/arcsite", r#"{"event":"project.created","data":{"id":"meanwhile"}}"#).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("retry-after").is_some(), "the vendor should retry");
    running.kill().await;
    assert_eq!(service.query(query).await, expected);
    eventually("the vendor's next attempt is accepted", TIMEOUT, async || {
        let body = r#"{"event":"project.created","data":{"id":"meanwhile"}}"#;
        (service.post("/webhooks/arcsite", body).await.status == 200).then_some(())
    })
    .await;
    service.stop(&database).await;
    // Compare without the delivery that came since.
    let after: Vec<String> = dump(&database).await.into_iter().filter(|row| !row.contains("meanwhile")).collect();
    let last = database.numbers("SELECT event_seq FROM delivery ORDER BY id DESC LIMIT 1").await[0];
    let delivery_columns = [format!("event_seq={last}"), format!("event_seq='{last}'")];
    let after: Vec<String> =
        after.into_iter().filter(|row| !delivery_columns.iter().any(|column| row.contains(column))).collect();
    assert_same_rows(&before, &after);

    // Undisturbed, a rebuild creates the projects that only the log had.
    rebuild(&database).await;
    assert_eq!(database.numbers("SELECT COUNT(*) FROM project WHERE name = 'Made'").await, [5000]);
}

/// It also continues from the rebuilt state.
#[tokio::test]
async fn service_running_during_a_rebuild_shows_the_result() {
    let database = sample_database(Database::fresh()).await;
    let service = Process::start(0, &database).await;
    let query = "{ projects(first: 100) { totalCount nodes { id name lastEventAt } } }";
    let expected = service.query(query).await;
    let connection = database.connect().await;
    sea_orm::ConnectionTrait::execute_unprepared(&connection, "UPDATE project SET name = 'wrong'").await.unwrap();
    connection.close().await.unwrap();
    assert_ne!(service.query(query).await, expected);
    rebuild(&database).await;
    assert_eq!(service.query(query).await, expected);
    service.arcsite("project.created", r#"{"id":"new"}"#).await.accepted();
    service.stop(&database).await;
}
