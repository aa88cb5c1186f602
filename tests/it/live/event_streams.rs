//! GraphQL over server-sent events by the protocol `graphql-sse`: one stream for each operation,
//! which `Last-Event-ID` resumes.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{
    Database, EventStream, HttpResponse, Process, Service, Setup, TIMEOUT, add_key, assert_bad_user_input, eventually,
    revoke_key,
};

const LIVE: &str = "subscription { events { id cursor } }";
const FROM: &str = "subscription ($after: String) { events(after: $after) { id cursor } }";

async fn post(service: &Service, projects: std::ops::Range<u32>) {
    for id in projects {
        service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
}

#[tokio::test]
async fn stream_with_last_event_id_resumes_after_that_event() {
    let service = Service::open().await;
    let start = service.head().await;
    let request = || EventStream::request(service.client(), FROM, json!({ "after": start }));
    let mut seen = Vec::new();
    let mut last = None;
    // A client repeats the same request. Each time it sees three more events, and then its
    // connection ends.
    for round in 0..3 {
        post(&service, round * 5..(round + 1) * 5).await;
        let mut stream = EventStream::open(match &last {
            Some(id) => request().header("last-event-id", id),
            None => request().header("last-event-id", ""),
        })
        .await;
        for _ in 0..3 {
            let mut event = stream.response().await;
            let node = event.data["data"]["events"].take();
            assert_eq!(event.id.as_deref(), node["cursor"].as_str());
            last = event.id;
            seen.push(node);
        }
    }
    assert_eq!(json!(seen), json!(service.log("id cursor").await[..9]));
    service.stop().await;
}

#[tokio::test]
async fn event_feed_with_last_event_id_resumes_after_that_page() {
    let service = Service::open().await;
    post(&service, 0..5).await;
    let feed = "subscription { eventFeed(pageSize: 2) { events { id } cursor } }";
    let mut stream = EventStream::open(EventStream::request(service.client(), feed, json!({}))).await;
    let first = stream.response().await;
    assert_eq!(first.id.as_deref(), first.data["data"]["eventFeed"]["cursor"].as_str());
    let resumed = EventStream::request(service.client(), feed, json!({})).header("last-event-id", first.id.unwrap());
    let second = EventStream::open(resumed).await.response().await;
    assert_eq!(second.data["data"]["eventFeed"]["events"], json!([{ "id": "event:3" }, { "id": "event:4" }]));
    service.stop().await;
}

/// Two root fields would have two positions, but a stream has one.
#[tokio::test]
async fn subscription_with_two_root_fields_is_refused() {
    let service = Service::open().await;
    let two = "subscription { a: eventFeed { cursor } b: eventFeed { cursor } }";
    let mut stream = EventStream::open(EventStream::request(service.client(), two, json!({}))).await;
    let refused = stream.response().await;
    assert_eq!(refused.id, None);
    assert_eq!(refused.data["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused:?}");
    stream.assert_completes().await;
    service.stop().await;
}

#[tokio::test]
async fn query_or_mutation_gets_one_response_and_completes() {
    let service = Service::open().await;
    let get = |parameters: &[(&str, &str)]| {
        let mut url = reqwest::Url::parse(&format!("{}/graphql/sse", service.base())).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        service.request(Method::GET, url.as_str().strip_prefix(service.base()).unwrap())
    };
    let two = "query A { __typename } query B { headCursor }";
    for request in [
        EventStream::request(service.client(), "{ __typename }", json!({})),
        get(&[("query", "{ __typename }")]).header("accept", "text/event-stream"),
        get(&[("query", two), ("operationName", "A"), ("variables", "{}")]),
        get(&[("query", "{ __typename }")]).header("accept", "application/json;q=0.5, text/*"),
    ] {
        let mut stream = EventStream::open(request).await;
        assert_eq!(stream.response().await.data, json!({ "data": { "__typename": "Query" } }));
        stream.assert_completes().await;
    }
    let request = EventStream::request(
        service.client(),
        "mutation { releaseQuarantinedDelivery(input: { id: \"delivery:7\" }) { userErrors { code } } }",
        json!({}),
    );
    let mut stream = EventStream::open(request).await;
    assert!(stream.response().await.data["data"]["releaseQuarantinedDelivery"].is_object());
    stream.assert_completes().await;
    // A browser subscribes by GET.
    let mut stream = EventStream::open(get(&[("query", "subscription { eventFeed { caughtUp } }")])).await;
    assert_eq!(stream.response().await.data, json!({ "data": { "eventFeed": { "caughtUp": true } } }));
    service.stop().await;
}

/// The protocol reports errors of an operation in an event, because an `EventSource` shows nothing
/// else.
#[tokio::test]
async fn invalid_operation_gets_its_error_in_an_event() {
    let service = Service::open().await;
    for (query, last_event_id, text) in [
        ("{", None, "expected"),
        ("{ nothing }", None, "nothing"),
        ("subscription { nothing }", None, "nothing"),
        (LIVE, Some("not a cursor"), "malformed"),
    ] {
        let mut request = EventStream::request(service.client(), query, json!({}));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let mut stream = EventStream::open(request).await;
        let response = stream.response().await.data;
        assert_bad_user_input(&response["errors"][0], text);
        stream.assert_completes().await;
    }
    service.stop().await;
}

#[tokio::test]
async fn invalid_request_gets_a_json_error() {
    let service = Service::open().await;
    let to = |body: &str, content_type: &str, accept: &str| {
        let request = service.request(Method::POST, "/graphql/sse").header("content-type", content_type);
        request.header("accept", accept).body(body.to_owned())
    };
    let query = r#"{"query":"{ __typename }"}"#;
    let get = |parameters: &str| service.request(Method::GET, &format!("/graphql/sse{parameters}"));
    let large = format!(r#"{{"query":"{}"}}"#, "x".repeat(256 * 1024));
    for (request, status) in [
        (to("x", "application/json", "text/event-stream"), 400),
        (to("{}", "application/json", "text/event-stream"), 400),
        (to("[]", "application/json", "text/event-stream"), 400),
        (to(query, "text/plain", "text/event-stream"), 415),
        (to(query, "application/json", "application/json"), 406),
        (to(&large, "application/json", "text/event-stream"), 413),
        (get(""), 400),
        (get("?query=mutation{releaseQuarantinedDelivery(input:{id:%22delivery:1%22}){userErrors{code}}}"), 405),
        (get("?query={__typename}").header("last-event-id", &b"\xff"[..]), 400),
    ] {
        let response = HttpResponse::of(request).await;
        assert_eq!(response.status, status, "{response:?}");
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert!(response.json()["errors"][0]["message"].is_string(), "{response:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn stream_needs_a_key_and_ends_when_it_is_revoked() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    add_key(&database, "other", "read").await;
    let service = Setup::new().database(database).start().await;
    for client in [service.client().clone(), service.with_token("wrong")] {
        let response = HttpResponse::of(EventStream::request(&client, LIVE, json!({}))).await;
        assert_eq!((response.status, response.header("www-authenticate")), (401, Some("Bearer")));
        assert_eq!(response.json()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
    let client = service.with_token(&token);
    let release = "mutation { releaseQuarantinedDelivery(input: { id: \"delivery:1\" }) { userErrors { code } } }";
    let mut forbidden = EventStream::open(EventStream::request(&client, release, json!({}))).await;
    assert_eq!(forbidden.response().await.data["errors"][0]["extensions"]["code"], "FORBIDDEN");

    let mut stream = EventStream::open(EventStream::request(&client, LIVE, json!({}))).await;
    revoke_key(service.database(), "office").await;
    // The stream ends without `complete`: the client can resume with another key.
    assert_eq!(stream.next().await, None);
    service.stop().await;
}

#[tokio::test]
async fn open_mode_serves_only_this_machine_and_allowed_origins() {
    let service = Setup::new()
        .with(|settings| settings.server.allowed_origins = vec!["https://office.example".to_owned()])
        .start()
        .await;
    for (name, value) in
        [("x-forwarded-for", "203.0.113.7"), ("origin", "https://elsewhere.example"), ("host", "example.com")]
    {
        let request = EventStream::request(service.client(), LIVE, json!({})).header(name, value);
        let response = HttpResponse::of(request).await;
        assert_eq!((response.status, &response.json()["errors"][0]["extensions"]["code"]), (403, &json!("FORBIDDEN")));
    }
    let preflight = service
        .request(Method::OPTIONS, "/graphql/sse")
        .header("origin", "https://office.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "last-event-id");
    let response = HttpResponse::of(preflight).await;
    assert_eq!(response.header("access-control-allow-origin"), Some("https://office.example"));
    assert!(response.header("access-control-allow-headers").unwrap().contains("last-event-id"), "{response:?}");
    service.stop().await;
}

#[tokio::test]
async fn stopping_service_ends_the_stream_without_complete() {
    let service = Service::open().await;
    let mut stream = EventStream::open(EventStream::request(service.client(), LIVE, json!({}))).await;
    let database = timeout(Duration::from_secs(3), service.stop()).await.expect("the stream does not delay the stop");
    // Without `complete`, clients reconnect.
    assert_eq!(stream.next().await, None);
    drop(database);
}

#[tokio::test]
async fn idle_stream_gets_keep_alive_comments() {
    let service = Service::open().await;
    let mut stream = EventStream::open(EventStream::request(service.client(), LIVE, json!({}))).await;
    let text = timeout(Duration::from_secs(12) + TIMEOUT, stream.text()).await.unwrap();
    assert_eq!(text.as_deref(), Some(":"));
    service.stop().await;
}

/// The service runs in its own process, so that its metrics count only this service.
#[tokio::test]
async fn disconnected_client_ends_its_execution() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let wait_for_count = async |expected: f64| {
        eventually(&format!("{expected} subscriptions"), TIMEOUT, async || {
            (service.metric("bidarc_subscriptions").await == expected).then_some(())
        })
        .await;
    };
    let first = EventStream::open(EventStream::request(&service, LIVE, json!({}))).await;
    let second = EventStream::open(EventStream::request(&service, LIVE, json!({}))).await;
    wait_for_count(2.0).await;
    drop(first);
    wait_for_count(1.0).await;
    drop(second);
    wait_for_count(0.0).await;
    service.stop(&database).await;
}

/// The stream sends a payload with line ends unchanged.
#[tokio::test]
async fn payload_with_line_ends_arrives_unchanged() {
    let service = Service::open().await;
    let query = "subscription ($after: String) { events(after: $after) { payload } }";
    let variables = json!({ "after": service.head().await });
    let mut stream = EventStream::open(EventStream::request(service.client(), query, variables)).await;
    service.arcsite("project.created", "{\"id\":1,\r\n\n \"name\": \"a\\nb\"\r}").await.accepted();
    let expected: Value = serde_json::from_str(r#"{"id":1,"name":"a\nb"}"#).unwrap();
    assert_eq!(stream.response().await.data["data"]["events"]["payload"], expected);
    service.stop().await;
}
