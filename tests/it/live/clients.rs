//! The JavaScript clients of both protocols, as in `docs/SUBSCRIPTIONS.md`, on connections that
//! break, and the clients of `docs/CLIENTS.md`, in JavaScript and Python, over a restart of the
//! service.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Client, Database, Process, Script, TIMEOUT, TcpProxy, add_key, eventually, reserved_port};

/// Node starts slowly on a busy machine.
const STARTED_WITHIN: Duration = Duration::from_secs(30);

/// Posts one status change for each of these proposals.
async fn post(service: &Process, proposals: std::ops::Range<u32>) {
    for id in proposals {
        let data = format!(r#"{{"proposal_id":{id},"status":"VOID"}}"#);
        service.arcsite("proposal.status_changed", &data).await.accepted();
    }
}

async fn wait_for_subscriptions(service: &Client, subscriptions: f64) {
    eventually("the script has subscribed", STARTED_WITHIN, async || {
        (service.metric("bidarc_subscriptions").await == subscriptions).then_some(())
    })
    .await;
}

/// Posts events while it cuts the connection of a script several times. Returns the lines that the
/// script printed.
async fn watch_through_cuts(service: &Process, proxy: &TcpProxy, script: &mut Script) -> Vec<String> {
    let mut printed = Vec::new();
    wait_for_subscriptions(service, 1.0).await;
    for round in 0..3 {
        let first = round * 10;
        post(service, first..first + 4).await;
        for _ in 0..4 {
            printed.push(script.line().await);
        }
        proxy.cut();
        // The script is not connected while these are posted.
        post(service, first + 4..first + 7).await;
        for _ in 0..3 {
            printed.push(script.line().await);
        }
    }
    printed
}

/// Asserts that the script printed every event once, in log order.
async fn assert_printed_the_log(service: &Process, printed: &[String]) {
    let log = service.log_as::<Value>("id kind").await;
    let seen: Vec<_> = printed
        .iter()
        .map(|line| {
            let mut words = line.split(' ');
            json!({ "id": words.next(), "kind": words.next() })
        })
        .collect();
    assert_eq!(json!(seen), json!(log));
}

#[tokio::test]
async fn graphql_ws_client_resumes_from_its_cursor() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let proxy = TcpProxy::start(&service).await;
    let directory = tempfile::tempdir().unwrap();
    let url = format!("ws://{}/graphql/ws", proxy.authority());
    let run = || Script::run("watch.mjs", &[("BIDARC_SOCKET", &url)], directory.path());
    let mut script = run();
    let mut printed = watch_through_cuts(&service, &proxy, &mut script).await;
    // The script writes its cursor to a file. The next run resumes from there.
    let (file, head) = (directory.path().join("cursor.txt"), service.head().await);
    eventually("the cursor is in the file", TIMEOUT, async || {
        (std::fs::read_to_string(&file).ok()? == head).then_some(())
    })
    .await;
    drop(script);
    wait_for_subscriptions(&service, 0.0).await;
    post(&service, 100..103).await;
    let mut script = run();
    for _ in 0..3 {
        printed.push(script.line().await);
    }
    assert_printed_the_log(&service, &printed).await;
    service.stop(&database).await;
}

#[tokio::test]
async fn graphql_sse_client_resumes_from_its_last_event_id() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let proxy = TcpProxy::start(&service).await;
    let directory = tempfile::tempdir().unwrap();
    let url = format!("http://{}/graphql/sse", proxy.authority());
    let mut script = Script::run("watch-sse.mjs", &[("BIDARC_STREAM", &url)], directory.path());
    let printed = watch_through_cuts(&service, &proxy, &mut script).await;
    assert_printed_the_log(&service, &printed).await;
    drop(script);
    service.stop(&database).await;
}

/// A wrong key ends each script with a reason; the right one lets it watch.
#[tokio::test]
async fn client_with_a_wrong_token_stops_and_says_why() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let directory = tempfile::tempdir().unwrap();
    let socket = format!("{}/graphql/ws", service.base().replace("http", "ws"));
    let stream = format!("{}/graphql/sse", service.base());
    let token = add_key(&database, "watcher", "read").await;
    let reader = service.with_token(&token);
    for (name, variable, url, reason) in
        [("watch.mjs", "BIDARC_SOCKET", socket, "closed: 4403"), ("watch-sse.mjs", "BIDARC_STREAM", stream, "401")]
    {
        for wrong in [&[][..], &[("BIDARC_TOKEN", "bidarc_wrong")]] {
            let variables = [&[(variable, url.as_str())], wrong].concat();
            let (status, errors) = Script::run(name, &variables, directory.path()).wait().await;
            assert!(!status.success() && errors.contains(reason), "{name}: {status} {errors}");
            assert!(errors.contains("retrying will not help"), "{name}: {errors}");
        }
        let script = Script::run(name, &[(variable, &url), ("BIDARC_TOKEN", &token)], directory.path());
        wait_for_subscriptions(&reader, 1.0).await;
        drop(script);
        wait_for_subscriptions(&reader, 0.0).await;
    }
    service.stop(&database).await;
}

/// Each reads pages, runs a mutation, and subscribes at the URL that it queries. The service stops
/// and starts in between, and more events come before the clients have returned.
#[tokio::test]
async fn client_at_one_url_queries_pages_mutates_and_resumes_after_a_restart() {
    let database = Database::fresh();
    let port = reserved_port().await;
    let service = Process::start(port, &database).await;
    service.post("/webhooks/arcsite", "not json").await.receipt().quarantined();
    for id in 1..=5 {
        let data = format!(r#"{{"id":{id},"name":"P{id}","customer":{{"name":"C{id}"}}}}"#);
        service.arcsite("project.created", &data).await.accepted();
    }
    let url = format!("{}/graphql", service.base());
    let directory = tempfile::tempdir().unwrap();
    let mut scripts = [
        ("apollo.mjs", ""),
        ("urql.mjs", ""),
        ("graphql-tools.mjs", ""),
        ("tools/gateway.mjs", ""),
        ("gql-client.py", "websockets"),
        ("gql-client.py", "aiohttp"),
    ]
    .map(|(name, transport)| {
        let variables = [("BIDARC_URL", url.as_str()), ("BIDARC_TRANSPORT", transport)];
        let variables = &variables[..if transport.is_empty() { 1 } else { 2 }];
        (name, Script::run(name, variables, directory.path()))
    });
    for (name, script) in &mut scripts {
        assert_eq!(script.line().await, "projects P1,P2,P3,P4,P5", "{name}");
        assert_eq!(script.line().await, "released STILL_INVALID", "{name}");
    }
    wait_for_subscriptions(&service, 6.0).await;
    post(&service, 1..3).await;
    let mut printed = scripts.each_ref().map(|_| Vec::new());
    for ((_, script), printed) in scripts.iter_mut().zip(&mut printed) {
        printed.extend([script.line().await, script.line().await]);
    }
    service.stop(&database).await;
    let service = Process::start(port, &database).await;
    post(&service, 3..6).await;
    let events: Vec<String> = (6..11).map(|id| format!("event:{id} PROPOSAL_STATUS_CHANGED")).collect();
    for ((name, script), printed) in scripts.iter_mut().zip(&mut printed) {
        for _ in 0..3 {
            printed.push(script.line().await);
        }
        assert_eq!(*printed, events, "{name}");
    }
    for (name, script) in scripts {
        let errors = script.stop().await;
        // urql's cache warns of an object that it cannot identify.
        assert!(!errors.contains("Invalid key"), "{name}: {errors}");
    }
    service.stop(&database).await;
}

#[tokio::test]
async fn client_that_sends_a_hash_falls_back_to_the_document() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let directory = tempfile::tempdir().unwrap();
    let url = format!("{}/graphql", service.base());
    let mut script = Script::run("persisted.mjs", &[("BIDARC_URL", &url)], directory.path());
    // Each sends the hash, and then the document.
    for round in 0..2 {
        for (at, name) in (1..).zip(["apollo", "urql", "graphql-tools"]) {
            assert_eq!(script.line().await, format!("{name} true {}", 6 * round + 2 * at));
        }
    }
    let (status, errors) = script.wait().await;
    assert!(status.success(), "{errors}");
    service.stop(&database).await;
}
