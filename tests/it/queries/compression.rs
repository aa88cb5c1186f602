//! Responses are compressed for clients that accept it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use reqwest::Method;

use crate::harness::{Service, fixture};

const INTROSPECTION: &str =
    r#"{"query":"{ __schema { types { name description fields { name description args { name } } } } }"}"#;

/// The encoding, the body and the header `Vary` of a response.
async fn response(service: &Service, path: &str, query: &str, accepted: &str) -> (Option<String>, Vec<u8>, String) {
    let request = service.request(Method::POST, path).header("content-type", "application/json").body(query.to_owned());
    let response = request.header("accept-encoding", accepted).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let values = |name| response.headers().get_all(name).iter().map(|value| value.to_str().unwrap());
    let encoding = values("content-encoding").next().map(str::to_owned);
    let vary = values("vary").collect::<Vec<_>>().join(", ");
    (encoding, response.bytes().await.unwrap().to_vec(), vary)
}

#[tokio::test]
async fn large_response_is_compressed_if_accepted() {
    let service = Service::open().await;
    let (encoding, plain, vary) = response(&service, "/graphql", INTROSPECTION, "identity").await;
    assert_eq!(encoding, None);
    assert!(vary.contains("accept-encoding"), "{vary}");
    let (encoding, compressed, _) = response(&service, "/graphql", INTROSPECTION, "br, gzip;q=0.5").await;
    assert_eq!(encoding.as_deref(), Some("gzip"));
    assert!(compressed.len() * 2 < plain.len(), "{} of {}", compressed.len(), plain.len());
    let mut text = Vec::new();
    GzDecoder::new(compressed.as_slice()).read_to_end(&mut text).unwrap();
    assert!(text == plain);
    service.stop().await;
}

#[tokio::test]
async fn small_response_hook_and_stream_are_not_compressed() {
    let service = Service::open().await;
    let small = r#"{"query":"{ __typename }"}"#;
    assert_eq!(response(&service, "/graphql", small, "gzip").await.0, None);
    let hook = fixture("arcsite/project_created.json");
    assert_eq!(response(&service, "/webhooks/arcsite", &hook, "gzip").await.0, None);
    let request = service.request(Method::POST, "/graphql/sse").header("content-type", "application/json");
    let request = request.header("accept", "text/event-stream").header("accept-encoding", "gzip").body(INTROSPECTION);
    let response = request.send().await.unwrap();
    assert_eq!(response.headers().get("content-encoding"), None);
    service.stop().await;
}
