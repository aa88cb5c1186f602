//! Keys over HTTP: what each scope permits, and the responses to requests that it does not permit.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    Client, Database, HttpResponse, Service, Setup, TIMEOUT, add_key, eventually, fixture, revoke_key,
};

const QUERY: &str = r#"{"query":"{ headCursor }"}"#;
const INTROSPECTION: &str = r#"{"query":"{ __schema { queryType { name } } }"}"#;
/// A mutation whose result shows that it was executed.
const RELEASE: &str = r#"mutation { releaseQuarantinedDelivery(input: { id: "delivery:1" }) { userErrors { code } } }"#;

/// Starts a service with the public URL `https://hooks.example.com`. Returns it with a client for a
/// key to read and one for a key to manage.
async fn start_public() -> (Service, Client, Client) {
    let database = Database::fresh();
    let read = add_key(&database, "dashboard", "read").await;
    let manage = add_key(&database, "office", "manage").await;
    let setup = Setup::new().database(database).bidsketch_token("secret");
    let service = setup.with(|settings| settings.server.public_url = Some("https://hooks.example.com".into())).start();
    let service = service.await;
    let (read, manage) = (service.client().with_token(&read), service.client().with_token(&manage));
    (service, read, manage)
}

async fn with_authorization(client: &Client, value: &str, body: &str) -> HttpResponse {
    let request = client.request(Method::POST, "/graphql").header("content-type", "application/json");
    HttpResponse::of(request.header("authorization", value).body(body.to_owned())).await
}

#[track_caller]
fn assert_unauthenticated(response: &HttpResponse) {
    assert_eq!(response.status, 401, "{response:?}");
    assert_eq!(response.header("www-authenticate"), Some("Bearer"), "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/json"), "{response:?}");
    let body = response.json();
    let message = body["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{response:?}"));
    let error = json!({ "message": message, "extensions": { "code": "UNAUTHENTICATED" } });
    assert_eq!(body, json!({ "errors": [error] }));
}

#[tokio::test]
async fn wrong_or_missing_token_gets_only_a_401() {
    let (service, read, _) = start_public().await;
    let token = read.token().unwrap();
    for body in [QUERY, INTROSPECTION, "not json"] {
        assert_unauthenticated(&service.post("/graphql", body).await);
    }
    for value in [
        "Bearer bidarc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        &format!("Bearer {token}x"),
        &format!("Bearer {}", &token[..token.len() - 1]),
        &format!("Basic {token}"),
        &format!("Basic {}", STANDARD.encode(token)),
        &format!("Basic {}", STANDARD.encode(format!("{token}:"))),
        &format!("Digest {}", STANDARD.encode(format!("office:{token}"))),
        token,
        "Bearer",
        "",
    ] {
        let response = with_authorization(service.client(), value, QUERY).await;
        assert_unauthenticated(&response);
        assert!(value.is_empty() || !response.body.contains(value), "{response:?}");
    }
    assert_unauthenticated(&service.get("/graphql?query={headCursor}").await);
    // The name of the scheme is case-insensitive.
    assert_eq!(with_authorization(service.client(), &format!("bearer {token}"), QUERY).await.status, 200);
    // The password of Basic credentials, with any user.
    for credentials in [format!("office:{token}"), format!(":{token}")] {
        let value = format!("Basic {}", STANDARD.encode(credentials));
        assert_eq!(with_authorization(service.client(), &value, QUERY).await.status, 200, "{value}");
        let metrics = service.client().request(Method::GET, "/metrics").header("authorization", value);
        assert_eq!(HttpResponse::of(metrics).await.status, 200);
    }
    service.stop().await;
}

#[tokio::test]
async fn read_key_may_query_and_not_mutate() {
    let (service, read, manage) = start_public().await;
    service.post("/webhooks/bidsketch/secret", "not json").await.receipt().quarantined();
    for query in ["{ headCursor }", "{ __schema { queryType { name } } }", "{ __typename }"] {
        read.query(query).await;
    }
    assert_eq!(read.get("/graphql?query={headCursor}").await.status, 200);

    // The service refuses the mutation before it executes anything, whatever else the document
    // contains.
    let named = format!("query Q {{ headCursor }} {}", RELEASE.replace("mutation", "mutation M"));
    for (query, operation) in [(RELEASE, Value::Null), (&named, json!("M")), (&named, Value::Null)] {
        let body = json!({ "query": query, "operationName": operation }).to_string();
        let response = read.post("/graphql", body).await;
        let result = response.json();
        let error = &result["errors"][0];
        assert_eq!(
            (response.status, &error["extensions"]["code"]),
            (200, &json!("FORBIDDEN")),
            "{query}: {response:?}"
        );
        assert!(error["message"].as_str().unwrap().contains("scope manage"), "{response:?}");
        assert!(result.get("data").is_none(), "{response:?}");
    }
    let body = json!({ "query": named, "operationName": "Q" }).to_string();
    assert!(read.post("/graphql", body).await.json()["data"]["headCursor"].is_string());

    // With a key to manage, the mutation is executed and returns the delivery's error.
    let released = manage.query(RELEASE).await;
    assert_eq!(released["releaseQuarantinedDelivery"]["userErrors"][0]["code"], "STILL_INVALID");
    manage.query("{ headCursor }").await;
    service.stop().await;
}

/// A request with a key may come through a proxy and with any `Host`.
#[tokio::test]
async fn public_service_serves_requests_through_a_proxy() {
    let (service, read, _) = start_public().await;
    let through = |request: reqwest::RequestBuilder| {
        let request = request.header("host", "hooks.example.com").header("x-forwarded-for", "203.0.113.7");
        request.header("x-forwarded-proto", "https").header("x-forwarded-host", "hooks.example.com")
    };
    let request = through(read.request(Method::POST, "/graphql")).header("content-type", "application/json");
    let response = HttpResponse::of(request.body(QUERY)).await;
    assert!(response.json()["data"]["headCursor"].is_string(), "{response:?}");
    let body = fixture("bidsketch/client_created.json");
    let request = through(service.request(Method::POST, "/webhooks/bidsketch/secret"));
    HttpResponse::of(request.body(body.clone())).await.receipt().accepted();
    // The hook of a vendor without a secret is closed, and so is a hook path without its secret.
    for path in ["/webhooks/arcsite", "/webhooks/bidsketch"] {
        let response = HttpResponse::of(through(service.request(Method::POST, path)).body(body.clone())).await;
        assert_eq!(response.status, 404, "{path}: {response:?}");
    }
    for path in ["/", "/playground", "/healthz", "/readyz"] {
        assert_eq!(HttpResponse::of(through(service.request(Method::GET, path))).await.status, 200, "{path}");
    }
    assert_eq!(read.event_count().await, 1);
    service.stop().await;
}

#[tokio::test]
async fn metrics_need_a_key_and_health_checks_do_not() {
    let (service, read, manage) = start_public().await;
    assert_unauthenticated(&service.get("/metrics").await);
    assert_unauthenticated(&service.client().with_token("bidarc_x").get("/metrics").await);
    for client in [&read, &manage] {
        assert!(client.get("/metrics").await.body.contains("bidarc_log_head"));
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(service.get(path).await.status, 200, "{path}");
    }
    service.stop().await;
}

/// A browser sends a preflight request before a page may send the header.
#[tokio::test]
async fn page_of_an_allowed_origin_may_send_its_token() {
    const PAGE: &str = "https://office.example";
    const REQUESTED: &str = "authorization,content-type,apollographql-client-name";
    let database = Database::fresh();
    let token = add_key(&database, "page", "read").await;
    let setup = Setup::new().database(database);
    let service = setup.with(|settings| settings.server.allowed_origins = vec![PAGE.to_owned()]).start().await;
    let request = service.request(Method::OPTIONS, "/graphql").header("origin", PAGE);
    let request = request.header("access-control-request-method", "POST");
    let response = HttpResponse::of(request.header("access-control-request-headers", REQUESTED)).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.header("access-control-allow-headers"), Some(REQUESTED));
    assert_eq!(response.header("access-control-max-age"), Some("3600"));
    for (client, status) in [(service.client().clone(), 401), (service.client().with_token(&token), 200)] {
        let request = client.request(Method::POST, "/graphql").header("content-type", "application/json");
        let response = HttpResponse::of(request.header("origin", PAGE).body(QUERY)).await;
        assert_eq!(
            (response.status, response.header("access-control-allow-origin")),
            (status, Some(PAGE)),
            "{response:?}"
        );
        assert_eq!(response.header("access-control-expose-headers"), Some("retry-after"));
    }
    // Another page gets no leave.
    let request = service.request(Method::OPTIONS, "/graphql").header("origin", "https://evil.example");
    let response = HttpResponse::of(request.header("access-control-request-method", "POST")).await;
    assert_eq!(response.header("access-control-allow-origin"), None);
    service.stop().await;
}

/// A proxy may pass on its own address as the host.
#[tokio::test]
async fn page_of_the_public_url_may_open_a_socket() {
    let database = Database::fresh();
    let token = add_key(&database, "page", "read").await;
    let setup = Setup::new().database(database);
    let public_url = Some("https://Office.example:443/bidarc/".into());
    let service = setup.with(|settings| settings.server.public_url = public_url).start().await;
    for (origin, status) in
        [("https://office.example", 101), ("http://office.example", 403), ("https://office.example:8443", 403)]
    {
        let request = service.client().with_token(&token).request(Method::GET, "/graphql/ws").header("origin", origin);
        let request = request.header("connection", "upgrade").header("upgrade", "websocket");
        let request =
            request.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let response = request.header("sec-websocket-protocol", "graphql-transport-ws").send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{origin}");
    }
    service.stop().await;
}

#[tokio::test]
async fn wrong_token_in_open_mode_is_refused() {
    let service = Service::open().await;
    assert_eq!(service.post("/graphql", QUERY).await.status, 200);
    assert_unauthenticated(&service.client().with_token("bidarc_x").post("/graphql", QUERY).await);
    assert_unauthenticated(&service.client().with_token("bidarc_x").get("/metrics").await);
    service.stop().await;
}

/// A key protects the API. The hooks of a vendor without a secret stay open, only to this machine.
#[tokio::test]
async fn open_hook_beside_a_key_refuses_other_machines() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "manage").await;
    let service = Setup::new().database(database).bidsketch_token("secret").start().await;
    assert_unauthenticated(&service.post("/graphql", QUERY).await);
    let from_other_machine = |client: &Client, method, path: &str| {
        client.request(method, path).header("content-type", "application/json").header("x-forwarded-for", "203.0.113.7")
    };
    let project = fixture("arcsite/project_created.json");
    let client = fixture("bidsketch/client_created.json");
    for (path, body, status) in [
        ("/webhooks/arcsite", &project, 403),
        ("/webhooks/bidsketch", &client, 404),
        ("/webhooks/bidsketch/secret", &client, 200),
    ] {
        let request = from_other_machine(service.client(), Method::POST, path).body(body.clone());
        assert_eq!(HttpResponse::of(request).await.status, status, "{path}");
    }
    service.post("/webhooks/arcsite", project).await.receipt().accepted();
    let with_key = service.client().with_token(&token);
    let response = HttpResponse::of(from_other_machine(&with_key, Method::POST, "/graphql").body(QUERY)).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_unauthenticated(
        &HttpResponse::of(from_other_machine(service.client(), Method::POST, "/graphql").body(QUERY)).await,
    );
    // Without the last key the service is in open mode again, and refuses other machines.
    revoke_key(service.database(), "office").await;
    eventually("open mode", TIMEOUT, async || (service.post("/graphql", QUERY).await.status == 200).then_some(()))
        .await;
    assert_eq!(
        HttpResponse::of(from_other_machine(service.client(), Method::POST, "/graphql").body(QUERY)).await.status,
        403
    );
    service.stop().await;
}
