//! Open mode: without any key, only requests of the same machine are served.

use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{HttpResponse, RawConnection, Service, Setup, fixture};

/// Headers of a request that came from another machine, or from a page of another site.
const FOREIGN: [(&str, &str); 17] = [
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "127.0.0.1"),
    ("forwarded", "for=127.0.0.1"),
    ("x-real-ip", "203.0.113.7"),
    ("via", "1.1 proxy"),
    ("cf-connecting-ip", "203.0.113.7"),
    ("proxy-connection", "keep-alive"),
    ("host", "example.com"),
    ("host", "127.0.0.1.example.com"),
    ("host", "user@127.0.0.1"),
    ("host", "example.com@127.0.0.1:8080"),
    ("origin", "https://elsewhere.example"),
    ("origin", "null"),
    // Without an origin: an image, a script, a form or a link on another site's page.
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("sec-fetch-site", ""),
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
        ("sec-fetch-site", "same-origin".to_owned()),
        ("sec-fetch-site", "none".to_owned()),
    ] {
        let request = service.request(Method::POST, "/graphql").header("content-type", "application/json");
        let answer = HttpResponse::of(request.header(name, &value).body(r#"{"query":"{ __typename }"}"#)).await;
        assert_eq!(answer.json(), json!({ "data": { "__typename": "Query" } }), "{name}: {value}");
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed.is_some(), value == "https://office.example", "{name}: {value}: {allowed:?}");
    }
    // A browser says of a page of an allowed origin that it is of another site.
    let request = service.request(Method::GET, "/graphql?query={__typename}").header("sec-fetch-site", "cross-site");
    assert_eq!(HttpResponse::of(request.header("origin", "https://office.example")).await.status, 200);
    service.stop().await;
}

#[tokio::test]
async fn head_that_a_proxy_writes_is_403() {
    let service = Service::open().await;
    let host = format!("Host: {}", service.authority());
    for (lines, status) in [
        (vec![&*host], "200"),
        (vec![&host, "Connection: close"], "200"),
        (vec![&host, "Connection: keep-alive"], "200"),
        (vec![&host, "Sec-Fetch-Site: same-origin"], "200"),
        (vec![&host, "Sec-Fetch-Site: none"], "200"),
        (vec![&host, &host], "400"),
        (vec![&host, "Host: example.com"], "400"),
        (vec!["Host: example.com", &host], "400"),
        (vec![&host, "Connection: upgrade"], "403"),
        (vec![&host, "Connection: close, X-User"], "403"),
        (vec!["Connection: close", &host], "403"),
        (vec!["Connection: upgrade", &host], "403"),
        (vec![&host, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"], "403"),
    ] {
        let mut connection = RawConnection::open(service.client()).await;
        connection
            .write(&format!("GET /graphql?query=%7B__typename%7D HTTP/1.1\r\n{}\r\n\r\n", lines.join("\r\n")))
            .await;
        let answer = connection.read_until("}").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{lines:?}: {answer}");
    }
    // The URI of a request to a proxy names the host as well.
    for (uri, status) in [(service.base().to_owned(), "200"), ("http://example.com".to_owned(), "403")] {
        let mut connection = RawConnection::open(service.client()).await;
        connection.write(&format!("GET {uri}/ HTTP/1.1\r\n{host}\r\n\r\n")).await;
        let answer = connection.read_until("\r\n").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{uri}: {answer}");
    }
    service.stop().await;
}
