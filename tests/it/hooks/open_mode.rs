//! Open mode: a first try needs no keys, so nobody but this machine is let in.

use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{Answer, Service, Setup, fixture};

/// What a request has that did not come from this machine, or not by the will of who sits at it.
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
async fn what_came_from_elsewhere_is_403() {
    let service = Service::open().await;
    for (name, value) in FOREIGN {
        for path in ["/webhooks/arcsite", "/webhooks/bidsketch", "/webhooks/bidsketch/x", "/graphql"] {
            let body = if path == "/graphql" {
                json!({ "query": "{ __typename }" }).to_string()
            } else {
                fixture("arcsite/project_created.json")
            };
            let request = service.request(Method::POST, path).header("content-type", "application/json");
            let answer = Answer::of(request.header(name, value).body(body)).await;
            assert_eq!(answer.status, 403, "{path} {name}: {value}");
            let told = answer.json();
            let problem = if path == "/graphql" {
                assert_eq!(told["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer:?}");
                &told["errors"][0]["message"]
            } else {
                &told["error"]
            };
            assert!(problem.as_str().unwrap().contains("open mode"), "{answer:?}");
        }
        for path in ["/", "/playground", "/graphql?query={__typename}", "/metrics"] {
            let answer = Answer::of(service.request(Method::GET, path).header(name, value)).await;
            assert_eq!(answer.status, 403, "{path} {name}: {value}");
        }
        let mut upgrade = format!("ws://{}/graphql/ws", service.authority()).into_client_request().unwrap();
        upgrade.headers_mut().insert(name, value.parse().unwrap());
        upgrade.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        match connect_async(upgrade).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status(), 403, "{name}: {value}"),
            other => panic!("{name}: {value}: {other:?}"),
        }
        // What an operator's tools ask is not closed to them.
        for path in ["/healthz", "/readyz"] {
            let answer = Answer::of(service.request(Method::GET, path).header(name, value)).await;
            assert_eq!(answer.status, 200, "{path} {name}: {value}");
        }
    }
    assert_eq!(service.total().await, 0);
    service.stop().await;
}

/// A secret closes a vendor's hooks to strangers; that it listens to this machine alone stays.
#[tokio::test]
async fn a_hook_with_a_secret_is_not_open_to_a_proxy_either() {
    let service = Setup::new().bidsketch_token("secret").start().await;
    let request = service.request(Method::POST, "/webhooks/bidsketch/secret").header("x-forwarded-for", "203.0.113.7");
    assert_eq!(Answer::of(request.body(fixture("bidsketch/client_created.json"))).await.status, 403);
    service.stop().await;
}

#[tokio::test]
async fn this_machine_s_own_pages_are_let_in() {
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
        let answer = Answer::of(request.header(name, &value).body(r#"{"query":"{ __typename }"}"#)).await;
        assert_eq!(answer.json(), json!({ "data": { "__typename": "Query" } }), "{name}: {value}");
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed.is_some(), value == "https://office.example", "{name}: {value}: {allowed:?}");
    }
    service.stop().await;
}
