//! The database is locked and cannot be written. The vendor gets a prompt 503, retries, and no
//! delivery is lost.

use std::time::{Duration, Instant};

use crate::harness::{Service, TIMEOUT, eventually, fixture};

/// The longest time until a vendor gets a response, and what a busy machine may need besides.
const RESPONSE_WITHIN: Duration = Duration::from_secs(2 + 3);

#[tokio::test]
async fn delivery_to_a_locked_database_gets_a_prompt_503_and_its_retry_is_accepted() {
    let service = Service::open().await;
    let lock = service.database().hold_write_lock().await;

    let started = Instant::now();
    let response = service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await;
    let took = started.elapsed();
    assert_eq!(response.status, 503, "{response:?}");
    assert!(took < RESPONSE_WITHIN, "{took:?}");
    assert!(response.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(response.json()["error"], "not available now; try again");
    // Queries still work.
    assert_eq!(service.event_count().await, 0);

    lock.rollback().await.unwrap();
    // The service may still have been trying when the lock was released. Either way the log has the
    // event once.
    eventually("the same body is accepted", TIMEOUT, async || {
        let response = service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await;
        (response.status == 200).then_some(())
    })
    .await;
    assert_eq!(service.event_count().await, 1);
    service.stop().await;
}

/// Concurrent deliveries do not wait for one another's time-out.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_deliveries_to_a_locked_database_get_a_prompt_503() {
    let service = Service::open().await;
    let lock = service.database().hold_write_lock().await;
    let posts: Vec<_> = (0..20)
        .map(|id| {
            let client = service.client().clone();
            tokio::spawn(async move {
                let started = Instant::now();
                let body = format!(r#"{{"event":"project.created","data":{{"id":{id}}}}}"#);
                (client.post("/webhooks/arcsite", body).await.status, started.elapsed())
            })
        })
        .collect();
    for post in posts {
        let (status, took) = post.await.unwrap();
        assert_eq!(status, 503);
        assert!(took < RESPONSE_WITHIN, "{took:?}");
    }
    lock.rollback().await.unwrap();
    eventually("deliveries are accepted again", TIMEOUT, async || {
        let response = service.post("/webhooks/arcsite", r#"{"event":"project.created","data":{"id":1000}}"#).await;
        (response.status == 200).then_some(())
    })
    .await;
    service.stop().await;
}
