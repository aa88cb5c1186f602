//! `bidarc copy`: another database of either kind with all that there was, or nothing.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use simulator::api::{BidsketchApi, Options};
use simulator::hook::Vendor;

use crate::harness::{
    BOUND, Client, Cluster, Database, Launch, ManualClock, Process, SECRET, Service, Setup, add_key, assert_same,
    envelope, eventually, hooks, lengthen, office, texts,
};

/// Thousands of rows, each written twice over.
const COPIED_WITHIN: Duration = Duration::from_secs(60);

/// What an office sees: a page of each list, with all that hangs on it.
const SEEN: [&str; 6] = [
    "{ headCursor events(first: 100) { totalCount edges { cursor } nodes { id provider kind vendorTypes occurredAt \
     receivedAt payload deliveries { id outcome } } } }",
    "{ projects(first: 100) { totalCount edges { cursor } nodes { id name jobNumber tags customer { name email } createdAt \
     updatedAt firstSeenAt lastEventAt } } }",
    "{ drawings(first: 100) { totalCount nodes { id name tags project { id } pdfUrl fileName firstSeenAt lastEventAt } } }",
    "{ clients(first: 100, orderBy: { field: NAME, direction: ASC }) { totalCount edges { cursor } nodes { id name email \
     city notes createdAt } } }",
    "{ proposals(first: 100) { totalCount nodes { id name status vendorStatus total customerName client { id } \
     project { id } payments { id amount paidOn } paidTotal lastEventAt } } }",
    "{ quarantinedDeliveries(first: 100) { totalCount nodes { id vendorType receivedAt quarantineReason detail bodyBase64 } } \
     bidsketchWebhooks { id vendorId event endpoint state createdAt } }",
];

async fn seen(client: &Client) -> Vec<Value> {
    let mut seen = Vec::new();
    for query in SEEN {
        seen.push(client.query(query).await);
    }
    seen
}

/// Events after a cursor, newest first.
async fn older(client: &Client, cursor: &str) -> Vec<String> {
    let query = "query ($after: String) { events(first: 5, after: $after) { nodes { id } } }";
    let data = client.query_with(query, json!({ "after": cursor })).await;
    texts(data["events"]["nodes"].as_array().unwrap(), "id")
}

fn launch(from: &str, to: &str) -> Launch {
    Launch::new(std::env::temp_dir()).arg("copy").arg("--database-url").arg(from).arg("--to").arg(to)
}

async fn copy(from: &Database, to: &Database) {
    let ended = launch(&from.url(), &to.url()).run_within(COPIED_WITHIN).await;
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stdout.starts_with("copied ") && ended.stdout.contains(" rows; "), "{ended:?}");
}

/// All rows but the times at which the tables were made.
async fn rows(database: &Database) -> Vec<String> {
    let rows = database.dump().await;
    rows.into_iter().filter(|row| !row.starts_with("seaql_migrations: ")).collect()
}

/// Has a webhook made on this database; gives the path of its URL as well.
async fn with_webhook(database: Database) -> (Database, String) {
    let api = BidsketchApi::start(Options { token: "token".to_owned(), ..Options::default() }).await.unwrap();
    let service = Setup::new().database(database).bidsketch_api(&api, "token").start().await;
    let create = "mutation { createBidsketchWebhook(input: { event: PROPOSAL_VIEWED }) { userErrors { message } } }";
    let created = service.query(create).await;
    assert_eq!(created["createBidsketchWebhook"]["userErrors"], json!([]));
    let endpoint = api.webhooks().remove(0).endpoint;
    let path = endpoint.strip_prefix(service.base()).unwrap().to_owned();
    (service.stop().await, path)
}

/// A database with one event.
async fn small() -> Database {
    let service = Service::open().await;
    service.arcsite("project.created", r#"{"id":1,"name":"Roof"}"#).await.accepted();
    service.stop().await
}

#[tokio::test]
async fn an_office_moves_to_postgresql_and_back_with_all_that_it_has() {
    let (first, hook_path) = with_webhook(office(Database::in_file()).await).await;
    let second = Database::in_cluster(&Cluster::shared());
    let third = Database::in_file();
    let service = Setup::new().database(first).signing_secrets(&[SECRET]).start().await;
    let before = seen(&service).await;
    let (head, total) = (service.head().await, service.total().await);
    let cursor = before[0]["events"]["edges"][40]["cursor"].as_str().unwrap().to_owned();
    let after_it = older(&service, &cursor).await;
    assert!(total > 250 && after_it.len() == 5, "{total} {after_it:?}");
    let first = service.stop().await;
    let token = add_key(&first, "office", "manage").await;

    copy(&first, &second).await;
    copy(&second, &third).await;
    let here = rows(&first).await;
    for table in ["bidsketch_webhook", "client", "delivery", "drawing", "drawing_tag", "event", "key", "log", "payment"]
    {
        assert!(here.iter().any(|row| row.starts_with(&format!("{table}: "))), "nothing in {table}");
    }
    assert_same(&here, &rows(&third).await);

    let clock = ManualClock::new();
    clock.advance(TimeDelta::days(1));
    let service = Setup::new().database(second).signing_secrets(&[SECRET]).clock(&clock).start().await;
    assert_eq!(service.ask("{ headCursor }", json!({})).await.status, 401, "the key is asked for");
    let client = service.with_token(&token);
    for (before, after) in before.iter().zip(seen(&client).await) {
        assert_eq!(*before, after);
    }
    assert_eq!(client.head().await, head);
    assert_eq!(older(&client, &cursor).await, after_it);
    // What was delivered there is known here.
    let hooks = hooks();
    let old = hooks.iter().find(|hook| hook.vendor == Vendor::Bidsketch).unwrap();
    let again = service.post(&hook_path, old.body.as_str()).await.receipt();
    assert_eq!(again.outcome, "REDELIVERY");
    let old = hooks.iter().skip(1).find(|hook| hook.vendor == Vendor::Arcsite).unwrap();
    let again = service.post_signed(SECRET, clock.unix(), old.body.as_str()).await.receipt();
    assert_eq!(again.outcome, "REDELIVERY");
    assert_eq!(client.head().await, head);
    // What is new gets the next place, by the URL that Bidsketch has.
    let new = service.post(&hook_path, envelope("proposal_viewed", r#"{"id":1,"name":"Moved"}"#)).await;
    assert_eq!(new.receipt().accepted(), format!("event:{}", total + 1));
    let feed = "query ($after: String) { eventFeed(after: $after) { events { id } caughtUp } }";
    let feed = client.query_with(feed, json!({ "after": head })).await;
    assert_eq!(
        feed,
        json!({ "eventFeed": { "events": [{ "id": format!("event:{}", total + 1) }], "caughtUp": true } })
    );
    let second = service.stop().await;
    add_key(&second, "another", "read").await;
}

#[tokio::test]
async fn a_database_in_use_is_not_written_to() {
    let from = small().await;
    let here = rows(&from).await;
    let with_deliveries = {
        let service = Service::open().await;
        service.post("/webhooks/bidsketch", "not json").await.receipt().quarantined();
        service.stop().await
    };
    let with_keys = Database::fresh();
    add_key(&with_keys, "office", "read").await;
    let (with_webhooks, _) = with_webhook(Database::fresh()).await;
    for (to, has) in [
        (small().await, "deliveries"),
        (with_deliveries, "deliveries"),
        (with_keys, "keys"),
        (with_webhooks, "webhooks"),
    ] {
        let there = to.dump().await;
        let ended = launch(&from.url(), &to.url()).run().await;
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        assert!(ended.stderr.contains("nothing was copied") && ended.stderr.contains("not empty"), "{ended:?}");
        assert!(ended.stderr.contains(&format!("it has {has}")), "{has}: {ended:?}");
        assert_same(&there, &to.dump().await);
    }
    assert_same(&here, &rows(&from).await);
}

#[tokio::test]
async fn what_cannot_be_copied_to_is_said_without_a_password() {
    let from = small().await;
    let here = from.dump().await;
    let missing = format!("{}_not_there", Database::in_cluster(&Cluster::shared()).url());
    let missing = missing.replace("bidarc@", "bidarc:pass-word@");
    let other_spelling = from.says("?mode=rwc", "?application_name=pass-word");
    for (to, says) in [
        (from.url(), "--to names the database that is copied"),
        (format!("{}{other_spelling}", from.url()), "--to names the database that is copied"),
        ("mysql://bidarc:pass-word@127.0.0.1/bidarc".to_owned(), "postgres://<user>@<host>/<database>"),
        ("bidarc:pass-word@127.0.0.1/bidarc".to_owned(), "sqlite://<path of a file>"),
        ("postgres://bidarc:pass-word@127.0.0.1:1/bidarc".to_owned(), "refused"),
        ("postgres://bidarc:pass-word@127.0.0.1:port/bidarc".to_owned(), "port"),
        (missing, "does not exist"),
        ("sqlite:///not/there/bidarc.db".to_owned(), "/not/there/bidarc.db"),
    ] {
        for by_flag in [true, false] {
            let launch = Launch::new(from.directory()).arg("copy").arg("--database-url").arg(&from.url());
            let launch = if by_flag { launch.arg("--to").arg(&to) } else { launch.env("BIDARC_COPY_TO", &to) };
            let ended = launch.run().await;
            assert_eq!(ended.status.code(), Some(1), "{to}: {ended:?}");
            assert!(ended.stderr.contains(says), "{to}: {says:?} is not in {}", ended.stderr);
            assert!(ended.stderr.contains("--to"), "{to}: which of both it is: {}", ended.stderr);
            assert!(!format!("{ended:?}").contains("pass-word"), "{ended:?}");
        }
    }
    assert_same(&here, &from.dump().await);
    // The same way goes through where the database can be had, and the URL is shown without its password.
    let to = Database::in_cluster(&Cluster::shared());
    let launch = Launch::new(from.directory()).arg("copy").arg("--database-url").arg(&from.url());
    let url = to.url().replace("bidarc@", "bidarc:pass-word@");
    let ended = launch.env("BIDARC_COPY_TO", &url).run().await;
    assert!(ended.status.success() && ended.stdout.contains("bidarc:…@"), "{ended:?}");
    assert!(!format!("{ended:?}").contains("pass-word"), "{ended:?}");
    assert_eq!(to.numbers("SELECT COUNT(*) FROM event").await, [1]);
}

/// What was acknowledged before is copied; what comes meanwhile is asked to come again.
#[tokio::test]
async fn beside_a_service_nothing_acknowledged_is_missing() {
    let from = small().await;
    lengthen(&from).await;
    let to = Database::in_cluster(&Cluster::shared());
    let service = Process::start(0, &from).await;
    let before = service.total().await;
    for id in 0..50 {
        service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
    // Somebody writes for long: it says so, and has changed nothing.
    let writer = from.lock().await;
    let ended = launch(&from.url(), &to.url()).run().await;
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("nothing was copied") && ended.stderr.contains("lock"), "{ended:?}");
    assert_eq!(to.numbers("SELECT COUNT(*) FROM event").await, [0]);
    writer.rollback().await.unwrap();

    let running = launch(&from.url(), &to.url()).start();
    running.says("copying:").await;
    running.signal("STOP").await;
    let answer = service.post("/webhooks/arcsite", envelope("project.created", r#"{"id":"meanwhile"}"#)).await;
    running.signal("CONT").await;
    let ended = running.ended_within(COPIED_WITHIN).await;
    assert!(ended.success(), "{ended}");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("retry-after").is_some(), "the vendor is to come again");
    for table in ["event", "delivery"] {
        let count = to.numbers(&format!("SELECT COUNT(*) FROM {table}")).await[0];
        assert_eq!(u64::try_from(count).unwrap(), before + 50, "{table}");
    }
    assert_eq!(to.numbers("SELECT COUNT(*) FROM project").await, [50]);
    // Where it was it goes on as it did.
    service.arcsite("project.created", r#"{"id":"meanwhile"}"#).await.accepted();
    service.stop(&from).await;
    to.assert_sound().await;
}

#[tokio::test]
async fn a_copy_that_is_killed_leaves_an_empty_database() {
    let from = office(Database::fresh()).await;
    lengthen(&from).await;
    let here = rows(&from).await;
    for to in [Database::in_file(), Database::in_cluster(&Cluster::shared())] {
        let running = launch(&from.url(), &to.url()).start();
        running.says("copying:").await;
        running.signal("STOP").await;
        running.kill().await;
        assert_same(&here, &rows(&from).await);
        let left: Vec<String> = rows(&to).await.into_iter().filter(|row| !row.starts_with("log: ")).collect();
        assert_eq!(left, [""; 0]);
        eventually("the lock of what was killed is free", BOUND, async || {
            let ended = launch(&from.url(), &to.url()).run_within(COPIED_WITHIN).await;
            ended.status.success().then_some(())
        })
        .await;
        let there = rows(&to).await;
        assert_eq!(there.len(), here.len());
        let service = Setup::new().database(to).start().await;
        service.arcsite("project.created", r#"{"id":"new"}"#).await.accepted();
        service.stop().await;
    }
}
