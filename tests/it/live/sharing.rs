//! Equal subscriptions share one execution. Each one gets the messages that it would get alone.

use serde_json::json;

use crate::harness::{Service, Subscription, assert_bad_user_input};

const RESUMING: &str = "subscription ($after: String) { events(after: $after) { id } }";

async fn project(service: &Service, id: u32) -> String {
    service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted()
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_subscription_from_any_cursor_has_no_gap_and_no_repeat() {
    let service = Service::open().await;
    let head = service.head().await;
    let poster = {
        let client = service.client().clone();
        tokio::spawn(async move {
            for id in 0..300 {
                client.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
            }
        })
    };
    let mut open = Vec::new();
    for _ in 0..20 {
        let page = service.query("{ events(first: 1) { nodes { id cursor } } }").await;
        let node = &page["events"]["nodes"][0];
        let (after, next) = match node["id"].as_str() {
            Some(id) => (node["cursor"].clone(), id.trim_start_matches("event:").parse::<u64>().unwrap() + 1),
            None => (json!(head), 1),
        };
        open.push((Subscription::open(&service, RESUMING, json!({ "after": after })).await, next));
        open.push((Subscription::open(&service, RESUMING, json!({ "after": head })).await, 1));
    }
    poster.await.unwrap();
    for (mut subscription, next) in open {
        for id in next..=300 {
            assert_eq!(subscription.next().await["events"]["id"], format!("event:{id}"));
        }
        subscription.complete().await;
    }
    service.stop().await;
}

#[tokio::test]
async fn cursor_default_in_the_document_is_used() {
    let service = Service::open().await;
    let head = service.head().await;
    let first = project(&service, 1).await;
    let query = format!("subscription ($after: String = {head:?}) {{ events(after: $after) {{ id }} }}");
    let mut subscription = service.subscribe(&query).await;
    assert_eq!(subscription.next().await["events"]["id"], first);
    subscription.complete().await;
    service.stop().await;
}

#[tokio::test]
async fn invalid_subscription_gets_its_own_error() {
    let service = Service::open().await;
    for _ in 0..2 {
        let mut wrong = service.subscribe("subscription { events(filter: { projectId: \"nonsense\" }) { id } }").await;
        assert_bad_user_input(&wrong.error().await, "project:");
        let mut malformed = Subscription::open(&service, RESUMING, json!({ "after": "nonsense" })).await;
        assert_bad_user_input(&malformed.error().await, "cursor");
        let mut unknown = service.subscribe("subscription { events { nothing } }").await;
        assert!(unknown.error().await["message"].as_str().unwrap().contains("nothing"));
    }
    service.stop().await;
}

#[tokio::test]
async fn unreadable_event_fails_only_subscriptions_that_select_it() {
    let service = Service::open().await;
    let clients = "subscription { events(filter: { kind: [CLIENT_CREATED] }) { id } }";
    let mut clients = service.subscribe(clients).await;
    let mut all = service.subscribe("subscription { events { id } }").await;
    project(&service, 1).await;
    assert_eq!(all.next().await["events"]["id"], "event:1");
    // The kind is unknown to this version, as if a later version had written it.
    let database = service.database().connect().await;
    use sea_orm::ConnectionTrait;
    database
        .execute_unprepared(
            "INSERT INTO event (seq, provider, kind, vendor_type, subject, identity, status, occurred_at, received_at, signed_at, \
             order_key, proposal_vendor_id, client_vendor_id, project_vendor_id, drawing_vendor_id, body) SELECT 2, provider, 'DREAMT', vendor_type, 'x:2', 'x', status, occurred_at, received_at, signed_at, \
             order_key, proposal_vendor_id, client_vendor_id, project_vendor_id, drawing_vendor_id, body FROM event; \
             INSERT INTO delivery (id, provider, vendor_type, received_at, outcome, event_seq) \
             SELECT 2, provider, vendor_type, received_at, outcome, 2 FROM delivery",
        )
        .await
        .unwrap();
    service.bidsketch("client_created", r#"{"id":7}"#).await.accepted();
    assert_eq!(clients.next().await["events"]["id"], "event:3");
    assert_eq!(all.error().await["extensions"]["code"], "INTERNAL");
    database.close().await.unwrap();
    service.stop().await;
}
