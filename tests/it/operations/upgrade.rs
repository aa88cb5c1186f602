//! A start on a database of an earlier version migrates its rows.

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::harness::{Database, Service, Setup, texts};

/// The number of the migration that adds search columns of bounded length.
const SEARCH_COLUMNS: u32 = 5;

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
    let rows = database.dump().await;
    let database = Setup::new().database(database).start().await.stop().await;
    assert_eq!(database.dump().await, rows);
}
