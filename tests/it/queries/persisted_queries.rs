//! A hash in place of a document. The service knows no hashes, and says so in the words that
//! clients know, so that they send the document.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{EventStream, HttpResponse, Service};

const HASH: &str = r#"{"persistedQuery":{"version":1,"sha256Hash":"ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}}"#;

fn hash() -> Value {
    serde_json::from_str(HASH).unwrap()
}

/// Apollo and urql look for the first error, graphql-tools for the second.
#[track_caller]
fn assert_not_supported(errors: &Value) {
    let known = |message: &str, code: &str| json!({ "message": message, "extensions": { "code": code } });
    let expected = json!([
        known("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"),
        known("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND"),
    ]);
    assert_eq!(errors, &expected);
}

#[tokio::test]
async fn hash_without_document_is_not_supported_over_http() {
    let service = Service::open().await;
    for (accept, status) in [("application/json", 200), ("application/graphql-response+json", 400)] {
        for body in [
            json!({ "extensions": hash() }),
            json!({ "extensions": hash(), "query": null, "operationName": "A", "variables": {} }),
            json!({ "extensions": hash(), "query": "" }),
            json!({ "extensions": HASH }),
        ] {
            let request = service.request(Method::POST, "/graphql").header("content-type", "application/json");
            let answer = HttpResponse::of(request.header("accept", accept).body(body.to_string())).await;
            assert_eq!((answer.status, answer.header("content-type")), (status, Some(accept)), "{body}: {answer:?}");
            assert_not_supported(&answer.json()["errors"]);
            assert!(answer.json().get("data").is_none());
        }
        let mut url = reqwest::Url::parse(&format!("{}/graphql", service.base())).unwrap();
        url.query_pairs_mut().extend_pairs([("operationName", "A"), ("variables", "{}"), ("extensions", HASH)]);
        let path = url.as_str().strip_prefix(service.base()).unwrap();
        let answer = HttpResponse::of(service.request(Method::GET, path).header("accept", accept)).await;
        assert_eq!(answer.status, status);
        assert_not_supported(&answer.json()["errors"]);
    }
    let request = service.request(Method::POST, "/graphql/sse").header("content-type", "application/json");
    let mut stream = EventStream::open(request.body(json!({ "extensions": hash() }).to_string())).await;
    assert_not_supported(&stream.response().await.data["errors"]);
    stream.assert_completes().await;
    service.stop().await;
}

#[tokio::test]
async fn hash_with_document_is_executed() {
    let service = Service::open().await;
    let body = json!({ "query": "{ __typename }", "extensions": hash() });
    let answer = service.post("/graphql", body.to_string()).await;
    assert_eq!(answer.body, r#"{"data":{"__typename":"Query"}}"#);
    // Another extension is no document.
    for extensions in [json!({}), json!({ "other": hash() }), json!(null)] {
        let answer = service.post("/graphql", json!({ "extensions": extensions }).to_string()).await;
        assert_eq!((answer.status, &answer.json()["errors"][0]["extensions"]["code"]), (400, &json!("BAD_USER_INPUT")));
    }
    service.stop().await;
}

#[tokio::test]
async fn hash_on_a_socket_leaves_the_other_operations() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    socket.subscribe("live", "subscription { events { id } }", json!({})).await;
    for payload in [
        json!({ "extensions": hash() }),
        json!({ "query": null, "extensions": hash() }),
        json!({ "query": "", "extensions": HASH }),
    ] {
        socket.send(json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
        let refused = socket.json().await;
        assert_eq!((&refused["id"], &refused["type"]), (&json!("1"), &json!("error")));
        assert_not_supported(&refused["payload"]);
    }
    // As clients do, the same id runs the document next.
    socket.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(socket.json().await["payload"], json!({ "data": { "__typename": "Query" } }));
    assert_eq!(socket.json().await["type"], "complete");
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    assert_eq!(socket.json().await["id"], "live");
    service.stop().await;
}
