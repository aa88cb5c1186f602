//! Batches: a list of requests in one POST.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    Database, HttpResponse, ManualClock, SECRET, Service, Setup, add_key, assert_bad_user_input, envelope,
};

const JSON: &str = "application/json";
const RESPONSE_JSON: &str = "application/graphql-response+json";

async fn post(service: &Service, body: &Value, accept: &str) -> HttpResponse {
    let request = service.request(Method::POST, "/graphql").header("content-type", JSON).header("accept", accept);
    HttpResponse::of(request.body(body.to_string())).await
}

fn typename() -> Value {
    json!({ "query": "{ __typename }" })
}

#[tokio::test]
async fn batch_gets_a_list_of_the_same_length_in_order() {
    let service = Service::open().await;
    let requests = json!([
        typename(),
        { "query": "query A { a: __typename } query B { b: __typename }", "operationName": "B", "variables": "" },
        { "query": "{ nothing }" },
        { "query": "{" },
        {},
        null,
        [typename()],
        { "query": "subscription { events { id } }" },
        { "extensions": { "persistedQuery": { "version": 1, "sha256Hash": "x" } } },
        typename(),
    ]);
    for accept in [JSON, RESPONSE_JSON, "*/*"] {
        let answer = post(&service, &requests, accept).await;
        let media_type = if accept == RESPONSE_JSON { RESPONSE_JSON } else { JSON };
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(media_type)), "{answer:?}");
        let answers = answer.json();
        let answers = answers.as_array().unwrap();
        assert_eq!(answers.len(), 10);
        for (at, data) in
            [(0, json!({ "__typename": "Query" })), (1, json!({ "b": "Query" })), (9, json!({ "__typename": "Query" }))]
        {
            assert_eq!(answers[at], json!({ "data": data }));
        }
        for (at, text) in
            [(2, "nothing"), (3, "expected"), (4, "query"), (5, ""), (6, "object"), (7, "text/event-stream")]
        {
            assert_bad_user_input(&answers[at]["errors"][0], text);
            assert!(answers[at].get("data").is_none());
        }
        assert_eq!(answers[8]["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_SUPPORTED");
    }
    let one = post(&service, &json!([typename()]), JSON).await;
    assert_eq!(one.json(), json!([{ "data": { "__typename": "Query" } }]));
    service.stop().await;
}

#[tokio::test]
async fn batch_too_long_is_refused() {
    let service = Service::open().await;
    for length in [10, 11, 100] {
        let answer = post(&service, &json!(vec![typename(); length]), JSON).await;
        assert_eq!(answer.status, 200);
        let answers = answer.json();
        assert_eq!(answers.as_array().unwrap().len(), length);
        for answer in answers.as_array().unwrap() {
            let is_refused = answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED";
            assert_eq!(is_refused, length > 10, "{length}: {answer}");
            assert!(!is_refused || answer["errors"][0]["message"].as_str().unwrap().contains("at most 10"));
        }
    }
    for (length, status) in [(0, 400), (101, 413), (10_000, 413)] {
        let answer = post(&service, &json!(vec![json!({}); length]), JSON).await;
        assert_eq!(answer.status, status, "{length}: {answer:?}");
        assert!(answer.json()["errors"][0]["message"].as_str().unwrap().contains("batch"), "{answer:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn requests_of_a_batch_run_in_order() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    for id in [1, 2] {
        let body = envelope("project.created", &format!(r#"{{"id":{id}}}"#));
        // A signature of last week is quarantined, and can be released.
        service.post_signed(SECRET, clock.unix() - 7 * 24 * 3600, body).await.receipt().quarantined();
    }
    let release = |id: &str| {
        let query = "mutation ($id: ID!) { releaseQuarantinedDelivery(input: { id: $id }) { userErrors { code } } }";
        json!({ "query": query, "variables": { "id": id } })
    };
    let count = json!({ "query": "{ quarantinedDeliveries { totalCount } }" });
    let requests = json!([count, release("delivery:1"), count, release("delivery:2"), release("delivery:2"), count]);
    let answer = post(&service, &requests, JSON).await.json();
    for (at, total) in [(0, 2), (2, 1), (5, 0)] {
        assert_eq!(answer[at]["data"]["quarantinedDeliveries"]["totalCount"], total, "{answer}");
    }
    for (at, errors) in [(1, 0), (3, 0), (4, 1)] {
        let user_errors = answer[at]["data"]["releaseQuarantinedDelivery"]["userErrors"].as_array().unwrap();
        assert_eq!(user_errors.len(), errors, "{answer}");
    }
    service.stop().await;
}

#[tokio::test]
async fn batch_needs_the_scope_of_each_request() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    let service = Setup::new().database(database).start().await;
    let release = "mutation { releaseQuarantinedDelivery(input: { id: \"delivery:1\" }) { userErrors { code } } }";
    let body = json!([{ "query": release }, typename()]).to_string();
    assert_eq!(service.post("/graphql", body.clone()).await.status, 401);
    let answer = service.with_token(&token).post("/graphql", body).await.json();
    assert_eq!(answer[0]["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(answer[1], json!({ "data": { "__typename": "Query" } }));
    service.stop().await;
}

#[tokio::test]
async fn batch_for_a_stream_is_refused() {
    let service = Service::open().await;
    for (path, accept) in [
        ("/graphql/sse", "text/event-stream"),
        ("/graphql", "text/event-stream"),
        ("/graphql", "multipart/mixed;subscriptionSpec=1.0"),
    ] {
        let request = service.request(Method::POST, path).header("content-type", JSON).header("accept", accept);
        let answer = HttpResponse::of(request.body(json!([typename()]).to_string())).await;
        assert_eq!((answer.status, answer.header("content-type")), (400, Some(JSON)), "{answer:?}");
        assert_bad_user_input(&answer.json()["errors"][0], "batch");
    }
    service.stop().await;
}
