//! The database refuses one delivery among many: only that one is quarantined.

use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::harness::{Service, envelope};

#[tokio::test(flavor = "multi_thread")]
async fn delivery_with_a_value_the_database_refuses_is_quarantined_alone() {
    const POSTS: u32 = 40;
    let service = Service::open().await;
    let connection = service.database().connect().await;
    let trigger = service.database().by_dialect(
        "CREATE TRIGGER no_bad_names BEFORE INSERT ON project WHEN NEW.name = 'bad' \
         BEGIN SELECT RAISE(ABORT, 'not this name'); END",
        "ALTER TABLE project ADD CONSTRAINT \"not this name\" CHECK (name <> 'bad')",
    );
    connection.execute_unprepared(trigger).await.unwrap();
    connection.close().await.unwrap();

    let posts: Vec<_> = (0..POSTS)
        .map(|id| {
            let client = service.client().clone();
            let name = if id == 17 { "bad" } else { "good" };
            let data = format!(r#"{{"id":{id},"name":"{name}"}}"#);
            tokio::spawn(
                async move { (id, client.post("/webhooks/arcsite", envelope("project.created", &data)).await) },
            )
        })
        .collect();
    for post in posts {
        let (id, answer) = post.await.unwrap();
        if id == 17 { answer.receipt().quarantined() } else { drop(answer.receipt().accepted()) }
    }
    assert_eq!(service.event_count().await, u64::from(POSTS) - 1);
    let query = r#"{
        quarantinedDeliveries { nodes { quarantineReason vendorType body detail } }
        project(vendorId: "17") { id }
    }"#;
    let data = service.query(query).await;
    let quarantined = &data["quarantinedDeliveries"]["nodes"];
    assert_eq!(quarantined.as_array().unwrap().len(), 1);
    assert_eq!(quarantined[0]["quarantineReason"], "INVALID_PAYLOAD");
    assert_eq!(quarantined[0]["vendorType"], "project.created");
    assert_eq!(quarantined[0]["body"], envelope("project.created", r#"{"id":17,"name":"bad"}"#));
    // The database's own message goes to the log, not to clients.
    assert!(!quarantined[0]["detail"].as_str().unwrap().contains("not this name"), "{}", quarantined[0]);
    assert_eq!(data["project"], json!(null));
    service.stop().await;
}
