//! A database that cannot be written to: the vendor is asked to come again, in time, and nothing is lost.

use std::time::{Duration, Instant};

use crate::harness::{BOUND, Service, eventually, fixture};

/// How soon a vendor has its answer, whatever happens.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_locked_database_is_503_in_time_and_the_same_body_is_taken_afterwards() {
    let service = Service::open().await;
    let intruder = service.database().lock().await;

    let started = Instant::now();
    let answer = service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await;
    let took = started.elapsed();
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(took < ANSWERED_WITHIN, "{took:?}");
    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(answer.json()["error"], "not available now; try again");
    // Reading goes on meanwhile.
    assert_eq!(service.total().await, 0);

    intruder.rollback().await.unwrap();
    // Whether the service was still trying or not when the lock went away: it is recorded, and once.
    eventually("the same body is taken", BOUND, async || {
        let answer = service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await;
        (answer.status == 200).then_some(())
    })
    .await;
    assert_eq!(service.total().await, 1);
    service.stop().await;
}

/// A vendor's many deliveries at once do not wait for each other's failure.
#[tokio::test(flavor = "multi_thread")]
async fn everyone_is_answered_in_time_while_the_database_is_locked() {
    let service = Service::open().await;
    let intruder = service.database().lock().await;
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
        assert!(took < ANSWERED_WITHIN, "{took:?}");
    }
    intruder.rollback().await.unwrap();
    eventually("it is taken again", BOUND, async || {
        let answer = service.post("/webhooks/arcsite", r#"{"event":"project.created","data":{"id":1000}}"#).await;
        (answer.status == 200).then_some(())
    })
    .await;
    service.stop().await;
}
