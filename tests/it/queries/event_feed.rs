//! Pages of the log for integrations: the whole log in order, by polling or by subscription.

use serde_json::{Value, json};

use crate::harness::{Service, Setup, assert_bad_user_input, texts};

const PAGE_FIELDS: &str = "events { id } cursor caughtUp";

async fn post(service: &Service, projects: std::ops::Range<u32>) {
    for id in projects {
        service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
}

fn ids(page: &Value) -> Vec<String> {
    texts(page["events"].as_array().unwrap(), "id")
}

fn events(seqs: impl IntoIterator<Item = u32>) -> Vec<String> {
    seqs.into_iter().map(|seq| format!("event:{seq}")).collect()
}

async fn poll(service: &Service, arguments: &str) -> Value {
    service.query(&format!("{{ eventFeed({arguments}) {{ {PAGE_FIELDS} }} }}")).await["eventFeed"].take()
}

#[tokio::test]
async fn polling_reads_the_whole_log_and_resumes_at_its_cursor() {
    let service = Service::open().await;
    let empty = poll(&service, "pageSize: 7").await;
    assert_eq!((ids(&empty), &empty["caughtUp"]), (vec![], &json!(true)));
    assert_eq!(empty["cursor"], service.head().await);
    post(&service, 0..30).await;
    let mut after = empty["cursor"].clone();
    let mut seen = Vec::new();
    for round in 0..5 {
        let page = poll(&service, &format!("pageSize: 7, after: {after}")).await;
        assert_eq!(page["caughtUp"], round == 4, "{page}");
        assert_eq!(ids(&page).len(), if round == 4 { 2 } else { 7 });
        seen.extend(ids(&page));
        after = page["cursor"].clone();
    }
    assert_eq!(seen, events(1..=30));
    assert_eq!(after, service.head().await);
    // Without new events the cursor stays. Then only new events come.
    let nothing = poll(&service, &format!("after: {after}")).await;
    assert_eq!((ids(&nothing), &nothing["cursor"], &nothing["caughtUp"]), (vec![], &after, &json!(true)));
    post(&service, 30..32).await;
    let new = poll(&service, &format!("after: {after}")).await;
    assert_eq!((ids(&new), &new["caughtUp"]), (events([31, 32]), &json!(true)));
    // Without a cursor the feed starts at the first event. A page that ends at the head has caught
    // up.
    let whole = poll(&service, "pageSize: 32").await;
    assert_eq!((ids(&whole), &whole["caughtUp"]), (events(1..=32), &json!(true)));
    let default = service.query(&format!("{{ eventFeed {{ {PAGE_FIELDS} }} }}")).await;
    assert_eq!(ids(&default["eventFeed"]), events(1..=32));
    service.stop().await;
}

/// No event is scanned twice.
#[tokio::test]
async fn feed_cursor_without_a_match_still_advances() {
    let service = Service::open().await;
    post(&service, 0..10).await;
    service.bidsketch("client_created", r#"{"id":1}"#).await.accepted();
    post(&service, 10..20).await;
    let clients = "filter: { kind: [CLIENT_CREATED] }";
    let none = poll(&service, "filter: { kind: [] }, pageSize: 3").await;
    assert_eq!((ids(&none), &none["cursor"], &none["caughtUp"]), (vec![], &json!(service.head().await), &json!(true)));
    let one = poll(&service, &format!("{clients}, pageSize: 1")).await;
    assert_eq!((ids(&one), &one["caughtUp"]), (events([11]), &json!(false)));
    let rest = poll(&service, &format!("{clients}, pageSize: 1, after: {}", one["cursor"])).await;
    assert_eq!((ids(&rest), &rest["cursor"], &rest["caughtUp"]), (vec![], &json!(service.head().await), &json!(true)));

    let query = format!("subscription {{ eventFeed({clients}, after: {}) {{ {PAGE_FIELDS} }} }}", one["cursor"]);
    let mut live = service.subscribe(&query).await;
    let first = live.next().await["eventFeed"].take();
    assert_eq!((ids(&first), &first["caughtUp"]), (vec![], &json!(true)));
    assert_eq!(first["cursor"], service.head().await);
    post(&service, 20..21).await;
    let moved = live.next().await["eventFeed"].take();
    assert_eq!((ids(&moved), &moved["cursor"]), (vec![], &json!(service.head().await)));
    live.complete().await;
    service.stop().await;
}

#[tokio::test]
async fn feed_subscription_sends_a_page_at_once_and_then_new_events() {
    let service = Service::open().await;
    let mut live = service.subscribe(&format!("subscription {{ eventFeed(pageSize: 4) {{ {PAGE_FIELDS} }} }}")).await;
    let first = live.next().await["eventFeed"].take();
    assert_eq!((ids(&first), &first["caughtUp"]), (vec![], &json!(true)), "at once, on an empty log");
    post(&service, 0..1).await;
    let second = live.next().await["eventFeed"].take();
    assert_eq!((ids(&second), &second["caughtUp"]), (events([1]), &json!(true)));
    live.complete().await;
    post(&service, 1..10).await;

    // It resumes from its cursor after a restart.
    let service = Setup::new().database(service.stop().await).start().await;
    let resume = format!("subscription {{ eventFeed(pageSize: 4, after: {}) {{ {PAGE_FIELDS} }} }}", second["cursor"]);
    let mut live = service.subscribe(&resume).await;
    for (expected, caught_up) in [(events(2..=5), false), (events(6..=9), false), (events([10]), true)] {
        let page = live.next().await["eventFeed"].take();
        assert_eq!((ids(&page), &page["caughtUp"]), (expected, &json!(caught_up)));
    }
    live.complete().await;
    // An empty first page comes at once, too.
    let at_head = format!("subscription {{ eventFeed(after: {:?}) {{ {PAGE_FIELDS} }} }}", service.head().await);
    let mut live = service.subscribe(&at_head).await;
    let page = live.next().await["eventFeed"].take();
    assert_eq!((ids(&page), &page["caughtUp"]), (vec![], &json!(true)));
    live.complete().await;
    service.stop().await;
}

/// Its pages never exceed their size.
#[tokio::test(flavor = "multi_thread")]
async fn feed_subscription_during_writes_gets_each_event_once() {
    let service = Service::open().await;
    let client = service.client().clone();
    let mut live = service.subscribe(&format!("subscription {{ eventFeed(pageSize: 10) {{ {PAGE_FIELDS} }} }}")).await;
    let writer = tokio::spawn(async move {
        for id in 0..200 {
            client.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
        }
    });
    let mut seen = Vec::new();
    while seen.len() < 200 {
        let page = live.next().await["eventFeed"].take();
        assert!(ids(&page).len() <= 10);
        seen.extend(ids(&page));
    }
    assert_eq!(seen, events(1..=200));
    writer.await.unwrap();
    live.complete().await;
    service.stop().await;
}

#[tokio::test]
async fn feed_with_wrong_arguments_is_an_error_that_shows_right_ones() {
    let service = Service::open().await;
    post(&service, 0..1).await;
    let project_cursor =
        service.query("{ projects { edges { cursor } } }").await["projects"]["edges"][0]["cursor"].clone();
    for (arguments, text) in [
        ("pageSize: 0".to_owned(), "between 1 and 500"),
        ("pageSize: 501".to_owned(), "between 1 and 500"),
        ("pageSize: -1".to_owned(), "between 1 and 500"),
        ("after: \"x\"".to_owned(), "malformed"),
        (format!("after: {project_cursor}"), "take one from an event"),
        (r#"filter: { projectId: "1" }"#.to_owned(), "project:36029621652695040"),
    ] {
        let field = format!("eventFeed({arguments}) {{ cursor }}");
        assert_bad_user_input(&service.query_error(&format!("{{ {field} }}")).await, text);
        let mut refused = service.subscribe(&format!("subscription {{ {field} }}")).await;
        assert_bad_user_input(&refused.error().await, text);
    }
    for size in [1, 500] {
        assert_eq!(ids(&poll(&service, &format!("pageSize: {size}")).await), events([1]));
    }
    // Null means the default.
    assert_eq!(ids(&poll(&service, "pageSize: null").await), events([1]));
    service.stop().await;
}
