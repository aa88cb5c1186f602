//! `bidarc copy` copies everything into an empty database of either kind, or copies nothing.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use simulator::api::{BidsketchApi, Options};
use simulator::hook::Vendor;

use crate::harness::{
    Client, Cluster, Database, HttpResponse, Launch, ManualClock, Process, SECRET, Service, Setup, TIMEOUT, add_key,
    append_many_events, assert_same_rows, envelope, eventually, sample_database, sample_hooks, texts,
};

/// The time-out for a copy of thousands of rows.
const COPIED_WITHIN: Duration = Duration::from_secs(60);

/// The queries to compare: one page of each list, with its relations.
const QUERIES: [&str; 6] = [
    "{ headCursor events(first: 100) { totalCount edges { cursor } nodes { id provider kind vendorTypes occurredAt \
     receivedAt payload deliveries { id outcome } } } }",
    "{ projects(first: 100) { totalCount edges { cursor } nodes { id name jobNumber tags customer { name email } createdAt \
     updatedAt firstSeenAt lastEventAt } } }",
    "{ drawings(first: 100) { totalCount nodes { id name tags project { id } pdfUrl fileName firstSeenAt lastEventAt } } }",
    "{ clients(first: 100, orderBy: { field: NAME, direction: ASC }) { totalCount edges { cursor } nodes { id name email \
     city notes createdAt } } }",
    "{ proposals(first: 100) { totalCount nodes { id name status vendorStatus total customerName client { id } \
     project { id } payments { id amount paidOn } paidTotal lastEventAt } } }",
    "{ quarantinedDeliveries(first: 100) { totalCount nodes { id vendorType receivedAt quarantineReason detail bodyBase64 sizeBytes headers { name value } } } \
     bidsketchWebhooks { id vendorId event endpoint state createdAt } }",
];

async fn query_all(client: &Client) -> Vec<Value> {
    let mut results = Vec::new();
    for query in QUERIES {
        results.push(client.query(query).await);
    }
    results
}

/// The ids of the five events behind a cursor in the list, newest first.
async fn older_events(client: &Client, cursor: &str) -> Vec<String> {
    let query = "query ($after: String) { events(first: 5, after: $after) { nodes { id } } }";
    let data = client.query_with(query, json!({ "after": cursor })).await;
    texts(data["events"]["nodes"].as_array().unwrap(), "id")
}

fn launch(from: &str, to: &str) -> Launch {
    Launch::new(std::env::temp_dir()).arg("copy").arg("--database-url").arg(from).arg("--to").arg(to)
}

async fn copy(from: &Database, to: &Database) {
    let output = launch(&from.url(), &to.url()).run_within(COPIED_WITHIN).await;
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.starts_with("copied ") && output.stdout.contains(" rows; "), "{output:?}");
}

/// All rows except the times of the migrations.
async fn rows(database: &Database) -> Vec<String> {
    let rows = database.dump().await;
    rows.into_iter().filter(|row| !row.starts_with("seaql_migrations: ")).collect()
}

/// Creates a webhook in this database. Returns the path of the webhook's endpoint as well.
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
async fn one_event_database() -> Database {
    let service = Service::open().await;
    service.arcsite("project.created", r#"{"id":1,"name":"Roof"}"#).await.accepted();
    service.stop().await
}

#[tokio::test]
async fn copy_to_postgresql_and_back_preserves_everything() {
    let (first, hook_path) = with_webhook(sample_database(Database::in_file()).await).await;
    let second = Database::in_cluster(&Cluster::shared());
    let third = Database::in_file();
    let service = Setup::new().database(first).signing_secrets(&[SECRET]).start().await;
    let before = query_all(&service).await;
    let (head, total) = (service.head().await, service.event_count().await);
    let cursor = before[0]["events"]["edges"][40]["cursor"].as_str().unwrap().to_owned();
    let after_it = older_events(&service, &cursor).await;
    assert!(total > 250 && after_it.len() == 5, "{total} {after_it:?}");
    let first = service.stop().await;
    let token = add_key(&first, "office", "manage").await;
    let service = Setup::new().database(first).start().await;
    let signed_in = service.post("/session", json!({ "token": token }).to_string()).await;
    let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let first = service.stop().await;

    copy(&first, &second).await;
    copy(&second, &third).await;
    let source_rows = rows(&first).await;
    for table in [
        "audit",
        "bidsketch_webhook",
        "client",
        "delivery",
        "drawing",
        "drawing_tag",
        "event",
        "key",
        "log",
        "payment",
        "session",
    ] {
        assert!(source_rows.iter().any(|row| row.starts_with(&format!("{table}: "))), "{table} is empty");
    }
    assert_same_rows(&source_rows, &rows(&third).await);

    let clock = ManualClock::new();
    clock.advance(TimeDelta::days(1));
    let service = Setup::new().database(second).signing_secrets(&[SECRET]).clock(&clock).start().await;
    assert_eq!(service.graphql("{ headCursor }", json!({})).await.status, 401, "the copied key is required");
    let metrics = service.request(reqwest::Method::GET, "/metrics").header("cookie", &cookie);
    let metrics = HttpResponse::of(metrics.header("sec-fetch-site", "same-origin")).await;
    assert_eq!(metrics.status, 200, "the copied session is valid");
    let client = service.with_token(&token);
    for (before, after) in before.iter().zip(query_all(&client).await) {
        assert_eq!(*before, after);
    }
    assert_eq!(client.head().await, head);
    assert_eq!(older_events(&client, &cursor).await, after_it);
    // The copy recognises deliveries that the source received.
    let hooks = sample_hooks();
    let hook = hooks.iter().find(|hook| hook.vendor == Vendor::Bidsketch).unwrap();
    let receipt = service.post(&hook_path, hook.body.as_str()).await.receipt();
    assert_eq!(receipt.outcome, "REDELIVERY");
    let hook = hooks.iter().skip(1).find(|hook| hook.vendor == Vendor::Arcsite).unwrap();
    let receipt = service.post_signed(SECRET, clock.unix(), hook.body.as_str()).await.receipt();
    assert_eq!(receipt.outcome, "REDELIVERY");
    assert_eq!(client.head().await, head);
    // A new delivery to the copied webhook's URL gets the next seq.
    let response = service.post(&hook_path, envelope("proposal_viewed", r#"{"id":1,"name":"Moved"}"#)).await;
    assert_eq!(response.receipt().accepted(), format!("event:{}", total + 1));
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
async fn copy_to_a_database_in_use_is_refused() {
    let from = one_event_database().await;
    let source_rows = rows(&from).await;
    let with_deliveries = {
        let service = Service::open().await;
        service.post("/webhooks/bidsketch", "not json").await.receipt().quarantined();
        service.stop().await
    };
    let with_keys = Database::fresh();
    add_key(&with_keys, "office", "read").await;
    let (with_webhooks, _) = with_webhook(Database::fresh()).await;
    for (to, content) in [
        (one_event_database().await, "deliveries"),
        (with_deliveries, "deliveries"),
        (with_keys, "keys"),
        (with_webhooks, "webhooks"),
    ] {
        let target_rows = to.dump().await;
        let output = launch(&from.url(), &to.url()).run().await;
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{output:?}");
        assert!(output.stderr.contains("nothing was copied") && output.stderr.contains("not empty"), "{output:?}");
        assert!(output.stderr.contains(&format!("it has {content}")), "{content}: {output:?}");
        assert_same_rows(&target_rows, &to.dump().await);
    }
    assert_same_rows(&source_rows, &rows(&from).await);
}

#[tokio::test]
async fn unusable_copy_target_is_reported_without_a_password() {
    let from = one_event_database().await;
    let source_rows = from.dump().await;
    let missing = format!("{}_not_there", Database::in_cluster(&Cluster::shared()).url());
    let missing = missing.replace("bidarc@", "bidarc:pass-word@");
    let other_spelling = from.by_dialect("?mode=rwc", "?application_name=pass-word");
    for (to, text) in [
        (from.url(), "--to names the source database"),
        (format!("{}{other_spelling}", from.url()), "--to names the source database"),
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
            let output = launch.run().await;
            assert_eq!(output.status.code(), Some(1), "{to}: {output:?}");
            assert!(output.stderr.contains(text), "{to}: {text:?} is not in {}", output.stderr);
            assert!(output.stderr.contains("--to"), "{to}: the error must name the flag: {}", output.stderr);
            assert!(!format!("{output:?}").contains("pass-word"), "{output:?}");
        }
    }
    assert_same_rows(&source_rows, &from.dump().await);
    // A usable target with a password works, and the output shows its URL without the password.
    let to = Database::in_cluster(&Cluster::shared());
    let launch = Launch::new(from.directory()).arg("copy").arg("--database-url").arg(&from.url());
    let url = to.url().replace("bidarc@", "bidarc:pass-word@");
    let output = launch.env("BIDARC_COPY_TO", &url).run().await;
    assert!(output.status.success() && output.stdout.contains("(postgres://127.0.0.1:"), "{output:?}");
    assert!(!format!("{output:?}").contains("pass-word"), "{output:?}");
    assert_eq!(to.numbers("SELECT COUNT(*) FROM event").await, [1]);
}

/// The copy contains every delivery that was acknowledged before it. Deliveries during the copy get
/// a 503.
#[tokio::test]
async fn copy_beside_a_running_service_misses_no_acknowledged_delivery() {
    let from = one_event_database().await;
    append_many_events(&from).await;
    let to = Database::in_cluster(&Cluster::shared());
    let service = Process::start(0, &from).await;
    let before = service.event_count().await;
    for id in 2..52 {
        service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
    // Another writer holds the write lock: the copy fails and changes nothing.
    let lock = from.hold_write_lock().await;
    let output = launch(&from.url(), &to.url()).run().await;
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert!(output.stderr.contains("nothing was copied") && output.stderr.contains("lock"), "{output:?}");
    assert_eq!(to.numbers("SELECT COUNT(*) FROM event").await, [0]);
    lock.rollback().await.unwrap();

    let running = launch(&from.url(), &to.url()).start();
    running.wait_for_log("copying:").await;
    running.signal("STOP").await;
    let response = service.post("/webhooks/arcsite", envelope("project.created", r#"{"id":"meanwhile"}"#)).await;
    running.signal("CONT").await;
    let output = running.wait_within(COPIED_WITHIN).await;
    assert!(output.success(), "{output}");
    assert_eq!(response.status, 503, "{response:?}");
    assert!(response.header("retry-after").is_some(), "the vendor must retry");
    for table in ["event", "delivery"] {
        let count = to.numbers(&format!("SELECT COUNT(*) FROM {table}")).await[0];
        assert_eq!(u64::try_from(count).unwrap(), before + 50, "{table}");
    }
    assert_eq!(to.numbers("SELECT COUNT(*) FROM project").await, [51]);
    // The source service continues.
    service.arcsite("project.created", r#"{"id":"meanwhile"}"#).await.accepted();
    service.stop(&from).await;
    to.assert_consistent().await;
}

#[tokio::test]
async fn killed_copy_leaves_an_empty_database() {
    let from = sample_database(Database::fresh()).await;
    append_many_events(&from).await;
    let source_rows = rows(&from).await;
    for to in [Database::in_file(), Database::in_cluster(&Cluster::shared())] {
        let running = launch(&from.url(), &to.url()).start();
        running.wait_for_log("copying:").await;
        running.signal("STOP").await;
        running.kill().await;
        assert_same_rows(&source_rows, &rows(&from).await);
        let remaining: Vec<String> = rows(&to).await.into_iter().filter(|row| !row.starts_with("log: ")).collect();
        assert_eq!(remaining, [""; 0]);
        eventually("the lock of the killed copy is released", TIMEOUT, async || {
            let output = launch(&from.url(), &to.url()).run_within(COPIED_WITHIN).await;
            output.status.success().then_some(())
        })
        .await;
        let target_rows = rows(&to).await;
        assert_eq!(target_rows.len(), source_rows.len());
        let service = Setup::new().database(to).start().await;
        service.arcsite("project.created", r#"{"id":"new"}"#).await.accepted();
        service.stop().await;
    }
}
