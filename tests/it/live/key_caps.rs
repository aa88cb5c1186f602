//! What the streams of one key may hold: sockets and event streams, operations, and bytes.

use std::time::Duration;

use serde_json::json;

use crate::harness::{
    Database, EventStream, HttpResponse, Launch, Process, Setup, Socket, TIMEOUT, add_key, envelope, eventually,
};

const EVENTS: &str = "subscription { events { id } }";

fn refused(cap: &str) -> String {
    format!("bidarc_streams_refused_total{{cap=\"{cap}\"}}")
}

#[tokio::test]
async fn streams_beyond_the_cap_of_a_key_are_refused_and_other_keys_go_on() {
    let database = Database::fresh();
    let (office, other) = (add_key(&database, "office", "read").await, add_key(&database, "other", "read").await);
    let service = Setup::new().database(database).with(|it| it.server.max_streams_per_key = 2).start().await;
    let (office, other) = (service.with_token(&office), service.with_token(&other));
    let _socket = Socket::open(&office).await;
    let stream = EventStream::open(EventStream::request(&office, EVENTS, json!({}))).await;
    let mut third = Socket::connect(&office, &[]).await;
    third.init(Some(json!({ "token": office.token() }))).await;
    let (code, reason) = third.close().await;
    assert_eq!(code, 1013);
    assert!(reason.contains("max_streams_per_key"), "{reason}");
    let third = HttpResponse::of(EventStream::request(&office, EVENTS, json!({}))).await;
    assert_eq!(third.status, 429, "{third:?}");
    assert_eq!(third.json()["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
    assert!(office.metric(&refused("streams")).await >= 2.0);
    let _of_other = Socket::open(&other).await;
    office.query("{ headCursor }").await;
    drop(stream);
    eventually("the place is free again", TIMEOUT, async || {
        let response = EventStream::request(&office, EVENTS, json!({})).send().await.unwrap();
        (response.status() == 200).then_some(())
    })
    .await;
    service.stop().await;
}

/// By default one key has half of the connections, so that hooks and other keys have the others.
#[tokio::test]
async fn sockets_of_one_key_leave_half_of_the_connections() {
    let database = Database::fresh();
    let launch = Launch::new(database.directory()).env("BIDARC_SERVER__MAX_CONNECTIONS", "8");
    let service = launch.serve(0, &database).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(Socket::open(&service).await);
    }
    let mut fifth = Socket::connect(&service, &[]).await;
    fifth.init(None).await;
    assert_eq!(fifth.close().await.0, 1013);
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    service.stop(&database).await;
}

/// However many keys there are, a quarter of the connections stays for hooks and requests.
#[tokio::test]
async fn streams_of_all_keys_leave_a_quarter_of_the_connections() {
    let database = Database::fresh();
    let (office, other) = (add_key(&database, "office", "read").await, add_key(&database, "other", "read").await);
    let launch = Launch::new(database.directory()).env("BIDARC_SERVER__MAX_CONNECTIONS", "8");
    let service = launch.serve(0, &database).await;
    let (office, other) = (service.with_token(&office), service.with_token(&other));
    let mut held = Vec::new();
    for client in [&office, &office, &office, &office, &other, &other] {
        held.push(EventStream::open(EventStream::request(client, EVENTS, json!({}))).await);
    }
    let refusal = HttpResponse::of(EventStream::request(&other, EVENTS, json!({}))).await;
    assert_eq!((refusal.status, refusal.header("retry-after")), (503, Some("5")), "{refusal:?}");
    let error = &refusal.json()["errors"][0];
    assert_eq!(error["extensions"]["code"], "UNAVAILABLE", "{error}");
    assert!(error["message"].as_str().unwrap().contains("server.max_streams)"), "{error}");
    let mut socket = Socket::connect(&other, &[]).await;
    socket.init(Some(json!({ "token": other.token() }))).await;
    let (code, reason) = socket.close().await;
    assert_eq!(code, 1013);
    assert!(reason.contains("server.max_streams)"), "{reason}");
    assert!(office.metric(&refused("all_streams")).await >= 2.0);
    office.query("{ headCursor }").await;
    drop(held);
    eventually("a place is free again", TIMEOUT, async || {
        let response = EventStream::request(&other, EVENTS, json!({})).send().await.unwrap();
        (response.status() == 200).then_some(())
    })
    .await;
    service.stop(&database).await;
}

#[tokio::test]
async fn operations_beyond_a_cap_are_refused_and_the_socket_goes_on() {
    let set = |settings: &mut bidarc::config::Settings| {
        settings.server.max_operations_per_socket = 2;
        settings.server.max_operations_per_key = 3;
    };
    let service = Setup::new().with(set).start().await;
    let (mut first, mut second) = (Socket::open(&service).await, Socket::open(&service).await);
    for id in ["1", "2"] {
        first.subscribe(id, EVENTS, json!({})).await;
    }
    second.subscribe("1", EVENTS, json!({})).await;
    eventually("three operations run", TIMEOUT, async || {
        (service.metric("bidarc_subscriptions").await >= 3.0).then_some(())
    })
    .await;
    for (socket, setting) in [(&mut first, "max_operations_per_socket"), (&mut second, "max_operations_per_key")] {
        socket.subscribe("3", EVENTS, json!({})).await;
        let refusal = socket.json().await;
        assert_eq!((&refusal["type"], &refusal["id"]), (&json!("error"), &json!("3")), "{refusal}");
        let error = &refusal["payload"][0];
        assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED", "{error}");
        assert!(error["message"].as_str().unwrap().contains(setting), "{error}");
    }
    first.send(json!({ "id": "1", "type": "complete" })).await;
    first.subscribe("4", "{ headCursor }", json!({})).await;
    assert_eq!(first.json().await["type"], "next");
    service.stop().await;
}

#[tokio::test]
async fn documents_of_a_key_hold_a_bounded_number_of_bytes() {
    let service = Setup::new().with(|settings| settings.server.max_stream_bytes_per_key = 1_048_576).start().await;
    let mut socket = Socket::open(&service).await;
    let document = |id: u32| format!("subscription S{id} {{ events {{ id }} }} #{}", "x".repeat(100_000));
    // Fields and values take much more memory than their text.
    let fields = |id: u32| format!("subscription S{id} {{ events {{ {} }} }}", "id ".repeat(1900));
    let values = json!({ "a": vec![vec![1; 1000]; 3] });
    for (prefix, make, variables) in [
        ("text", &document as &dyn Fn(u32) -> String, json!({})),
        ("fields", &fields, json!({})),
        ("values", &|id| format!("subscription S{id} {{ events {{ id }} }}"), values),
    ] {
        for id in 1..=3 {
            socket.subscribe(&format!("{prefix}{id}"), &make(id), variables.clone()).await;
        }
        let refusal = socket.json().await;
        let refused = if prefix == "fields" || prefix == "values" { "2" } else { "3" };
        assert_eq!(
            (&refusal["type"], &refusal["id"]),
            (&json!("error"), &json!(format!("{prefix}{refused}"))),
            "{refusal}"
        );
        assert!(refusal["payload"][0]["message"].as_str().unwrap().contains("max_stream_bytes_per_key"), "{refusal}");
        if refused == "2" {
            assert_eq!(socket.json().await["id"], format!("{prefix}3"));
        }
        for id in 1..=3 {
            socket.send(json!({ "id": format!("{prefix}{id}"), "type": "complete" })).await;
        }
    }
    assert!(service.metric(&refused("bytes")).await >= 1.0);
    service.stop().await;
}

/// Records events of almost a megabyte each.
async fn record_large_events(service: &Process, count: usize) {
    let name = "x".repeat(1_000_000);
    for id in 1..=count {
        let body = envelope("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#));
        service.post("/webhooks/arcsite", body).await.receipt().accepted();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_messages_of_a_key_hold_a_bounded_number_of_bytes() {
    let database = Database::fresh();
    let launch = Launch::new(database.directory()).env("BIDARC_SERVER__MAX_STREAM_BYTES_PER_KEY", "4000000");
    let service = launch.serve(0, &database).await;
    let start = service.head().await;
    record_large_events(&service, 12).await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let mut socket = Socket::open_with_small_buffer(&service).await;
        socket.subscribe("1", REPLAY, json!({ "after": start })).await;
        sockets.push(socket);
    }
    // Each holds a message on its way and the next one.
    eventually("one is closed, long before it counts as stalled", Duration::from_secs(10), async || {
        (service.metric(&refused("bytes")).await >= 1.0 && service.metric("bidarc_sockets").await <= 2.0).then_some(())
    })
    .await;
    service.stop(&database).await;
}

const REPLAY: &str = "subscription ($after: String) { events(after: $after) { id payload } }";

/// Ten sockets that replay sixty events of a megabyte and do not read.
#[tokio::test(flavor = "multi_thread")]
async fn sockets_that_replay_large_events_and_do_not_read_hold_little_memory() {
    const LIMIT: u64 = 150 * 1024 * 1024;
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let start = service.head().await;
    record_large_events(&service, 60).await;
    let before = service.memory();
    let mut sockets = Vec::new();
    for id in 0..10 {
        let mut socket = Socket::open_with_small_buffer(&service).await;
        // Each has a document of its own, so that none shares an execution.
        let replay = REPLAY.replace("subscription", &format!("subscription S{id}"));
        socket.subscribe("1", &replay, json!({ "after": start })).await;
        sockets.push(socket);
    }
    let grown = |service: &Process| service.memory().saturating_sub(before);
    // All have begun once each has a message that waits.
    let mut highest = 0;
    eventually("every socket has messages that wait", TIMEOUT, async || {
        highest = grown(&service).max(highest);
        (service.metric("bidarc_stream_bytes").await >= 10_000_000.0).then_some(())
    })
    .await;
    let mut held = 0.0;
    eventually("no socket takes another message", TIMEOUT, async || {
        highest = grown(&service).max(highest);
        let before = std::mem::replace(&mut held, service.metric("bidarc_stream_bytes").await);
        (before == held).then_some(())
    })
    .await;
    assert!(highest < LIMIT, "{highest} bytes more");
    drop(sockets);
    eventually("the memory is given back", Duration::from_secs(10), async || {
        (grown(&service) < LIMIT / 3).then_some(())
    })
    .await;
    println!("at most {highest} bytes more, {} after the sockets", grown(&service));
    service.stop(&database).await;
}
