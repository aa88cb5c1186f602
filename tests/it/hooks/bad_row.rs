//! One delivery among many that the database does not take: it alone is kept aside.

use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::harness::{Service, envelope};

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_database_refuses_holds_up_nobody_else() {
    const AT_ONCE: u32 = 40;
    let service = Service::open().await;
    let other = service.database().connect().await;
    let trigger = service.database().says(
        "CREATE TRIGGER no_bad_names BEFORE INSERT ON project WHEN NEW.name = 'bad' \
         BEGIN SELECT RAISE(ABORT, 'not this name'); END",
        "ALTER TABLE project ADD CONSTRAINT \"not this name\" CHECK (name <> 'bad')",
    );
    other.execute_unprepared(trigger).await.unwrap();
    other.close().await.unwrap();

    let posts: Vec<_> = (0..AT_ONCE)
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
    assert_eq!(service.total().await, u64::from(AT_ONCE) - 1);
    let query = r#"{
        quarantinedDeliveries { nodes { quarantineReason vendorType body detail } }
        project(vendorId: "17") { id }
    }"#;
    let found = service.query(query).await;
    let kept = &found["quarantinedDeliveries"]["nodes"];
    assert_eq!(kept.as_array().unwrap().len(), 1);
    assert_eq!(kept[0]["quarantineReason"], "INVALID_PAYLOAD");
    assert_eq!(kept[0]["vendorType"], "project.created");
    assert_eq!(kept[0]["body"], envelope("project.created", r#"{"id":17,"name":"bad"}"#));
    // What the database said is for the log, not for clients.
    assert!(!kept[0]["detail"].as_str().unwrap().contains("not this name"), "{}", kept[0]);
    assert_eq!(found["project"], json!(null));
    service.stop().await;
}
