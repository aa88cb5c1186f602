//! Hooks to what is registered.

use std::sync::Mutex;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;

use super::*;

/// Something that answers each path with the status that is its name, and what was posted to it.
async fn endpoint() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let posted = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let bodies = Arc::clone(&posted);
    let answer = async move |Path(status): Path<u16>, body: String| {
        bodies.lock().unwrap().push(format!("{status} {body}"));
        StatusCode::from_u16(status).unwrap()
    };
    let app = Router::new().route("/{status}", axum::routing::post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, posted)
}

async fn register(api: &BidsketchApi, event: &str, endpoint: String) -> u64 {
    create(api, &json!({"event": event, "endpoint": endpoint})).await.1["id"].as_u64().unwrap()
}

#[tokio::test]
async fn a_hook_goes_once_to_each_webhook_of_its_type_and_410_deletes_one() {
    let api = start().await;
    let (address, posted) = endpoint().await;
    let mut ids = Vec::new();
    for status in [200, 410, 500, 404] {
        ids.push(register(&api, "proposal_sent", format!("http://{address}/{status}")).await);
    }
    let other = register(&api, "proposal_viewed", format!("http://{address}/200")).await;

    let delivery = |webhook, status| Delivery { webhook, status: Some(status) };
    let data = r#"{"id": 4815162342,  "total": 1.50}"#;
    assert_eq!(
        api.deliver("proposal_sent", data).await,
        [delivery(ids[0], 200), delivery(ids[1], 410), delivery(ids[2], 500), delivery(ids[3], 404)]
    );
    let body = r#"{"event":"proposal_sent","data":{"id": 4815162342,  "total": 1.50}}"#;
    assert_eq!(*posted.lock().unwrap(), [200, 410, 500, 404].map(|status| format!("{status} {body}")));

    let left: Vec<u64> = api.webhooks().iter().map(|webhook| webhook.id).collect();
    assert_eq!(left, [ids[0], ids[2], ids[3], other]);
    assert_eq!(delete(&api, ids[1]).await, 404);
    assert_eq!(api.deliver("proposal_sent", data).await.len(), 3);
    assert_eq!(api.deliver("client_created", data).await, []);
}

#[tokio::test]
async fn no_answer_leaves_the_webhook_and_other_machines_are_left_alone() {
    let api = start().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let silent = register(&api, "proposal_sent", format!("http://{closed}/")).await;
    // Not a loopback address, though it leads to this machine: something would answer if it were asked.
    let (address, posted) = endpoint().await;
    let remote = register(&api, "proposal_sent", format!("http://0.0.0.0:{}/200", address.port())).await;
    let none = |webhook| Delivery { webhook, status: None };
    assert_eq!(api.deliver("proposal_sent", "{}").await, [none(silent), none(remote)]);
    assert!(posted.lock().unwrap().is_empty());
    assert_eq!(api.webhooks().len(), 2);
}
