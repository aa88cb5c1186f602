//! Open mode: without any key, only requests of the same machine are served.

use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{HttpResponse, Service, Setup, fixture};

/// Headers of a request that came from another machine, or from a page of another site.
const FOREIGN: [(&str, &str); 9] = [
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "127.0.0.1"),
    ("forwarded", "for=127.0.0.1"),
    ("x-real-ip", "203.0.113.7"),
    ("host", "example.com"),
    ("host", "127.0.0.1.example.com"),
    ("origin", "https://elsewhere.example"),
    ("origin", "null"),
];

#[tokio::test]
async fn request_from_elsewhere_is_403() {
    let service = Service::open().await;
    for (name, value) in FOREIGN {
        for path in ["/webhooks/arcsite", "/webhooks/bidsketch", "/webhooks/bidsketch/x", "/graphql"] {
            let body = if path == "/graphql" {
                json!({ "query": "{ __typename }" }).to_string()
            } else {
                fixture("arcsite/project_created.json")
            };
            let request = service.request(Method::POST, path).header("content-type", "application/json");
            let answer = HttpResponse::of(request.header(name, value).body(body)).await;
            assert_eq!(answer.status, 403, "{path} {name}: {value}");
            let reply = answer.json();
            let problem = if path == "/graphql" {
                assert_eq!(reply["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer:?}");
                &reply["errors"][0]["message"]
            } else {
                &reply["error"]
            };
            assert!(problem.as_str().unwrap().contains("open mode"), "{answer:?}");
        }
        for path in ["/", "/playground", "/graphql?query={__typename}", "/metrics"] {
            let answer = HttpResponse::of(service.request(Method::GET, path).header(name, value)).await;
            assert_eq!(answer.status, 403, "{path} {name}: {value}");
        }
        let mut upgrade = format!("ws://{}/graphql/ws", service.authority()).into_client_request().unwrap();
        upgrade.headers_mut().insert(name, value.parse().unwrap());
        upgrade.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        match connect_async(upgrade).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status(), 403, "{name}: {value}"),
            result => panic!("{name}: {value}: {result:?}"),
        }
        // The health checks of an operator's tools stay open.
        for path in ["/healthz", "/readyz"] {
            let answer = HttpResponse::of(service.request(Method::GET, path).header(name, value)).await;
            assert_eq!(answer.status, 200, "{path} {name}: {value}");
        }
    }
    assert_eq!(service.event_count().await, 0);
    service.stop().await;
}

/// A secret protects a hook, but open mode still serves only this machine.
#[tokio::test]
async fn hook_with_a_secret_refuses_a_proxied_request() {
    let service = Setup::new().bidsketch_token("secret").start().await;
    let request = service.request(Method::POST, "/webhooks/bidsketch/secret").header("x-forwarded-for", "203.0.113.7");
    assert_eq!(HttpResponse::of(request.body(fixture("bidsketch/client_created.json"))).await.status, 403);
    service.stop().await;
}

#[tokio::test]
async fn request_of_a_local_or_allowed_page_is_served() {
    let service = Setup::new()
        .with(|settings| settings.server.allowed_origins = vec!["https://office.example".to_owned()])
        .start()
        .await;
    let port = service.authority().rsplit_once(':').unwrap().1.to_owned();
    for (name, value) in [
        ("host", format!("localhost:{port}")),
        ("host", format!("[::1]:{port}")),
        ("origin", service.base().to_owned()),
        ("origin", "https://office.example".to_owned()),
    ] {
        let request = service.request(Method::POST, "/graphql").header("content-type", "application/json");
        let answer = HttpResponse::of(request.header(name, &value).body(r#"{"query":"{ __typename }"}"#)).await;
        assert_eq!(answer.json(), json!({ "data": { "__typename": "Query" } }), "{name}: {value}");
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed.is_some(), value == "https://office.example", "{name}: {value}: {allowed:?}");
    }
    service.stop().await;
}
