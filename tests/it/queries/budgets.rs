//! The budget of a request: rows, bytes and time. A request over it gets no data and one error.

use std::time::Duration;

use reqwest::Method;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

use crate::harness::{Database, HttpResponse, Service, Setup, Socket, TIMEOUT, eventually};

const MEGABYTE: usize = 1024 * 1024;

/// Checks that a response is a refusal that names a setting.
fn assert_over_budget(response: &Value, setting: &str) {
    assert_eq!(response["data"], Value::Null, "{response}");
    let errors = response["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{response}");
    assert_eq!(errors[0]["extensions"]["code"], "LIMIT_EXCEEDED", "{response}");
    assert!(errors[0]["message"].as_str().unwrap().contains(setting), "{response}");
}

async fn answer(service: &Service, query: &str) -> Value {
    service.graphql(query, json!({})).await.json()
}

async fn post_batch(service: &Service, queries: &[&str]) -> Value {
    let requests: Vec<_> = queries.iter().map(|query| json!({ "query": query })).collect();
    let request = service.request(Method::POST, "/graphql").header("content-type", "application/json");
    HttpResponse::of(request.body(json!(requests).to_string())).await.json()
}

#[tokio::test]
async fn request_that_reads_too_many_rows_is_cut_off() {
    let service = Setup::new().with(|settings| settings.graphql.max_rows = 10).start().await;
    for id in 0..6 {
        service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
    let (six, twelve) = ("{ projects { nodes { id } } }", "{ projects { nodes { id events { nodes { id } } } } }");
    assert!(answer(&service, six).await.get("errors").is_none());
    assert_over_budget(&answer(&service, twelve).await, "graphql.max_rows (10)");
    // A batch has one budget.
    let answers = post_batch(&service, &[six, six, six]).await;
    assert!(answers[0].get("errors").is_none(), "{answers}");
    assert_over_budget(&answers[1], "graphql.max_rows");
    assert_over_budget(&answers[2], "graphql.max_rows");
    assert!(service.metric("bidarc_over_budget_total{limit=\"rows\"}").await >= 3.0);
    service.stop().await;
}

#[tokio::test]
async fn answer_too_large_is_cut_off() {
    let service = Setup::new().with(|settings| settings.graphql.max_response_bytes = 1_048_576).start().await;
    let name = "x".repeat(400_000);
    for id in 0..6 {
        service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#)).await.accepted();
    }
    assert!(answer(&service, "{ projects(first: 2) { nodes { name } } }").await.get("errors").is_none());
    assert!(answer(&service, "{ events(first: 2) { nodes { payload } } }").await.get("errors").is_none());
    for query in [
        "{ projects { nodes { name } } }",
        "{ projects(first: 1) { nodes { a: name b: name c: name } } }",
        // Bodies that the database does not even return.
        "{ events { nodes { payload } } }",
        "{ projects { nodes { events { nodes { payload } } } } }",
        "{ events { nodes { deliveries { bodyBase64 } } } }",
        "{ nodes(ids: [\"event:1\", \"event:2\", \"event:3\"]) { ... on ProjectEvent { payload } } }",
        "{ events(first: 1) { nodes { a: payload b: payload c: payload } } }",
    ] {
        assert_over_budget(&answer(&service, query).await, "graphql.max_response_bytes (1048576)");
    }
    let answers = post_batch(&service, &["{ events(first: 2) { nodes { payload } } }"; 2]).await;
    assert!(answers[0].get("errors").is_none() && answers.to_string().len() < 2 * MEGABYTE);
    assert_over_budget(&answers[1], "graphql.max_response_bytes");
    service.stop().await;
}

/// A message of a subscription has a budget of its own, and so has each one after it.
#[tokio::test]
async fn message_too_large_is_an_error_and_the_next_one_follows() {
    let service = Setup::new().with(|settings| settings.graphql.max_response_bytes = 1_048_576).start().await;
    let mut socket = Socket::open(&service).await;
    socket.subscribe("1", "subscription { events { id a: payload b: payload c: payload } }", json!({})).await;
    eventually("the subscription runs", TIMEOUT, async || {
        (service.metric("bidarc_subscriptions").await >= 1.0).then_some(())
    })
    .await;
    for (id, length) in [(1, 400_000), (2, 10), (3, 300_000), (4, 300_000)] {
        let project = format!(r#"{{"id":{id},"name":"{}"}}"#, "x".repeat(length));
        service.arcsite("project.created", &project).await.accepted();
    }
    assert_over_budget(&socket.json().await["payload"], "graphql.max_response_bytes");
    for id in 2..=4 {
        assert_eq!(socket.json().await["payload"]["data"]["events"]["id"], format!("event:{id}"));
    }
    service.stop().await;
}

/// The pages of the feed end where they are large enough. None is skipped and none is repeated.
#[tokio::test(flavor = "multi_thread")]
async fn feed_of_large_events_comes_in_small_pages() {
    let service = Service::open().await;
    for id in 1..=8 {
        let project = format!(r#"{{"id":{id},"name":"{}"}}"#, "x".repeat(300_000));
        service.arcsite("project.created", &project).await.accepted();
    }
    let (mut seen, mut pages, mut after) = (Vec::new(), 0, json!(null));
    let query =
        "query ($after: String) { eventFeed(after: $after, pageSize: 500) { events { id payload } cursor caughtUp } }";
    loop {
        let page = service.query_with(query, json!({ "after": after })).await["eventFeed"].clone();
        seen.extend(page["events"].as_array().unwrap().iter().map(|event| event["id"].clone()));
        assert!(page.to_string().len() < 2 * MEGABYTE);
        pages += 1;
        if page["caughtUp"] == true {
            break;
        }
        after = page["cursor"].clone();
    }
    assert_eq!(seen, (1..=8).map(|id| json!(format!("event:{id}"))).collect::<Vec<_>>());
    assert_eq!(pages, 3);
    service.stop().await;
}

/// A statement that would run for minutes ends with its request, and gives its connection back. A
/// PostgreSQL server by itself would run it for 15 seconds.
#[tokio::test(flavor = "multi_thread")]
async fn request_that_takes_too_long_is_cut_off_and_frees_its_connection() {
    let database = Database::fresh();
    let (url, is_postgres) = (database.url(), database.by_dialect("sqlite", "postgres") == "postgres");
    let service = Setup::new()
        .database(database)
        .with(|settings| {
            settings.graphql.max_seconds = 1;
            settings.database.readers = 1;
        })
        .start()
        .await;
    service.arcsite("project.created", r#"{"id":1,"name":"x"}"#).await.accepted();
    let outside = sea_orm::Database::connect(url).await.unwrap();
    for sql in [
        "ALTER TABLE project RENAME TO former_project",
        "CREATE VIEW project AS WITH RECURSIVE endless (n) AS (SELECT 1 UNION ALL SELECT 1 FROM endless) \
         SELECT former_project.* FROM former_project, endless",
    ] {
        outside.execute_unprepared(sql).await.unwrap();
    }
    let endless = "{ projects(filter: { nameContains: \"x\" }) { totalCount } }";
    assert_over_budget(&answer(&service, endless).await, "graphql.max_seconds (1)");
    if is_postgres {
        let running = "SELECT count(*) FROM pg_stat_activity \
             WHERE application_name = 'bidarc' AND datname = current_database() AND state = 'active'";
        let running = || Statement::from_string(DbBackend::Postgres, running);
        eventually("the server has ended the statement", Duration::from_secs(8), async || {
            let row = outside.query_one_raw(running()).await.unwrap().unwrap();
            (row.try_get_by_index::<i64>(0).unwrap() == 0).then_some(())
        })
        .await;
    }
    outside.close().await.unwrap();
    eventually("the connection is free", TIMEOUT, async || {
        let others = answer(&service, "{ events { totalCount } }").await;
        (others["data"]["events"]["totalCount"] == 1).then_some(())
    })
    .await;
    service.stop().await;
}
