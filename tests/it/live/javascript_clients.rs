//! The clients that JavaScript has for both protocols, as the README uses them, against connections that break.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{BOUND, Cable, Database, Process, Script, eventually};

/// Node takes its time to start on a busy machine.
const STARTED_WITHIN: Duration = Duration::from_secs(30);

/// Records so many statuses, beginning with this proposal.
async fn post(service: &Process, proposals: std::ops::Range<u32>) {
    for id in proposals {
        let data = format!(r#"{{"proposal_id":{id},"status":"VOID"}}"#);
        service.arcsite("proposal.status_changed", &data).await.accepted();
    }
}

async fn subscribed(service: &Process, subscriptions: f64) {
    eventually("the script has subscribed", STARTED_WITHIN, async || {
        (service.metric("bidarc_subscriptions").await == subscriptions).then_some(())
    })
    .await;
}

/// Lets a script watch while its connection is cut again and again. Gives what it printed.
async fn watch_through_cuts(service: &Process, cable: &Cable, script: &mut Script) -> Vec<String> {
    let mut printed = Vec::new();
    subscribed(service, 1.0).await;
    for round in 0..3 {
        let first = round * 10;
        post(service, first..first + 4).await;
        for _ in 0..4 {
            printed.push(script.line().await);
        }
        cable.cut();
        // Some while it is away.
        post(service, first + 4..first + 7).await;
        for _ in 0..3 {
            printed.push(script.line().await);
        }
    }
    printed
}

/// Every event once, in the order of the log.
async fn assert_all(service: &Process, printed: &[String]) {
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
async fn graphql_ws_goes_on_at_its_cursor() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let cable = Cable::to(&service).await;
    let directory = tempfile::tempdir().unwrap();
    let url = format!("ws://{}/graphql/ws", cable.authority());
    let run = || Script::run("watch.mjs", ("BIDARC_SOCKET", &url), directory.path());
    let mut script = run();
    let mut printed = watch_through_cuts(&service, &cable, &mut script).await;
    // It keeps its cursor in a file: the next run goes on there.
    let (file, head) = (directory.path().join("cursor.txt"), service.head().await);
    eventually("the cursor is kept", BOUND, async || (std::fs::read_to_string(&file).ok()? == head).then_some(()))
        .await;
    drop(script);
    subscribed(&service, 0.0).await;
    post(&service, 100..103).await;
    let mut script = run();
    for _ in 0..3 {
        printed.push(script.line().await);
    }
    assert_all(&service, &printed).await;
    service.stop(&database).await;
}

#[tokio::test]
async fn graphql_sse_goes_on_at_its_last_event_id() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let cable = Cable::to(&service).await;
    let directory = tempfile::tempdir().unwrap();
    let url = format!("http://{}/graphql/sse", cable.authority());
    let mut script = Script::run("watch-sse.mjs", ("BIDARC_STREAM", &url), directory.path());
    let printed = watch_through_cuts(&service, &cable, &mut script).await;
    assert_all(&service, &printed).await;
    drop(script);
    service.stop(&database).await;
}

/// What is tested is what the README shows.
#[test]
fn the_readme_shows_these_scripts() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    for name in ["watch.mjs", "watch-sse.mjs"] {
        assert!(readme.contains(&format!("```js\n{}```\n", Script::text(name))), "README.md has another {name}");
    }
}
