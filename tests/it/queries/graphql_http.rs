//! GraphQL over HTTP: valid requests, the errors for invalid ones, and the media types.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{HttpResponse, Service, assert_bad_user_input};

const JSON: &str = "application/json";
const RESPONSE_JSON: &str = "application/graphql-response+json";

/// A POST of this body, with these media types.
async fn post(service: &Service, content_type: Option<&str>, accept: Option<&str>, body: &str) -> HttpResponse {
    let mut request = service.request(Method::POST, "/graphql");
    for (name, value) in [("content-type", content_type), ("accept", accept)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    HttpResponse::of(request.body(body.to_owned())).await
}

async fn get(service: &Service, parameters: &[(&str, &str)]) -> HttpResponse {
    let mut url = reqwest::Url::parse(&format!("{}/graphql", service.base())).unwrap();
    url.query_pairs_mut().extend_pairs(parameters);
    service.get(url.as_str().strip_prefix(service.base()).unwrap()).await
}

fn query(text: &str) -> String {
    json!({ "query": text }).to_string()
}

/// The errors of an answer. Each must have a message and a code.
#[track_caller]
fn errors(answer: &HttpResponse) -> Vec<Value> {
    let errors = answer.json()["errors"].as_array().unwrap_or_else(|| panic!("{answer:?}")).clone();
    assert!(!errors.is_empty());
    for error in &errors {
        assert!(!error["message"].as_str().unwrap().is_empty(), "{error}");
        assert!(error["extensions"]["code"].is_string(), "{error}");
    }
    errors
}

const TYPENAME: &str = r#"{"data":{"__typename":"Query"}}"#;

#[tokio::test]
async fn post_is_answered_in_the_accepted_media_type() {
    let service = Service::open().await;
    for (accept, expected) in [
        (None, JSON),
        (Some("*/*"), JSON),
        (Some(JSON), JSON),
        (Some("text/html"), JSON),
        (Some(RESPONSE_JSON), RESPONSE_JSON),
        (Some("Application/GraphQL-Response+JSON; charset=utf-8, application/json;q=0.9"), RESPONSE_JSON),
        (Some("application/json;q=0.9, application/graphql-response+json"), RESPONSE_JSON),
    ] {
        for content_type in [JSON, "application/json; charset=utf-8", "APPLICATION/JSON"] {
            let answer = post(&service, Some(content_type), accept, &query("{ __typename }")).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, TYPENAME), "{accept:?}");
            assert_eq!(answer.header("content-type"), Some(expected), "{accept:?}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
    let body = json!({
        "query": "query A($n: Int) { events(first: $n) { nodes { id } } } query B { __typename }",
        "operationName": "B", "variables": { "n": 1 }, "extensions": {},
    });
    assert_eq!(post(&service, Some(JSON), None, &body.to_string()).await.body, TYPENAME);
    let nulls = json!({ "query": "{ __typename }", "operationName": null, "variables": null, "extensions": null });
    assert_eq!(post(&service, Some(JSON), None, &nulls.to_string()).await.body, TYPENAME);
    service.stop().await;
}

/// The request is valid, but its document cannot run: 400 in the specification's media type, 200 in
/// plain JSON.
#[tokio::test]
async fn document_that_cannot_run_is_an_error_without_data() {
    let service = Service::open().await;
    for document in [
        "{ nothing }",
        "{",
        "",
        " ",
        "{ project { id } }",
        "{ project(vendorId: 1.5) { id } }",
        "query ($n: Int!) { events(first: $n) { totalCount } }",
        "query A { __typename } query B { __typename }",
        "fragment f on Query { __typename }",
        "{ ...missing }",
        "{ events(first: 2147483648) { totalCount } }",
        "{ projects(orderBy: { field: COLOUR, direction: ASC }) { totalCount } }",
        "subscription { events { id } }",
        "subscription { eventFeed { cursor } }",
    ] {
        for (accept, status) in [(JSON, 200), (RESPONSE_JSON, 400)] {
            let answer = post(&service, Some(JSON), Some(accept), &query(document)).await;
            let status = if document.is_empty() { 400 } else { status };
            assert_eq!(answer.status, status, "{document:?}: {answer:?}");
            assert_eq!(answer.header("content-type"), Some(accept));
            for error in errors(&answer) {
                assert_bad_user_input(&error, "");
            }
            assert!(answer.json().get("data").is_none(), "{answer:?}");
        }
    }
    service.stop().await;
}

/// The status is 200 in either media type.
#[tokio::test]
async fn field_that_fails_leaves_the_others() {
    let service = Service::open().await;
    for accept in [JSON, RESPONSE_JSON] {
        let answer = post(&service, Some(JSON), Some(accept), &query(r#"{ __typename node(id: "x") { id } }"#)).await;
        assert_eq!((answer.status, &answer.json()["data"]["__typename"]), (200, &json!("Query")));
        assert_eq!(answer.json()["data"]["node"], Value::Null);
        let errors = errors(&answer);
        assert_eq!((errors.len(), &errors[0]["path"]), (1, &json!(["node"])));
        // A field that cannot be null makes the whole `data` null.
        let answer = post(&service, Some(JSON), Some(accept), &query("{ events(first: -1) { totalCount } }")).await;
        assert_eq!((answer.status, &answer.json()["data"]), (200, &Value::Null), "{answer:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn request_that_is_not_graphql_is_refused() {
    let service = Service::open().await;
    for (body, text) in [
        ("", "not a GraphQL request"),
        ("{", "not a GraphQL request"),
        ("null", "not a GraphQL request"),
        ("\"{ __typename }\"", "not a GraphQL request"),
        ("{}", ""),
        (r#"{"query":null}"#, ""),
        (r#"{"query":1}"#, ""),
        (r#"{"query":"{ __typename }","variables":[1]}"#, ""),
        (r#"{"query":"{ __typename }","variables":"x"}"#, ""),
        ("[]", "the batch is empty"),
        ("[", "not a GraphQL request"),
    ] {
        for accept in [JSON, RESPONSE_JSON] {
            let answer = post(&service, Some(JSON), Some(accept), body).await;
            assert_eq!((answer.status, answer.header("content-type")), (400, Some(accept)), "{body}: {answer:?}");
            assert_bad_user_input(&errors(&answer)[0], text);
        }
    }
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/graphql"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/jsonx"),
        Some(""),
    ] {
        let answer = post(&service, content_type, None, &query("{ __typename }")).await;
        assert_eq!(answer.status, 415, "{content_type:?}: {answer:?}");
        assert_bad_user_input(&errors(&answer)[0], "application/json");
    }
    let padded = |length: usize| {
        let body = query("{ __typename }");
        let padding = " ".repeat(length - body.len());
        body + &padding
    };
    assert_eq!(post(&service, Some(JSON), None, &padded(256 * 1024)).await.body, TYPENAME);
    let answer = post(&service, Some(JSON), None, &padded(256 * 1024 + 1)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(errors(&answer)[0]["extensions"]["code"], "LIMIT_EXCEEDED");
    assert!(errors(&answer)[0]["message"].as_str().unwrap().contains("262144 bytes"), "{answer:?}");
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = HttpResponse::of(service.request(method, "/graphql")).await;
        let mut allowed: Vec<_> = answer.header("allow").unwrap_or_default().split(',').collect();
        allowed.sort_unstable();
        assert_eq!((answer.status, allowed), (405, vec!["GET", "HEAD", "POST"]));
    }
    service.stop().await;
}

#[tokio::test]
async fn get_runs_queries_and_refuses_mutations() {
    let service = Service::open().await;
    service.post("/webhooks/arcsite", "wrong").await.receipt().quarantined();
    let answer = get(&service, &[("query", "{ __typename }")]).await;
    assert_eq!((answer.status, answer.body.as_str(), answer.header("content-type")), (200, TYPENAME, Some(JSON)));
    let several = "query A($id: ID!) { node(id: $id) { id } } mutation B { releaseQuarantinedDelivery(input: { id: \"delivery:1\" }) { userErrors { code } } }";
    let variables = r#"{"id":"delivery:1"}"#;
    let answer = get(&service, &[("query", several), ("operationName", "A"), ("variables", variables)]).await;
    assert_eq!(answer.json()["data"]["node"]["id"], "delivery:1", "{answer:?}");
    for parameters in [
        &[("query", "mutation { releaseQuarantinedDelivery(input: { id: \"delivery:1\" }) { userErrors { code } } }")]
            [..],
        &[("query", several), ("operationName", "B")],
        &[("query", several)],
    ] {
        let answer = get(&service, parameters).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{parameters:?}: {answer:?}");
        assert_bad_user_input(&errors(&answer)[0], "POST");
    }
    for parameters in [
        &[][..],
        &[("query", "")],
        &[("operationName", "A")],
        &[("query", "{ __typename }"), ("variables", "{")],
        &[("query", "{ __typename }"), ("variables", "[1]")],
    ] {
        let answer = get(&service, parameters).await;
        assert_eq!(answer.status, 400, "{parameters:?}: {answer:?}");
        assert_bad_user_input(&errors(&answer)[0], "");
    }
    for document in ["{ nothing }", "subscription { events { id } }", "{"] {
        let answer = get(&service, &[("query", document)]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_bad_user_input(&errors(&answer)[0], "");
    }
    let answer = get(&service, &[("query", "{ quarantinedDeliveries { totalCount } }")]).await;
    assert_eq!(answer.json()["data"]["quarantinedDeliveries"]["totalCount"], 1, "nothing was released");
    service.stop().await;
}

#[tokio::test]
async fn variable_without_a_value_has_its_default_in_directives() {
    let service = Service::open().await;
    let query = "query ($yes: Boolean = true, $no: Boolean = false, $n: Int = 0) {
        a: events(first: $n) @include(if: $yes) { nodes { id } } b: events(first: $n) @skip(if: $no) { nodes { id } }
        c: events(first: $n) @include(if: $no) { nodes { id } } d: events(first: $n) @skip(if: $yes) { nodes { id } }
        ... @include(if: $yes) { e: __typename } ...f @skip(if: $yes) } fragment f on Query { f: __typename }";
    let none = json!({ "nodes": [] });
    assert_eq!(service.query(query).await, json!({ "a": none, "b": none, "e": "Query" }));
    // A named operation also runs without `operationName`.
    let named = query.replacen("query", "query Named", 1);
    assert_eq!(service.query(&named).await, json!({ "a": none, "b": none, "e": "Query" }));
    let inverted = service.query_with(query, json!({ "yes": false, "no": true })).await;
    assert_eq!(inverted, json!({ "c": none, "d": none, "f": "Query" }));
    // The defaults are those of the operation that runs.
    let two = format!(
        "{} query B($yes: Boolean = false) {{ headCursor @include(if: $yes) a: __typename }}",
        query.replacen("query", "query A", 1)
    );
    let body = json!({ "query": two, "operationName": "B" });
    let answer = post(&service, Some(JSON), None, &body.to_string()).await;
    assert_eq!(answer.body, r#"{"data":{"a":"Query"}}"#);
    service.stop().await;
}
