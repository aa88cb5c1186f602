//! The service ends between any two steps: the real binary, ended where a failpoint says.

use serde_json::json;
use simulator::api::BidsketchApi;

use super::{TOKEN, calls, created, delete, list, path, proposal, user_error, vendor};
use crate::harness::{BOUND, Database, Launch, Process, envelope, eventually, lasting_port};

async fn launch(api: &BidsketchApi, port: u16, database: &Database, failpoint: Option<&str>) -> Process {
    let launch = Launch::new(database.directory())
        .env("BIDARC_BIDSKETCH__API_URL", &api.url())
        .env("BIDARC_BIDSKETCH__API_TOKEN", TOKEN)
        .env("BIDARC_BIDSKETCH__API_TIMEOUT_SECONDS", "2")
        .env("BIDARC_FAILPOINT", failpoint.unwrap_or_default());
    launch.serve(port, database).await
}

/// Asks for something of a service that ends before it answers.
async fn ask_and_crash(process: Process, query: &str) {
    let asked = process
        .request(reqwest::Method::POST, "/graphql")
        .header("content-type", "application/json")
        .body(json!({ "query": query }).to_string())
        .send()
        .await;
    assert!(asked.is_err(), "the service has answered: {asked:?}");
    assert!(!process.ended().await.success());
}

const CREATE: &str = "mutation { createBidsketchWebhook(input: { event: PROPOSAL_SENT }) { userErrors { code } } }";

#[tokio::test]
async fn before_bidsketch_is_asked() {
    let (api, port, database) = (vendor().await, lasting_port().await, Database::fresh());
    ask_and_crash(launch(&api, port, &database, Some("webhook-inserted")).await, CREATE).await;
    assert_eq!(calls(&api, "POST"), 0);
    let service = launch(&api, port, &database, None).await;
    let left = list(&service).await;
    assert_eq!((left.len(), &left[0]["state"]), (1, &json!("FAILED")));
    assert_eq!(calls(&api, "POST"), 0, "it is not asked for by itself");
    created(&service, "PROPOSAL_SENT").await;
    assert_eq!(api.webhooks().len(), 1);
    service.stop(&database).await;
}

#[tokio::test]
async fn after_bidsketch_s_answer_and_before_it_is_kept() {
    let (api, port, database) = (vendor().await, lasting_port().await, Database::fresh());
    ask_and_crash(launch(&api, port, &database, Some("webhook-answered")).await, CREATE).await;
    assert_eq!(api.webhooks().len(), 1, "Bidsketch has it");

    let service = launch(&api, port, &database, None).await;
    let left = list(&service).await;
    assert_eq!((left.len(), &left[0]["state"], &left[0]["vendorId"]), (1, &json!("FAILED"), &json!(null)));
    let codes = database.texts("SELECT error_code FROM bidsketch_webhook").await;
    assert_eq!(codes, ["OUTCOME_UNKNOWN"]);
    assert!(left[0]["lastError"].as_str().unwrap().contains("not known"), "{}", left[0]);
    // What it delivers is recorded.
    let heard = api.deliver("proposal_sent", &proposal(1)).await;
    assert_eq!(heard[0].status, Some(200));
    assert_eq!(service.total().await, 1);
    // After a new creation the orphan is gone at its first delivery.
    created(&service, "PROPOSAL_SENT").await;
    let heard: Vec<_> = api.deliver("proposal_sent", &proposal(2)).await.into_iter().map(|one| one.status).collect();
    assert_eq!(heard, [Some(410), Some(200)]);
    assert_eq!(api.webhooks().len(), 1);
    assert_eq!(calls(&api, "POST"), 2);
    service.stop(&database).await;
}

#[tokio::test]
async fn after_the_answer_is_kept() {
    let (api, port, database) = (vendor().await, lasting_port().await, Database::fresh());
    ask_and_crash(launch(&api, port, &database, Some("webhook-activated")).await, CREATE).await;
    let service = launch(&api, port, &database, None).await;
    let left = list(&service).await;
    assert_eq!((left.len(), &left[0]["state"]), (1, &json!("ACTIVE")));
    // Its secret was never told; it works all the same, and is not made twice.
    assert_eq!(created(&service, "PROPOSAL_SENT").await["id"], left[0]["id"]);
    assert_eq!(api.deliver("proposal_sent", &proposal(1)).await[0].status, Some(200));
    assert_eq!(calls(&api, "POST"), 1);
    service.stop(&database).await;
}

#[tokio::test]
async fn before_and_after_bidsketch_is_asked_to_delete() {
    for (failpoint, asked_before) in [("webhook-deleting", 0), ("webhook-delete-answered", 1)] {
        let (api, port, database) = (vendor().await, lasting_port().await, Database::fresh());
        let first = launch(&api, port, &database, Some(failpoint)).await;
        let webhook = created(&first, "PROPOSAL_SENT").await;
        let mutation = "mutation { deleteBidsketchWebhook(input: { id: \"webhook:1\" }) { userErrors { code } } }";
        ask_and_crash(first, mutation).await;
        assert_eq!(calls(&api, "DELETE"), asked_before, "{failpoint}");
        let service = launch(&api, port, &database, None).await;
        let endpoint = webhook["endpoint"].as_str().unwrap();
        let answer = service.post(path(endpoint), envelope("proposal_sent", &proposal(1))).await;
        assert_eq!(answer.status, 410, "{failpoint}: its URL was dead before Bidsketch was asked");
        eventually("the deletion is seen through", BOUND, async || list(&service).await.is_empty().then_some(())).await;
        assert!(api.webhooks().is_empty(), "{failpoint}");
        service.stop(&database).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_break_a_creation_off() {
    let (api, port, database) = (vendor().await, lasting_port().await, Database::fresh());
    let service = launch(&api, port, &database, None).await;
    api.next(simulator::api::Fault::HangBefore);
    let impatient = service
        .request(reqwest::Method::POST, "/graphql")
        .header("content-type", "application/json")
        .timeout(std::time::Duration::from_millis(300))
        .body(json!({ "query": CREATE }).to_string())
        .send()
        .await;
    assert!(impatient.is_err_and(|error| error.is_timeout()));
    eventually("the creation is seen through", BOUND, async || {
        (list(&service).await.first()?["state"] == "FAILED").then_some(())
    })
    .await;
    // What failed for good can be put away, without Bidsketch.
    let deleted = delete(&service, json!({ "id": "webhook:1" })).await;
    assert_eq!((&deleted["userErrors"], &deleted["bidsketchWebhook"]["state"]), (&json!([]), &json!("DELETED")));
    assert_eq!(user_error(&delete(&service, json!({ "id": "webhook:2" })).await).0, "NOT_FOUND");
    assert_eq!(calls(&api, "DELETE"), 0);
    service.stop(&database).await;
}
