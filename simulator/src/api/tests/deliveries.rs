//! Delivering hooks to registered webhooks.

use std::sync::Mutex;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;

use super::*;

/// An endpoint that answers each path with the status in the path, and its log of bodies.
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
async fn hook_goes_once_to_each_webhook_of_its_type_and_410_deletes_the_webhook() {
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

    let remaining: Vec<u64> = api.webhooks().iter().map(|webhook| webhook.id).collect();
    assert_eq!(remaining, [ids[0], ids[2], ids[3], other]);
    assert_eq!(delete(&api, ids[1]).await, 404);
    assert_eq!(api.deliver("proposal_sent", data).await.len(), 3);
    assert_eq!(api.deliver("client_created", data).await, []);
}

#[tokio::test]
async fn unanswered_webhook_stays_and_other_machines_get_nothing() {
    let api = start().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let silent = register(&api, "proposal_sent", format!("http://{closed}/")).await;
    // Not a loopback address, although it leads to this machine. The endpoint would answer.
    let (address, posted) = endpoint().await;
    let remote = register(&api, "proposal_sent", format!("http://0.0.0.0:{}/200", address.port())).await;
    let no_answer = |webhook| Delivery { webhook, status: None };
    assert_eq!(api.deliver("proposal_sent", "{}").await, [no_answer(silent), no_answer(remote)]);
    assert!(posted.lock().unwrap().is_empty());
    assert_eq!(api.webhooks().len(), 2);
}
