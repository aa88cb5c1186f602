//! Subscriptions that follow the log from any position: first a replay, then live, without a gap
//! and without a repeat.

use serde_json::{Value, json};

use crate::harness::{Service, Setup, fixture};

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

fn events_after(cursor: &str) -> String {
    format!("subscription {{ events(after: {cursor:?}) {{ id cursor }} }}")
}

#[tokio::test]
async fn head_of_an_empty_log_is_a_cursor_before_the_first_event() {
    let service = Service::open().await;
    let head = service.head().await;
    let mut before = service.subscribe(&events_after(&head)).await;
    for id in 0..3 {
        service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
    let mut afterwards = service.subscribe(&events_after(&head)).await;
    for expected in ["event:1", "event:2", "event:3"] {
        assert_eq!(before.next().await["events"]["id"], expected);
        assert_eq!(afterwards.next().await["events"]["id"], expected);
    }
    before.complete().await;
    afterwards.complete().await;
    service.stop().await;
}

/// Together, the query and the subscription return every event once.
#[tokio::test(flavor = "multi_thread")]
async fn subscription_from_a_queried_head_continues_without_a_gap() {
    let service = Service::open().await;
    // It posts for as long as the test lasts: a subscription that begins after its last event
    // would wait for ever.
    let poster = spawn_poster(&service, 0..u32::MAX);
    for _ in 0..10 {
        let shown = service.query("{ headCursor events(first: 1) { nodes { id cursor } totalCount } }").await;
        let mut live = service.subscribe(&events_after(shown["headCursor"].as_str().unwrap())).await;
        // The service reads the head first. The page may contain events after the head, never
        // fewer.
        let newest = shown["events"]["nodes"][0]["id"].as_str().map_or(0, seq);
        let next = seq(live.next().await["events"]["id"].as_str().unwrap());
        assert!(next <= newest + 1, "the page ended at {newest} and the subscription began at {next}");
        live.complete().await;
    }
    poster.abort();
    service.stop().await;
}

fn seq(id: &str) -> u64 {
    id.trim_start_matches("event:").parse().unwrap()
}

/// Posts the projects one by one in a task.
fn spawn_poster(service: &Service, projects: std::ops::Range<u32>) -> tokio::task::JoinHandle<()> {
    let client = service.client().clone();
    tokio::spawn(async move {
        for id in projects {
            client.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn subscription_from_an_old_cursor_replays_then_goes_live_without_a_gap() {
    const BEFORE: u32 = 450;
    const MEANWHILE: u32 = 4 * 100;
    let service = Service::open().await;
    // More than one read returns, so that the replay has several pages.
    let start = service.head().await;
    for chunk in 0..3 {
        let posters: Vec<_> =
            (0..5).map(|at| spawn_poster(&service, chunk * 150 + at * 30..chunk * 150 + (at + 1) * 30)).collect();
        for poster in posters {
            poster.await.unwrap();
        }
    }
    let posters: Vec<_> = (0..4).map(|at| spawn_poster(&service, 1000 + at * 100..1000 + (at + 1) * 100)).collect();
    let mut followers = Vec::new();
    for _ in 0..3 {
        followers.push(service.subscribe(&events_after(&start)).await);
    }
    let mut seen: Vec<Vec<Value>> = vec![Vec::new(); followers.len()];
    for _ in 0..BEFORE + MEANWHILE {
        for (follower, seen) in followers.iter_mut().zip(&mut seen) {
            seen.push(follower.next().await["events"].take());
        }
    }
    for poster in posters {
        poster.await.unwrap();
    }
    let log = service.log("id cursor").await;
    assert_eq!(ids(&log), (1..=BEFORE + MEANWHILE).map(|seq| format!("event:{seq}")).collect::<Vec<_>>());
    for seen in &seen {
        assert!(*seen == log, "the stream equals the log, cursors included");
    }
    // Nothing follows: the next message is the next event.
    service.arcsite("project.created", r#"{"id":1000000}"#).await.accepted();
    for mut follower in followers {
        assert_eq!(follower.next().await["events"]["id"], format!("event:{}", BEFORE + MEANWHILE + 1));
        follower.complete().await;
    }
    service.stop().await;
}

#[tokio::test]
async fn cursor_of_every_event_is_exclusive_and_survives_a_restart() {
    let service = Service::open().await;
    for id in 0..5 {
        service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
    let log = service.log("id cursor").await;
    let head = service.head().await;
    assert_eq!(log[4]["cursor"], head.as_str(), "the head is the newest event's cursor");
    let database = service.stop().await;

    let service = Setup::new().database(database).start().await;
    assert_eq!(service.head().await, head);
    for (at, event) in log.iter().enumerate() {
        let mut replay = service.subscribe(&events_after(event["cursor"].as_str().unwrap())).await;
        for expected in &log[at + 1..] {
            assert_eq!(replay.next().await["events"], *expected);
        }
        replay.complete().await;
    }
    service.stop().await;
}

#[tokio::test]
async fn filtered_subscription_gets_matching_events_in_order() {
    let service = Service::open().await;
    let start = service.head().await;
    service.post("/webhooks/bidsketch", fixture("bidsketch/client_created.json")).await.receipt().accepted();
    service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await.receipt().accepted();
    service.post("/webhooks/bidsketch", fixture("bidsketch/proposal_accepted.json")).await.receipt().accepted();
    service.post("/webhooks/arcsite", fixture("arcsite/proposal_approved.json")).await.receipt().accepted();
    service.post("/webhooks/arcsite", fixture("arcsite/payment_marked.json")).await.receipt().accepted();
    service
        .arcsite("proposal.signed", r#"{"drawing_id":36029621652695041,"project_id":36029621652695040}"#)
        .await
        .accepted();

    for (field, filter, expected) in [
        ("events", "{}", &[1, 2, 3, 4, 5, 6][..]),
        ("events", "{ provider: [BIDSKETCH] }", &[1, 3]),
        ("events", "{ provider: [] }", &[]),
        ("events", "{ kind: [CLIENT_CREATED, PROPOSAL_PAYMENT_RECEIVED] }", &[1, 5]),
        ("events", r#"{ proposalId: "proposal:arcsite:36029621652695042" }"#, &[4, 5]),
        ("events", r#"{ clientId: "client:4815162342" }"#, &[1, 3]),
        ("events", r#"{ projectId: "project:36029621652695040" }"#, &[2, 4, 5, 6]),
        ("events", r#"{ drawingId: "drawing:36029621652695041" }"#, &[4, 5, 6]),
        ("proposalEvents", "{}", &[3, 4, 5, 6]),
        ("proposalEvents", "{ status: [ACCEPTED] }", &[3, 4]),
        ("proposalEvents", "{ kind: [PROJECT_CREATED, PROPOSAL_SIGNED] }", &[6]),
        ("proposalEvents", "{ kind: [PROJECT_CREATED] }", &[]),
        (
            "proposalEvents",
            r#"{ provider: [ARCSITE], projectId: "project:36029621652695040", status: [ACCEPTED] }"#,
            &[4],
        ),
        ("proposalEvents", r#"{ clientId: "client:4815162342" }"#, &[3]),
        ("proposalEvents", r#"{ proposalId: "proposal:bidsketch:11051955" }"#, &[3]),
    ] {
        let query = format!("subscription {{ {field}(filter: {filter}, after: {start:?}) {{ id }} }}");
        let mut filtered = service.subscribe(&query).await;
        for seq in expected {
            assert_eq!(filtered.next().await[field]["id"], format!("event:{seq}"), "{filter}");
        }
        // A further event would come before this time-out ends.
        let more = filtered.next_within(std::time::Duration::from_millis(30)).await;
        assert_eq!(more, None, "{filter}");
        filtered.complete().await;
    }
    service.stop().await;
}

/// The log stores the ids to which an event belongs when it records the event. A replay therefore
/// filters like the live stream.
#[tokio::test]
async fn replay_returns_the_events_of_the_live_stream() {
    let service = Service::open().await;
    let start = service.head().await;
    let filter = r#"{ projectId: "project:36029621652695040" }"#;
    let query = format!("subscription {{ events(after: {start:?}, filter: {filter}) {{ id kind }} }}");
    let mut live = service.subscribe(&query).await;
    // The payment comes before its proposal and names no project, so nothing links it to the
    // project yet.
    for name in ["payment_marked", "proposal_approved", "drawing_created", "project_created"] {
        service.post("/webhooks/arcsite", fixture(&format!("arcsite/{name}.json"))).await.receipt().accepted();
    }
    let changed = fixture("arcsite/payment_marked.json").replace("1250.50", "1");
    service.post("/webhooks/arcsite", changed).await.receipt().accepted();
    let mut received = Vec::new();
    for _ in 0..4 {
        received.push(live.next().await);
    }
    assert_eq!(json!(received)[3]["events"], json!({ "id": "event:5", "kind": "PROPOSAL_PAYMENT_RECEIVED" }));
    let mut replay = service.subscribe(&query).await;
    for expected in received {
        assert_eq!(replay.next().await, expected);
    }
    live.complete().await;
    replay.complete().await;
    service.stop().await;
}

#[tokio::test]
async fn wrong_cursor_is_refused_with_its_reason() {
    let service = Service::open().await;
    let other_service = Service::open().await;
    for id in 0..3 {
        other_service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
    service.post("/webhooks/arcsite", "wrong").await.receipt().quarantined();
    let mut delivery = service.query("{ quarantinedDeliveries { edges { cursor } } }").await;
    let delivery = delivery["quarantinedDeliveries"]["edges"][0]["cursor"].take();
    for (cursor, text) in [
        (other_service.head().await.as_str(), "another log"),
        (delivery.as_str().unwrap(), "another list"),
        ("e:1", "malformed"),
    ] {
        for field in ["events", "proposalEvents"] {
            let query = format!("subscription {{ {field}(after: {cursor:?}) {{ id }} }}");
            let mut subscription = service.subscribe(&query).await;
            let error = subscription.error().await;
            assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{error}");
            assert!(error["message"].as_str().unwrap().contains(text), "{error}");
        }
    }
    other_service.stop().await;
    service.stop().await;
}

/// After the restore of a backup, the log ends before a cursor that a client already has.
#[tokio::test]
async fn cursor_past_the_head_is_refused() {
    let service = Service::open().await;
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    let database = service.stop().await;
    let backup = database.backup();
    let service = Setup::new().database(database).start().await;
    service.arcsite("project.created", r#"{"id":2}"#).await.accepted();
    let head = service.head().await;
    service.stop().await;

    let service = Setup::new().database(backup).start().await;
    for field in ["events", "proposalEvents"] {
        let query = format!("subscription {{ {field}(after: {head:?}) {{ id }} }}");
        let error = service.subscribe(&query).await.error().await;
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{error}");
        assert!(error["message"].as_str().unwrap().contains("past the end"), "{error}");
    }
    service.stop().await;
}
