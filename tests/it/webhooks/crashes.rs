//! Crashes between any two steps: a failpoint ends the real binary.

use serde_json::json;
use simulator::api::BidsketchApi;

use super::{TOKEN, calls, created, delete, list, path, proposal, user_error, vendor};
use crate::harness::{Database, Launch, Process, TIMEOUT, envelope, eventually, reserved_port};

async fn launch(api: &BidsketchApi, port: u16, database: &Database, failpoint: Option<&str>) -> Process {
    let launch = Launch::new(database.directory())
        .env("BIDARC_BIDSKETCH__API_URL", &api.url())
        .env("BIDARC_BIDSKETCH__API_TOKEN", TOKEN)
        .env("BIDARC_BIDSKETCH__API_TIMEOUT_SECONDS", "2")
        .env("BIDARC_FAILPOINT", failpoint.unwrap_or_default());
    launch.serve(port, database).await
}

/// Sends a request to a service that ends before it answers.
async fn send_and_crash(process: Process, query: &str) {
    let response = process
        .request(reqwest::Method::POST, "/graphql")
        .header("content-type", "application/json")
        .body(json!({ "query": query }).to_string())
        .send()
        .await;
    assert!(response.is_err(), "the service has answered: {response:?}");
    assert!(!process.wait().await.success());
}

const CREATE: &str = "mutation { createBidsketchWebhook(input: { event: PROPOSAL_SENT }) { userErrors { code } } }";

#[tokio::test]
async fn crash_before_the_request_fails_the_creation() {
    let (api, port, database) = (vendor().await, reserved_port().await, Database::fresh());
    send_and_crash(launch(&api, port, &database, Some("webhook-inserted")).await, CREATE).await;
    assert_eq!(calls(&api, "POST"), 0);
    let service = launch(&api, port, &database, None).await;
    let webhooks = list(&service).await;
    assert_eq!((webhooks.len(), &webhooks[0]["state"]), (1, &json!("FAILED")));
    assert_eq!(calls(&api, "POST"), 0, "the creation is not retried");
    created(&service, "PROPOSAL_SENT").await;
    assert_eq!(api.webhooks().len(), 1);
    service.stop(&database).await;
}

#[tokio::test]
async fn crash_before_the_answer_is_stored_leaves_an_orphan() {
    let (api, port, database) = (vendor().await, reserved_port().await, Database::fresh());
    send_and_crash(launch(&api, port, &database, Some("webhook-answered")).await, CREATE).await;
    assert_eq!(api.webhooks().len(), 1, "Bidsketch has it");

    let service = launch(&api, port, &database, None).await;
    let webhooks = list(&service).await;
    assert_eq!((webhooks.len(), &webhooks[0]["state"], &webhooks[0]["vendorId"]), (1, &json!("FAILED"), &json!(null)));
    let codes = database.texts("SELECT error_code FROM bidsketch_webhook").await;
    assert_eq!(codes, ["OUTCOME_UNKNOWN"]);
    assert!(webhooks[0]["lastError"].as_str().unwrap().contains("not known"), "{}", webhooks[0]);
    // Its deliveries are recorded.
    let deliveries = api.deliver("proposal_sent", &proposal(1)).await;
    assert_eq!(deliveries[0].status, Some(200));
    assert_eq!(service.event_count().await, 1);
    // After a new creation the orphan is deleted at its next delivery.
    created(&service, "PROPOSAL_SENT").await;
    let deliveries: Vec<_> =
        api.deliver("proposal_sent", &proposal(2)).await.into_iter().map(|delivery| delivery.status).collect();
    assert_eq!(deliveries, [Some(410), Some(200)]);
    assert_eq!(api.webhooks().len(), 1);
    assert_eq!(calls(&api, "POST"), 2);
    service.stop(&database).await;
}

#[tokio::test]
async fn crash_after_the_answer_is_stored_keeps_the_webhook() {
    let (api, port, database) = (vendor().await, reserved_port().await, Database::fresh());
    send_and_crash(launch(&api, port, &database, Some("webhook-activated")).await, CREATE).await;
    let service = launch(&api, port, &database, None).await;
    let webhooks = list(&service).await;
    assert_eq!((webhooks.len(), &webhooks[0]["state"]), (1, &json!("ACTIVE")));
    // The client never got its secret. It works, and is not created twice.
    assert_eq!(created(&service, "PROPOSAL_SENT").await["id"], webhooks[0]["id"]);
    assert_eq!(api.deliver("proposal_sent", &proposal(1)).await[0].status, Some(200));
    assert_eq!(calls(&api, "POST"), 1);
    service.stop(&database).await;
}

#[tokio::test]
async fn crash_during_a_deletion_is_completed_at_the_start() {
    for (failpoint, requests) in [("webhook-deleting", 0), ("webhook-delete-answered", 1)] {
        let (api, port, database) = (vendor().await, reserved_port().await, Database::fresh());
        let first = launch(&api, port, &database, Some(failpoint)).await;
        let webhook = created(&first, "PROPOSAL_SENT").await;
        let mutation = "mutation { deleteBidsketchWebhook(input: { id: \"webhook:1\" }) { userErrors { code } } }";
        send_and_crash(first, mutation).await;
        assert_eq!(calls(&api, "DELETE"), requests, "{failpoint}");
        let service = launch(&api, port, &database, None).await;
        let endpoint = webhook["endpoint"].as_str().unwrap();
        let answer = service.post(path(endpoint), envelope("proposal_sent", &proposal(1))).await;
        assert_eq!(answer.status, 410, "{failpoint}: its URL was retired before the request to Bidsketch");
        eventually("the deletion completes", TIMEOUT, async || list(&service).await.is_empty().then_some(())).await;
        assert!(api.webhooks().is_empty(), "{failpoint}");
        service.stop(&database).await;
    }
}

#[tokio::test]
async fn creation_with_a_disconnected_client_completes() {
    let (api, port, database) = (vendor().await, reserved_port().await, Database::fresh());
    let service = launch(&api, port, &database, None).await;
    api.next(simulator::api::Fault::HangBefore);
    let response = service
        .request(reqwest::Method::POST, "/graphql")
        .header("content-type", "application/json")
        .timeout(std::time::Duration::from_millis(300))
        .body(json!({ "query": CREATE }).to_string())
        .send()
        .await;
    assert!(response.is_err_and(|error| error.is_timeout()));
    eventually("the creation completes", TIMEOUT, async || {
        (list(&service).await.first()?["state"] == "FAILED").then_some(())
    })
    .await;
    // A failed creation can be deleted without a request to Bidsketch.
    let deleted = delete(&service, json!({ "id": "webhook:1" })).await;
    assert_eq!((&deleted["userErrors"], &deleted["bidsketchWebhook"]["state"]), (&json!([]), &json!("DELETED")));
    assert_eq!(user_error(&delete(&service, json!({ "id": "webhook:2" })).await).0, "NOT_FOUND");
    assert_eq!(calls(&api, "DELETE"), 0);
    service.stop(&database).await;
}
