//! Subscriptions over Apollo's multipart protocol.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{
    Database, HttpResponse, PartStream, Process, Service, Setup, TIMEOUT, add_key, assert_bad_user_input, eventually,
    revoke_key,
};

const LIVE: &str = "subscription { events { id } }";

#[tokio::test]
async fn subscription_gets_a_part_for_each_event() {
    let service = Service::open().await;
    let query = "subscription ($after: String) { events(after: $after) { id payload } }";
    let request = PartStream::request(service.client(), query, json!({ "after": service.head().await }));
    let mut stream = PartStream::open(request).await;
    // A payload with line ends stays one part, and no text in it can be a boundary.
    let texts = [r#"{"id":1}"#, "{\"id\":2,\r\n\n \"name\": \"\\r\\n--graphql--\"\r}", r#"{"id":3}"#];
    for (data, id) in texts.into_iter().zip(1..) {
        service.arcsite("project.created", data).await.accepted();
        let event = json!({ "id": format!("event:{id}"), "payload": serde_json::from_str::<Value>(data).unwrap() });
        assert_eq!(stream.response().await, json!({ "data": { "events": event } }));
    }
    service.stop().await;
}

#[tokio::test]
async fn stream_with_last_event_id_resumes_after_that_event() {
    let service = Service::open().await;
    let start = service.head().await;
    for id in 1..4 {
        service.arcsite("project.created", &format!("{{\"id\":{id}}}")).await.accepted();
    }
    let request = PartStream::request(service.client(), LIVE, json!({})).header("last-event-id", start);
    let mut stream = PartStream::open(request).await;
    for id in 1..4 {
        assert_eq!(stream.response().await["data"]["events"]["id"], format!("event:{id}"));
    }
    service.stop().await;
}

#[tokio::test]
async fn operation_that_ends_has_the_last_boundary() {
    let service = Service::open().await;
    let only_parts = |query: &str| {
        let body = json!({ "query": query }).to_string();
        let request = service.request(Method::POST, "/graphql").header("content-type", "application/json");
        request.header("accept", "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=\"1.0\"").body(body)
    };
    let mut stream = PartStream::open(only_parts("{ __typename }")).await;
    assert_eq!(stream.response().await, json!({ "data": { "__typename": "Query" } }));
    stream.assert_completes().await;
    for (query, text) in [("{", "expected"), ("{ nothing }", "nothing"), ("subscription { nothing }", "nothing")] {
        let mut stream = PartStream::open(only_parts(query)).await;
        assert_bad_user_input(&stream.response().await["errors"][0], text);
        stream.assert_completes().await;
    }
    // A client that accepts JSON as well gets that for a query.
    let answer = HttpResponse::of(PartStream::request(service.client(), "{ __typename }", json!({}))).await;
    assert_eq!(answer.body, r#"{"data":{"__typename":"Query"}}"#);
    service.stop().await;
}

#[tokio::test]
async fn idle_stream_gets_heartbeats() {
    let service = Service::open().await;
    let mut stream = PartStream::open(PartStream::request(service.client(), LIVE, json!({}))).await;
    for _ in 0..2 {
        let part = timeout(Duration::from_secs(5) + TIMEOUT, stream.part()).await.unwrap();
        assert_eq!(part, Some(json!({})));
    }
    service.stop().await;
}

#[tokio::test]
async fn stream_needs_a_key_and_is_interrupted_when_it_is_revoked() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    add_key(&database, "other", "read").await;
    let service = Setup::new().database(database).start().await;
    for client in [service.client().clone(), service.with_token("wrong")] {
        let answer = HttpResponse::of(PartStream::request(&client, LIVE, json!({}))).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
    }
    let request = PartStream::request(&service.with_token(&token), LIVE, json!({}));
    let stream = PartStream::open(request).await;
    revoke_key(service.database(), "office").await;
    stream.assert_interrupted().await;
    service.stop().await;
}

#[tokio::test]
async fn stopping_service_interrupts_the_stream() {
    let service = Service::open().await;
    let stream = PartStream::open(PartStream::request(service.client(), LIVE, json!({}))).await;
    let database = timeout(Duration::from_secs(3), service.stop()).await.expect("the stream does not delay the stop");
    stream.assert_interrupted().await;
    drop(database);
}

/// The service runs in its own process, so that its metrics count only this service.
#[tokio::test]
async fn disconnected_client_ends_its_execution() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let stream = PartStream::open(PartStream::request(&service, LIVE, json!({}))).await;
    for (stream, expected) in [(Some(stream), 1.0), (None, 0.0)] {
        eventually(&format!("{expected} subscriptions"), TIMEOUT, async || {
            (service.metric("bidarc_subscriptions").await == expected).then_some(())
        })
        .await;
        drop(stream);
    }
    service.stop(&database).await;
}
