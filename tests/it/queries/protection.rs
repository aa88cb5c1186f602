//! The headers that bound what a browser does with an answer, and tokens in URLs.

use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{HttpResponse, Service, Setup, fixture};

const NOTHING: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[tokio::test]
async fn every_answer_has_the_protecting_headers() {
    let service = Setup::new().bidsketch_token("right").start().await;
    for (method, path, status) in [
        (Method::GET, "/", 200),
        (Method::GET, "/playground", 200),
        (Method::GET, "/healthz", 200),
        (Method::GET, "/readyz", 200),
        (Method::GET, "/metrics", 200),
        (Method::GET, "/graphql?query={__typename}", 200),
        (Method::GET, "/graphql", 400),
        (Method::PUT, "/graphql", 405),
        (Method::GET, "/graphql/ws", 400),
        (Method::GET, "/graphql/sse?query={__typename}", 200),
        (Method::OPTIONS, "/graphql", 200),
        (Method::GET, "/graphql?token=x", 400),
        (Method::GET, "/nothing", 404),
        (Method::POST, "/webhooks/bidsketch/wrong", 404),
        (Method::POST, "/webhooks/bidsketch/right", 200),
    ] {
        let request = service.request(method, path).body(fixture("bidsketch/client_created.json"));
        let answer = HttpResponse::of(request).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        for directive in ["default-src 'none'", "base-uri 'none'", "form-action '", "frame-ancestors 'none'"] {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        assert_eq!(policy != NOTHING, matches!(path, "/" | "/playground"), "{path}: {policy}");
        assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1, "{path}");
    }
    service.stop().await;
}

#[tokio::test]
async fn token_in_the_url_is_refused_with_its_place() {
    let service = Service::open().await;
    let query = "query={__typename}";
    for path in [
        format!("/graphql?{query}&access_token=x"),
        format!("/graphql?Token=x&{query}"),
        format!("/graphql?{query}&session=bidarc_x"),
        format!("/graphql/sse?{query}&token=x"),
        "/metrics?api_key=x".to_owned(),
        "/playground?token=x".to_owned(),
    ] {
        let answer = HttpResponse::of(service.request(Method::GET, &path).bearer_auth("x")).await;
        assert_eq!(answer.status, 400, "{path}");
        let error = &answer.json()["errors"][0];
        assert_eq!(error["extensions"]["code"], json!("BAD_USER_INPUT"), "{path}");
        assert!(error["message"].as_str().unwrap().contains("Authorization: Bearer"), "{error}");
    }
    let mut upgrade = format!("ws://{}/graphql/ws?token=x", service.authority()).into_client_request().unwrap();
    upgrade.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    match connect_async(upgrade).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 400),
        result => panic!("{result:?}"),
    }
    // A vendor may add parameters to the URL of a hook.
    let delivery =
        service.request(Method::POST, "/webhooks/arcsite?token=x").body(fixture("arcsite/project_created.json"));
    assert_eq!(HttpResponse::of(delivery).await.status, 200);
    service.stop().await;
}
