//! A start on a database of an earlier version migrates its rows.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{
    Cluster, Database, Launch, POSTGRES_WRITE_LOCK, Service, Setup, TIMEOUT, assert_bad_user_input, eventually, texts,
};

/// The number of the migration that adds search columns of bounded length.
const SEARCH_COLUMNS: u32 = 5;
/// The number of the migration that adds columns of folded texts.
const FOLDED_TEXTS: u32 = 6;
/// The number of the migration that keys files by what they show.
const FILE_KEYS: u32 = 13;
/// More rows than are folded in one transaction.
const ROWS: usize = 450;

async fn find(service: &Service, list: &str, filter: Value) -> Vec<String> {
    let kind = if list == "projects" { "ProjectFilter" } else { "ClientFilter" };
    let query = format!("query ($filter: {kind}) {{ {list}(filter: $filter) {{ nodes {{ vendorId }} }} }}");
    let data = service.query_with(&query, json!({ "filter": filter })).await;
    texts(data[list]["nodes"].as_array().unwrap(), "vendorId")
}

/// A value of more than 500 bytes is stored, but a filter by this value does not find it.
#[tokio::test]
async fn migrated_value_is_found_unless_longer_than_500_bytes() {
    let values = [
        ("short", "J-1".to_owned()),
        ("full", "x".repeat(500)),
        ("long", "x".repeat(501)),
        ("letters", "ä".repeat(251)),
    ];
    let database = Database::fresh();
    database.apply_migrations(SEARCH_COLUMNS - 1).await;
    let connection = database.connect().await;
    for (id, value) in &values {
        for row in [
            format!(
                "INSERT INTO project (vendor_id, name, job_number, order_key, first_seen_at, last_event_at, created_order, \
                 updated_order, name_order, name_folded) VALUES ('{id}', 'Roof', '{value}', 1, 1, 1, 1, 1, 'roof', 'roof')"
            ),
            format!(
                "INSERT INTO client (vendor_id, email, city, order_key, first_seen_at, last_event_at, created_order, \
                 updated_order, name_order, name_folded, email_folded, city_folded) \
                 VALUES ('{id}', '{value}', '{value}', 1, 1, 1, 1, 1, '', '', lower('{value}'), lower('{value}'))"
            ),
        ] {
            connection.execute_unprepared(&row).await.unwrap();
        }
    }
    connection
        .execute_unprepared(
            "INSERT INTO project (vendor_id, order_key, first_seen_at, last_event_at, created_order, updated_order, \
             name_order, name_folded) VALUES ('none', 1, 1, 1, 1, 1, '', '')",
        )
        .await
        .unwrap();
    connection.close().await.unwrap();

    let service = Setup::new().database(database).start().await;
    for (id, value) in &values {
        let data = service
            .query(&format!(
                r#"{{ project(vendorId: "{id}") {{ name jobNumber }} client(vendorId: "{id}") {{ email city }} }}"#
            ))
            .await;
        let project = json!({ "name": "Roof", "jobNumber": value });
        assert_eq!(data, json!({ "project": project, "client": { "email": value, "city": value } }));
        let expected: &[&str] = if value.len() <= 500 { &[id] } else { &[] };
        assert_eq!(find(&service, "projects", json!({ "jobNumber": value })).await, expected, "{id}");
        assert_eq!(find(&service, "clients", json!({ "email": value })).await, expected, "{id}");
        assert_eq!(find(&service, "clients", json!({ "city": value })).await, expected, "{id}");
    }
    assert_eq!(find(&service, "projects", json!({})).await.len(), 5);
    let database = service.stop().await;
    // The second start changes nothing.
    let rows = database.dump_without_audit().await;
    let database = Setup::new().database(database).start().await.stop().await;
    assert_eq!(database.dump_without_audit().await, rows);
}

/// A row of a project or client as the version before inserts it.
fn former_row(table: &str, id: &str, name: &str) -> String {
    let lower = name.to_lowercase();
    format!(
        "INSERT INTO {table} (vendor_id, name, order_key, first_seen_at, last_event_at, created_order, updated_order, \
         name_order, name_folded) VALUES ('{id}', '{name}', 1, 1, 1, 1, 1, '{lower}', '{lower}')"
    )
}

async fn execute(database: &Database, statements: impl IntoIterator<Item = String>) {
    let connection = database.connect().await;
    for statement in statements {
        connection.execute_unprepared(&statement).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// The service is killed after each batch, until a start finds no row left to fold.
#[tokio::test]
async fn folding_of_stored_names_survives_a_kill_after_each_batch() {
    let database = Database::fresh();
    database.apply_migrations(FOLDED_TEXTS - 1).await;
    let decomposed = |at: usize| former_row("project", &at.to_string(), &format!("Ku\u{308}che {at}"));
    execute(&database, (0..ROWS).map(decomposed).chain([former_row("client", "1", "STRAßE")])).await;
    let command = |failpoint: &str| {
        Launch::keys(&database, &["list"]).env("BIDARC_FAILPOINT", failpoint).env("BIDARC_LOG__FILTER", "info")
    };
    let mut folded = Vec::new();
    let last = loop {
        let output = command("names-folded").run().await;
        folded.extend(database.numbers("SELECT COUNT(*) FROM project WHERE name_search LIKE 'küche %'").await);
        if output.status.success() {
            break output;
        }
    };
    // Three batches of projects and one of clients; then the command runs to its end.
    assert_eq!(folded, [200, 400, 450, 450, 450], "{last:?}");
    let service = Setup::new().database(database).start().await;
    assert_eq!(find(&service, "projects", json!({ "nameContains": "küche 44" })).await.len(), 11);
    assert_eq!(find(&service, "clients", json!({ "nameContains": "strasse" })).await, ["1"]);
    service.stop().await;
}

#[tokio::test]
async fn folding_of_many_rows_logs_its_progress() {
    let database = Database::fresh();
    database.apply_migrations(FOLDED_TEXTS - 1).await;
    execute(&database, (0..ROWS).map(|at| former_row("project", &at.to_string(), "Roof"))).await;
    let output = Launch::keys(&database, &["list"]).env("BIDARC_LOG__FILTER", "info").run().await;
    for (done, total) in [("200", "450"), ("400", "450"), ("450", "450")] {
        let shown = output
            .stderr
            .lines()
            .any(|line| line.contains("folding the names") && line.contains(&format!("done={done} total={total}")));
        assert!(shown, "{done}: {output:?}");
    }
}

/// A node of the version before runs beside this one: it knows only the columns of its own.
#[tokio::test]
async fn row_that_the_version_before_writes_is_found_soon_after() {
    let service = Service::open().await;
    service.arcsite("project.created", r#"{"id":1,"name":"Roof"}"#).await.accepted();
    service.bidsketch("client_created", r#"{"id":1,"name":"Roof","email":"a@b.example","city":"X"}"#).await.accepted();
    let former = [
        former_row("project", "2", "Ku\u{308}che"),
        "UPDATE project SET name = 'KÜCHE', name_order = 'küche', name_folded = 'küche' WHERE vendor_id = '1'"
            .to_owned(),
        former_row("client", "2", "STRAßE"),
        "UPDATE client SET email = 'Ä@b.example', email_folded = 'ä@b.example', city = NULL, city_folded = NULL \
         WHERE vendor_id = '1'"
            .to_owned(),
    ];
    execute(service.database(), former).await;
    let found = async |list: &str, filter: Value, ids: &[&str]| {
        eventually(&filter.to_string(), TIMEOUT, async || {
            let mut found = find(&service, list, filter.clone()).await;
            found.sort_unstable();
            (found == ids).then_some(())
        })
        .await;
    };
    found("projects", json!({ "nameContains": "küche" }), &["1", "2"]).await;
    found("projects", json!({ "nameContains": "roof" }), &[]).await;
    found("clients", json!({ "nameContains": "strasse" }), &["2"]).await;
    found("clients", json!({ "email": "a\u{308}@b.example" }), &["1"]).await;
    found("clients", json!({ "city": "x" }), &[]).await;
    let database = service.stop().await;
    // Nothing of it is left to fold, and no other row was changed.
    for table in ["project", "client"] {
        let stale = format!("SELECT COUNT(*) FROM {table} WHERE name_folded <> name_search");
        assert_eq!(database.numbers(&stale).await, [0]);
    }
}

/// The version before sorted names differently, so its positions have other places now.
#[tokio::test]
async fn cursor_of_names_of_the_version_before_is_refused() {
    let service = Service::open().await;
    service.arcsite("project.created", r#"{"id":1,"name":"Roof"}"#).await.accepted();
    let by_name = "orderBy: { field: NAME, direction: ASC }";
    let data = service.query(&format!("{{ projects({by_name}) {{ edges {{ cursor }} }} }}")).await;
    let cursor = URL_SAFE_NO_PAD.decode(data["projects"]["edges"][0]["cursor"].as_str().unwrap()).unwrap();
    let cursor = String::from_utf8(cursor).unwrap();
    let former = URL_SAFE_NO_PAD.encode(cursor.replace("name_sort", "name_order"));
    assert_ne!(former, URL_SAFE_NO_PAD.encode(&cursor));
    for position in ["after", "before"] {
        let query = format!("{{ projects({by_name}, {position}: \"{former}\") {{ nodes {{ id }} }} }}");
        let error = service.query_error(&query).await;
        assert_bad_user_input(
            &error,
            "made by an earlier version of bidarc, which sorted names differently; take one from",
        );
    }
    service.stop().await;
}

#[tokio::test]
async fn making_indexes_of_events_again_logs_its_progress_if_there_are_events() {
    let first_start = async |events: &[&str]| {
        let database = Database::fresh();
        database.apply_migrations(FILE_KEYS - 1).await;
        execute(&database, events.iter().map(|event| (*event).to_owned())).await;
        let output = Launch::keys(&database, &["list"]).env("BIDARC_LOG__FILTER", "info").run().await;
        assert!(output.status.success(), "{output:?}");
        output.stderr.matches("making the indexes of events again").count()
    };
    let event = "INSERT INTO event (seq, provider, kind, vendor_type, subject, identity, received_at, order_key, body) \
        VALUES (1, 'ARCSITE', 'PROJECT_CREATED', 'project.created', 'project:1', 'i', 1, 1, '{}')";
    assert_eq!(first_start(&[event]).await, 5);
    assert_eq!(first_start(&[]).await, 0);
}

/// Its row has the key of the version before: a hash of the link alone.
#[tokio::test]
async fn file_of_the_version_before_gets_a_fresh_link() {
    let link = "https://files.example.com/a.pdf";
    let database = Database::fresh();
    database.apply_migrations(FILE_KEYS - 1).await;
    let hash = hex::encode(Sha256::digest(link));
    let row = format!(
        "INSERT INTO file (id, event_seq, drawing_vendor_id, role, kind, link, link_hash, link_expires_at, state, \
         attempts, next_attempt_at) VALUES (1, 1, '5', 'DRAWING', 'PDF', '{link}', '{hash}', 1, 'EXPIRED', 0, 1)"
    );
    execute(&database, [row]).await;

    let folder = database.directory().join("files").to_str().unwrap().to_owned();
    let setup = Setup::new().database(database).with(|settings| settings.files.store = Some(folder));
    let service = setup.start().await;
    let fresh = format!("{link}?Expires=4000000000&Signature=s");
    let data = json!({ "id": 5, "project_id": 1, "name": "Plan", "pdf_url": fresh }).to_string();
    service.arcsite("drawing.updated", &data).await.accepted();
    assert_eq!(service.database().texts("SELECT link FROM file ORDER BY id").await, [fresh.clone(), fresh]);
    service.stop().await;
}

/// A backup reads the whole time, and PostgreSQL changes no table meanwhile. Other nodes write.
#[tokio::test]
async fn migration_on_postgresql_waits_for_a_reader_and_lets_others_write() {
    let database = Database::in_cluster(&Cluster::shared());
    database.apply_migrations(FILE_KEYS - 1).await;
    let connection = database.connect().await;
    let backup = connection.begin().await.unwrap();
    backup.execute_unprepared("SELECT COUNT(*) FROM event").await.unwrap();

    let migration = Launch::keys(&database, &["list"]).env("BIDARC_LOG__FILTER", "info").start();
    migration.wait_for_log("reads a table that must be migrated").await;
    // Writers and readers wait no longer than the service lets them.
    let other = database.connect().await;
    for _ in 0..10 {
        let tx = other.begin().await.unwrap();
        tx.execute_unprepared("SET LOCAL lock_timeout = '1500ms'").await.unwrap();
        tx.execute_unprepared(POSTGRES_WRITE_LOCK).await.unwrap();
        tx.execute_unprepared("UPDATE file SET attempts = 0").await.unwrap();
        tx.execute_unprepared("SELECT COUNT(*) FROM event").await.unwrap();
        tx.commit().await.unwrap();
    }
    other.close().await.unwrap();

    backup.rollback().await.unwrap();
    assert!(migration.wait_within(TIMEOUT).await.success());
    let service = Setup::new().database(database).start().await;
    service.stop().await;
}
