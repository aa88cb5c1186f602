//! The history of events: each event exactly once and in order, from either end, while more come;
//! and its filters.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::harness::{ManualClock, Pages, Service, Setup, assert_bad_user_input, fixture, texts};

fn events() -> Pages {
    Pages::of("events", "id cursor")
}

/// The ids of events, newest first.
fn newest_first(from: usize, to: usize) -> Vec<String> {
    (to..=from).rev().map(|seq| format!("event:{seq}")).collect()
}

async fn post(service: &Service, projects: std::ops::Range<u32>) {
    for id in projects {
        service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
}

fn writer(service: &Service, projects: std::ops::Range<u32>) -> JoinHandle<()> {
    let client = service.client().clone();
    tokio::spawn(async move {
        for id in projects {
            client.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn paging_forward_while_events_come_gives_the_earlier_ones_once() {
    let service = Service::open().await;
    post(&service, 0..60).await;
    let writer = writer(&service, 100..180);
    let seen = texts(&events().forward(&service, 7, async |_| {}).await, "id");
    assert!(seen.len() >= 60);
    assert_eq!(seen, newest_first(seen.len(), 1), "from the newest event at the start to the first");
    writer.await.unwrap();
    service.stop().await;
}

/// Paging backward ends at the newest event, so it also finds those that come meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn paging_backward_while_events_come_gives_the_new_ones_too() {
    let service = Service::open().await;
    post(&service, 0..60).await;
    let mut next = 100;
    let seen = events()
        .backward(&service, 7, async |_| {
            if next < 110 {
                post(&service, next..next + 1).await;
                next += 1;
            }
        })
        .await;
    assert!(next > 105, "events came meanwhile");
    let total = 60 + next as usize - 100;
    assert_eq!(texts(&seen, "id"), newest_first(total, 1));
    let writer = writer(&service, 200..260);
    let seen = texts(&events().backward(&service, 5, async |_| {}).await, "id");
    assert_eq!(seen, newest_first(seen.len(), 1));
    writer.await.unwrap();
    service.stop().await;
}

#[tokio::test]
async fn page_info_shows_whether_rows_precede_and_follow() {
    let service = Service::open().await;
    for paging in ["first: 3", "last: 3", "first: 0", ""] {
        let empty = events().page(&service, &format!("{paging} filter: null")).await;
        assert_eq!((empty.nodes.len(), empty.has_previous, empty.has_next), (0, false, false), "{paging}");
        assert_eq!((empty.start, empty.end), (None, None));
    }
    post(&service, 0..25).await;
    let all = events().page(&service, "first: 100").await;
    assert_eq!((all.nodes.len(), all.has_previous, all.has_next), (25, false, false));
    let cursor = |seq: usize| &all.cursors[25 - seq];
    for (index, node) in all.nodes.iter().enumerate() {
        assert_eq!(node["cursor"], all.cursors[index].as_str(), "an event has the cursor of its edge");
    }
    for (paging, from, to, previous, next) in [
        // The default is 20.
        ("filter: {}".to_owned(), 25, 6, false, true),
        ("first: null".to_owned(), 25, 6, false, true),
        ("first: 25".to_owned(), 25, 1, false, false),
        ("first: 24".to_owned(), 25, 2, false, true),
        ("last: 24".to_owned(), 24, 1, true, false),
        ("last: 25".to_owned(), 25, 1, false, false),
        (format!("first: 3 after: {:?}", cursor(4)), 3, 1, true, false),
        (format!("first: 3 after: {:?}", cursor(5)), 4, 2, true, true),
        (format!("last: 3 before: {:?}", cursor(22)), 25, 23, false, true),
        (format!("last: 3 before: {:?}", cursor(21)), 24, 22, true, true),
        // Between two cursors, from either end.
        (format!("first: 2 after: {:?} before: {:?}", cursor(20), cursor(10)), 19, 18, true, true),
        (format!("last: 2 after: {:?} before: {:?}", cursor(20), cursor(10)), 12, 11, true, true),
        // `first` with `before`.
        (format!("first: 2 before: {:?}", cursor(24)), 25, 25, false, false),
    ] {
        let page = events().page(&service, &paging).await;
        assert_eq!(texts(&page.nodes, "id"), newest_first(from, to), "{paging}");
        if !(paging.contains("first") && paging.contains("before")) {
            assert_eq!((page.has_previous, page.has_next), (previous, next), "{paging}");
        }
    }
    let none = events().page(&service, "first: 0").await;
    assert_eq!((none.nodes.len(), none.has_previous, none.has_next), (0, false, true));
    let beyond = events().page(&service, &format!("first: 5 after: {:?}", cursor(1))).await;
    assert_eq!((beyond.nodes.len(), beyond.has_next), (0, false));
    service.stop().await;
}

#[tokio::test]
async fn event_filter_selects_and_counts_its_events() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    for (vendor, body) in [
        ("bidsketch", fixture("bidsketch/client_created.json")),
        ("arcsite", fixture("arcsite/project_created.json")),
        ("bidsketch", fixture("bidsketch/proposal_accepted.json")),
        ("arcsite", fixture("arcsite/proposal_approved.json")),
        ("arcsite", fixture("arcsite/payment_marked.json")),
        (
            "arcsite",
            r#"{"event":"proposal.signed","data":{"drawing_id":36029621652695041,"project_id":36029621652695040}}"#
                .to_owned(),
        ),
        ("bidsketch", r#"{"event":"proposal_eaten","data":{"id":11051955}}"#.to_owned()),
    ] {
        service.post(&format!("/webhooks/{vendor}"), body).await.receipt().accepted();
        clock.advance(TimeDelta::minutes(1));
    }
    // 15:00 to 15:06, a minute apart.
    for (filter, expected) in [
        ("null", &[7, 6, 5, 4, 3, 2, 1][..]),
        ("{}", &[7, 6, 5, 4, 3, 2, 1]),
        ("{ provider: null, kind: null, receivedFrom: null }", &[7, 6, 5, 4, 3, 2, 1]),
        ("{ provider: [BIDSKETCH] }", &[7, 3, 1]),
        ("{ provider: BIDSKETCH }", &[7, 3, 1]),
        ("{ provider: [ARCSITE, BIDSKETCH] }", &[7, 6, 5, 4, 3, 2, 1]),
        ("{ provider: [] }", &[]),
        ("{ kind: [CLIENT_CREATED, PROPOSAL_PAYMENT_RECEIVED] }", &[5, 1]),
        ("{ kind: [UNRECOGNIZED] }", &[7]),
        ("{ kind: [] }", &[]),
        (r#"{ proposalId: "proposal:arcsite:36029621652695042" }"#, &[5, 4]),
        (r#"{ proposalId: "proposal:bidsketch:36029621652695042" }"#, &[]),
        (r#"{ proposalId: "proposal:bidsketch:11051955" }"#, &[3]),
        (r#"{ clientId: "client:4815162342" }"#, &[3, 1]),
        (r#"{ projectId: "project:36029621652695040" }"#, &[6, 5, 4, 2]),
        (r#"{ drawingId: "drawing:36029621652695041" }"#, &[6, 5, 4]),
        (r#"{ drawingId: "drawing:1" }"#, &[]),
        (r#"{ receivedFrom: "2026-01-05T15:04:00Z" }"#, &[7, 6, 5]),
        (r#"{ receivedBefore: "2026-01-05T15:04:00Z" }"#, &[4, 3, 2, 1]),
        (r#"{ receivedFrom: "2026-01-05T16:01:00+01:00", receivedBefore: "2026-01-05T15:03:00.000001Z" }"#, &[4, 3, 2]),
        (r#"{ receivedFrom: "2026-01-05T15:04:00.000001Z", receivedBefore: "2026-01-05T15:05:00Z" }"#, &[]),
        (
            r#"{ provider: [ARCSITE], projectId: "project:36029621652695040", kind: [PROPOSAL_SIGNED, PROJECT_CREATED] }"#,
            &[6, 2],
        ),
    ] {
        let expected: Vec<String> = expected.iter().map(|seq| format!("event:{seq}")).collect();
        let filtered = events().with(&format!("filter: {filter}"));
        assert_eq!(texts(&filtered.both_directions(&service, 2).await, "id"), expected, "{filter}");
        let query = format!(
            "{{ events(first: 1, filter: {filter}) {{ totalCount }} eventFeed(filter: {filter}) {{ events {{ id }} }} }}"
        );
        let data = service.query(&query).await;
        assert_eq!(data["events"]["totalCount"], expected.len(), "{filter}");
        let feed = texts(data["eventFeed"]["events"].as_array().unwrap(), "id");
        assert_eq!(feed, expected.iter().rev().cloned().collect::<Vec<_>>(), "the feed selects the same: {filter}");
    }
    for (filter, text) in [
        (r#"{ proposalId: "proposal:11051955" }"#, "proposal:bidsketch:11051955"),
        (r#"{ clientId: "4815162342" }"#, "client:4815162342"),
        (r#"{ projectId: "drawing:1" }"#, "project:36029621652695040"),
        (r#"{ drawingId: "" }"#, "drawing:36029621652695041"),
        (r#"{ receivedFrom: "yesterday" }"#, "2022-01-16T04:19:23Z"),
        (r#"{ receivedBefore: "2026-01-05" }"#, "2022-01-16T04:19:23Z"),
        (r#"{ colour: "red" }"#, "colour"),
        (r#"{ kind: [PROJECT_EATEN] }"#, "PROJECT_EATEN"),
    ] {
        let error = service.query_error(&format!("{{ events(filter: {filter}) {{ totalCount }} }}")).await;
        assert_bad_user_input(&error, text);
    }
    service.stop().await;
}

async fn cursor(service: &Service, list: &str) -> Value {
    service.query(&format!("{{ it: {list} {{ edges {{ cursor }} }} }}")).await["it"]["edges"][0]["cursor"].take()
}

#[tokio::test]
async fn paging_with_wrong_arguments_is_an_error_that_shows_right_ones() {
    let service = Service::open().await;
    let other_service = Service::open().await;
    for service in [&service, &other_service] {
        post(service, 0..2).await;
        service.post("/webhooks/arcsite", "wrong").await.receipt().quarantined();
        service.bidsketch("client_created", r#"{"id":1}"#).await.accepted();
    }
    let event_cursor = cursor(&service, "events").await;
    let other_log_cursor = cursor(&other_service, "events").await;
    let delivery_cursor = cursor(&service, "quarantinedDeliveries").await;
    let project_cursor = cursor(&service, "projects").await;
    let name_order_cursor = cursor(&service, "projects(orderBy: { field: NAME, direction: ASC })").await;
    let bounds = "between 0 and 100";
    let lists = ["events", "projects", "drawings", "clients", "proposals", "quarantinedDeliveries"];
    let mut cases: Vec<(&str, String, &str)> = Vec::new();
    for list in lists {
        for (paging, text) in [
            ("first: 101", bounds),
            ("first: -1", bounds),
            ("last: 101", bounds),
            ("last: -1", bounds),
            ("first: 2147483648", "Int"),
            ("first: 1, last: 1", "`first` or `last`, not both"),
            ("after: \"not a cursor\"", "malformed"),
            ("before: \"e30\"", "malformed"),
            ("last: 1, before: \"W10\"", "malformed"),
        ] {
            cases.push((list, paging.to_owned(), text));
        }
        if list != "events" {
            cases.push((
                list,
                format!("after: {event_cursor}"),
                "belongs to another list; take one from an edge of this list",
            ));
        }
    }
    for (list, paging, text) in [
        ("events", format!("after: {other_log_cursor}"), "another log"),
        ("events", format!("before: {delivery_cursor}"), "belongs to another list; take one from an event"),
        ("events", format!("after: {project_cursor}"), "another list"),
        ("drawings", format!("after: {project_cursor}"), "another list"),
        ("projects", format!("after: {name_order_cursor}"), "belongs to another order of this list"),
        ("projects", format!("before: {project_cursor}, orderBy: {{ field: NAME, direction: ASC }}"), "another order"),
    ] {
        cases.push((list, paging, text));
    }
    for (list, paging, text) in cases {
        let error = service.query_error(&format!("{{ {list}({paging}) {{ pageInfo {{ endCursor }} }} }}")).await;
        assert_bad_user_input(&error, text);
    }
    // The same holds for connections below an object.
    for (parent, field) in [
        ("project(vendorId: \"1\")", "drawings"),
        ("project(vendorId: \"1\")", "proposals"),
        ("project(vendorId: \"1\")", "events"),
        ("client(vendorId: \"1\")", "proposals"),
        ("client(vendorId: \"1\")", "events"),
    ] {
        for (paging, text) in [
            ("first: 101".to_owned(), bounds),
            ("last: -1".to_owned(), bounds),
            ("first: 1, last: 1".to_owned(), "not both"),
            ("after: \"x\"".to_owned(), "malformed"),
            (format!("after: {project_cursor}"), "another list"),
        ] {
            let query = format!("{{ {parent} {{ {field}({paging}) {{ pageInfo {{ endCursor }} }} }} }}");
            assert_bad_user_input(&service.query_error(&query).await, text);
        }
    }
    // A cursor of `events` also works in a connection of events below an object: both are positions
    // in the log.
    let data = service
        .query(&format!("{{ project(vendorId: \"0\") {{ events(after: {event_cursor}) {{ nodes {{ id }} }} }} }}"))
        .await;
    assert_eq!(data["project"]["events"]["nodes"], json!([{ "id": "event:1" }]));
    other_service.stop().await;
    service.stop().await;
}
