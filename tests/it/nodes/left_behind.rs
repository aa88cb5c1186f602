//! The webhooks at Bidsketch: work that one node has in hand is left alone by the others, and gone on with once its node has died.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::api::{BidsketchApi, Fault, Options};

use super::stop;
use crate::harness::{Client, Cluster, Database, Launch, Process, eventually};

const TOKEN: &str = "bidsketch-api-token-0123456789";
const CREATE: &str = "mutation { createBidsketchWebhook(input: { event: PROPOSAL_SENT }) { bidsketchWebhook { id state } \
                      userErrors { code } } }";
const LIST: &str = "{ bidsketchWebhooks { id state } }";
/// Others look every five seconds.
const LOOKED_WITHIN: Duration = Duration::from_secs(20);

async fn vendor() -> BidsketchApi {
    BidsketchApi::start(Options { token: TOKEN.to_owned(), ..Options::default() }).await.unwrap()
}

async fn node(api: &BidsketchApi, database: &Database, failpoint: &str) -> Process {
    let launch = Launch::new(database.directory())
        .env("BIDARC_BIDSKETCH__API_URL", &api.url())
        .env("BIDARC_BIDSKETCH__API_TOKEN", TOKEN)
        .env("BIDARC_BIDSKETCH__API_TIMEOUT_SECONDS", "30")
        .env("BIDARC_FAILPOINT", failpoint);
    launch.serve(0, database).await
}

/// Asks, and does not wait.
fn begin(client: &Client, query: &str) -> tokio::task::JoinHandle<Option<Value>> {
    let request = client.request(reqwest::Method::POST, "/graphql").header("content-type", "application/json");
    let request = request.body(json!({ "query": query }).to_string()).timeout(Duration::from_secs(60));
    tokio::spawn(async move { request.send().await.ok()?.json().await.ok() })
}

async fn states(client: &Client) -> Vec<Value> {
    let data = client.query(LIST).await;
    data["bidsketchWebhooks"].as_array().unwrap().iter().map(|webhook| webhook["state"].clone()).collect()
}

fn asked(api: &BidsketchApi, method: &str) -> usize {
    api.requests().iter().filter(|request| request.method == method).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_is_left_alone_while_its_node_lives_and_ended_once_it_has_died() {
    let (api, database) = (vendor().await, Database::in_cluster(&Cluster::shared()));
    let first = node(&api, &database, "").await;
    api.next(Fault::HangAfter);
    let hanging = begin(&first, CREATE);
    eventually("Bidsketch is asked", LOOKED_WITHIN, async || (asked(&api, "POST") == 1).then_some(())).await;
    // One that starts now goes on with what was left behind: this was not.
    let second = node(&api, &database, "").await;
    assert_eq!(states(&second).await, ["PENDING"]);
    let again = second.query(CREATE).await["createBidsketchWebhook"].take();
    assert_eq!((&again["bidsketchWebhook"]["state"], asked(&api, "POST")), (&json!("PENDING"), 1));

    first.kill().await;
    assert!(hanging.await.unwrap().is_none(), "nobody has answered");
    eventually("the other sees to it", LOOKED_WITHIN, async || (states(&second).await == ["FAILED"]).then_some(()))
        .await;
    assert_eq!(database.texts("SELECT error_code FROM bidsketch_webhook").await, ["OUTCOME_UNKNOWN"]);
    assert_eq!(asked(&api, "POST"), 1, "it is not asked for by itself");
    let created = second.query(CREATE).await["createBidsketchWebhook"].take();
    assert_eq!(created["bidsketchWebhook"]["state"], "ACTIVE", "{created}");
    stop(vec![second], &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_is_gone_on_with_by_another_node() {
    let (api, database) = (vendor().await, Database::in_cluster(&Cluster::shared()));
    let second = node(&api, &database, "").await;
    let id = second.query(CREATE).await["createBidsketchWebhook"]["bidsketchWebhook"]["id"].take();
    let delete = format!("mutation {{ deleteBidsketchWebhook(input: {{ id: {id} }}) {{ userErrors {{ code }} }} }}");
    let first = node(&api, &database, "webhook-deleting").await;
    assert!(begin(&first, &delete).await.unwrap().is_none(), "it has died before it answered");
    assert!(!first.ended().await.success());
    eventually("the other sees to it", LOOKED_WITHIN, async || {
        let states = database.texts("SELECT state FROM bidsketch_webhook").await;
        (states == ["DELETED"]).then_some(())
    })
    .await;
    assert_eq!(api.webhooks().len(), 0);
    stop(vec![second], &database).await;
}

/// The lock is lost while its holder lives, as when the database is restarted: another node gives the creation up, and Bidsketch's
/// answer, which comes late, is kept all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_was_given_up_too_early_is_there_after_all() {
    let (api, database) = (vendor().await, Database::in_cluster(&Cluster::shared()));
    let nodes = vec![node(&api, &database, "").await, node(&api, &database, "").await];
    api.next(Fault::SlowAfter(Duration::from_secs(15)));
    let created = begin(&nodes[0], CREATE);
    eventually("Bidsketch is asked", LOOKED_WITHIN, async || (asked(&api, "POST") == 1).then_some(())).await;
    let cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE state = 'idle in transaction' \
               AND query LIKE '%pg_try_advisory_xact_lock%' AND datname = current_database()";
    assert_eq!(database.numbers(cut).await, [1]);
    eventually("it is given up", LOOKED_WITHIN, async || (states(&nodes[1]).await == ["FAILED"]).then_some(())).await;
    let created = created.await.unwrap().unwrap()["data"]["createBidsketchWebhook"].take();
    assert_eq!((&created["userErrors"], &created["bidsketchWebhook"]["state"]), (&json!([]), &json!("ACTIVE")));
    assert_eq!((api.webhooks().len(), asked(&api, "DELETE"), states(&nodes[1]).await), (1, 0, vec![json!("ACTIVE")]));
    let live = database.texts("SELECT live_event FROM bidsketch_webhook WHERE last_error IS NULL").await;
    assert_eq!(live, ["PROPOSAL_SENT"]);
    stop(nodes, &database).await;
}

/// All nodes are asked for the same at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_all_nodes_are_asked_for_is_made_once() {
    let (api, database) = (vendor().await, Database::in_cluster(&Cluster::shared()));
    let nodes = vec![node(&api, &database, "").await, node(&api, &database, "").await, node(&api, &database, "").await];
    let asked_for: Vec<_> = nodes
        .iter()
        .map(|node| begin(node, "mutation { createAllBidsketchWebhooks { userErrors { code } } }"))
        .collect();
    for one in asked_for {
        let answer = one.await.unwrap().unwrap();
        assert!(answer.get("errors").is_none(), "{answer}");
    }
    assert_eq!((asked(&api, "POST"), api.webhooks().len()), (7, 7));
    eventually("all are there", LOOKED_WITHIN, async || (states(&nodes[2]).await == ["ACTIVE"; 7]).then_some(())).await;
    stop(nodes, &database).await;
}
