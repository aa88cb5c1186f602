//! Recovery of Bidsketch webhooks. Other nodes leave the work of a live node alone, and resume it
//! after that node has died.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::api::{BidsketchApi, Fault, Options};

use super::stop;
use crate::harness::{Client, Cluster, Database, Launch, Process, eventually};

const TOKEN: &str = "bidsketch-api-token-0123456789";
const CREATE: &str = "mutation { createBidsketchWebhook(input: { event: PROPOSAL_SENT }) { bidsketchWebhook { id state } \
                      userErrors { code } } }";
const LIST: &str = "{ bidsketchWebhooks { id state } }";
/// Nodes look for abandoned webhooks every five seconds.
const RECOVERED_WITHIN: Duration = Duration::from_secs(20);

async fn start_vendor() -> BidsketchApi {
    BidsketchApi::start(Options { token: TOKEN.to_owned(), ..Options::default() }).await.unwrap()
}

async fn start_node(api: &BidsketchApi, database: &Database, failpoint: &str) -> Process {
    let launch = Launch::new(database.directory())
        .env("BIDARC_BIDSKETCH__API_URL", &api.url())
        .env("BIDARC_BIDSKETCH__API_TOKEN", TOKEN)
        .env("BIDARC_BIDSKETCH__API_TIMEOUT_SECONDS", "30")
        .env("BIDARC_FAILPOINT", failpoint);
    launch.serve(0, database).await
}

/// Sends a GraphQL request in a task and does not wait.
fn spawn_request(client: &Client, query: &str) -> tokio::task::JoinHandle<Option<Value>> {
    let request = client.request(reqwest::Method::POST, "/graphql").header("content-type", "application/json");
    let request = request.body(json!({ "query": query }).to_string()).timeout(Duration::from_secs(60));
    tokio::spawn(async move { request.send().await.ok()?.json().await.ok() })
}

async fn states(client: &Client) -> Vec<Value> {
    let data = client.query(LIST).await;
    data["bidsketchWebhooks"].as_array().unwrap().iter().map(|webhook| webhook["state"].clone()).collect()
}

fn request_count(api: &BidsketchApi, method: &str) -> usize {
    api.requests().iter().filter(|request| request.method == method).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn creation_of_a_live_node_is_left_alone_and_ended_after_it_dies() {
    let (api, database) = (start_vendor().await, Database::in_cluster(&Cluster::shared()));
    let first = start_node(&api, &database, "").await;
    api.next(Fault::HangAfter);
    let hanging = spawn_request(&first, CREATE);
    eventually("Bidsketch gets the request", RECOVERED_WITHIN, async || {
        (request_count(&api, "POST") == 1).then_some(())
    })
    .await;
    // A node that starts now resumes abandoned webhooks. This one is not abandoned.
    let second = start_node(&api, &database, "").await;
    assert_eq!(states(&second).await, ["PENDING"]);
    let repeated = second.query(CREATE).await["createBidsketchWebhook"].take();
    assert_eq!((&repeated["bidsketchWebhook"]["state"], request_count(&api, "POST")), (&json!("PENDING"), 1));

    first.kill().await;
    assert!(hanging.await.unwrap().is_none(), "the killed node sent no response");
    eventually("the other node ends it", RECOVERED_WITHIN, async || {
        (states(&second).await == ["FAILED"]).then_some(())
    })
    .await;
    assert_eq!(database.texts("SELECT error_code FROM bidsketch_webhook").await, ["OUTCOME_UNKNOWN"]);
    assert_eq!(request_count(&api, "POST"), 1, "no node repeats the creation on its own");
    let created = second.query(CREATE).await["createBidsketchWebhook"].take();
    assert_eq!(created["bidsketchWebhook"]["state"], "ACTIVE", "{created}");
    stop(vec![second], &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_of_a_dead_node_is_resumed_by_another() {
    let (api, database) = (start_vendor().await, Database::in_cluster(&Cluster::shared()));
    let second = start_node(&api, &database, "").await;
    let id = second.query(CREATE).await["createBidsketchWebhook"]["bidsketchWebhook"]["id"].take();
    let delete = format!("mutation {{ deleteBidsketchWebhook(input: {{ id: {id} }}) {{ userErrors {{ code }} }} }}");
    let first = start_node(&api, &database, "webhook-deleting").await;
    assert!(spawn_request(&first, &delete).await.unwrap().is_none(), "the node died before it responded");
    assert!(!first.wait().await.success());
    eventually("the other node ends it", RECOVERED_WITHIN, async || {
        let states = database.texts("SELECT state FROM bidsketch_webhook").await;
        (states == ["DELETED"]).then_some(())
    })
    .await;
    assert_eq!(api.webhooks().len(), 0);
    stop(vec![second], &database).await;
}

/// A live node loses its job lock, as when the database restarts. Another node then fails the
/// creation. The late response of Bidsketch is still recorded.
#[tokio::test(flavor = "multi_thread")]
async fn creation_that_failed_too_early_becomes_active() {
    let (api, database) = (start_vendor().await, Database::in_cluster(&Cluster::shared()));
    let nodes = vec![start_node(&api, &database, "").await, start_node(&api, &database, "").await];
    api.next(Fault::SlowAfter(Duration::from_secs(15)));
    let created = spawn_request(&nodes[0], CREATE);
    eventually("Bidsketch gets the request", RECOVERED_WITHIN, async || {
        (request_count(&api, "POST") == 1).then_some(())
    })
    .await;
    let terminate = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE state = 'idle in transaction' \
               AND query LIKE '%pg_try_advisory_xact_lock%' AND datname = current_database()";
    assert_eq!(database.numbers(terminate).await, [1]);
    eventually("the other node fails it", RECOVERED_WITHIN, async || {
        (states(&nodes[1]).await == ["FAILED"]).then_some(())
    })
    .await;
    let created = created.await.unwrap().unwrap()["data"]["createBidsketchWebhook"].take();
    assert_eq!((&created["userErrors"], &created["bidsketchWebhook"]["state"]), (&json!([]), &json!("ACTIVE")));
    assert_eq!(
        (api.webhooks().len(), request_count(&api, "DELETE"), states(&nodes[1]).await),
        (1, 0, vec![json!("ACTIVE")])
    );
    let live = database.texts("SELECT live_event FROM bidsketch_webhook WHERE last_error IS NULL").await;
    assert_eq!(live, ["PROPOSAL_SENT"]);
    stop(nodes, &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_requested_at_all_nodes_are_created_once() {
    let (api, database) = (start_vendor().await, Database::in_cluster(&Cluster::shared()));
    let nodes = vec![
        start_node(&api, &database, "").await,
        start_node(&api, &database, "").await,
        start_node(&api, &database, "").await,
    ];
    let requests: Vec<_> = nodes
        .iter()
        .map(|node| spawn_request(node, "mutation { createAllBidsketchWebhooks { userErrors { code } } }"))
        .collect();
    for request in requests {
        let response = request.await.unwrap().unwrap();
        assert!(response.get("errors").is_none(), "{response}");
    }
    assert_eq!((request_count(&api, "POST"), api.webhooks().len()), (7, 7));
    eventually("all webhooks are active", RECOVERED_WITHIN, async || {
        (states(&nodes[2]).await == ["ACTIVE"; 7]).then_some(())
    })
    .await;
    stop(nodes, &database).await;
}
