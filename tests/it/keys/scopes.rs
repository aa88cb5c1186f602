//! Keys over HTTP: what each lets its holder do, and what is told to whom it does not.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, BOUND, Client, Database, Service, Setup, add_key, eventually, fixture, revoke_key};

const QUERY: &str = r#"{"query":"{ headCursor }"}"#;
const INTROSPECTION: &str = r#"{"query":"{ __schema { queryType { name } } }"}"#;
/// A mutation that is known to have been executed by what it does.
const RELEASE: &str = r#"mutation { releaseQuarantinedDelivery(input: { id: "delivery:1" }) { userErrors { code } } }"#;

/// A service that is reached as `hooks.example.com`, and a key of each scope: to read and to manage.
async fn public() -> (Service, Client, Client) {
    let database = Database::fresh();
    let read = add_key(&database, "dashboard", "read").await;
    let manage = add_key(&database, "office", "manage").await;
    let setup = Setup::new().database(database).bidsketch_token("secret");
    let service = setup.with(|settings| settings.server.public_url = Some("https://hooks.example.com".into())).start();
    let service = service.await;
    let (read, manage) = (service.client().with_token(&read), service.client().with_token(&manage));
    (service, read, manage)
}

async fn with_authorization(client: &Client, value: &str, body: &str) -> Answer {
    let request = client.request(Method::POST, "/graphql").header("content-type", "application/json");
    Answer::of(request.header("authorization", value).body(body.to_owned())).await
}

#[track_caller]
fn assert_unauthenticated(answer: &Answer) {
    assert_eq!(answer.status, 401, "{answer:?}");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    let told = answer.json();
    let message = told["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{answer:?}"));
    let error = json!({ "message": message, "extensions": { "code": "UNAUTHENTICATED" } });
    assert_eq!(told, json!({ "errors": [error] }));
}

#[tokio::test]
async fn without_a_right_token_nothing_is_told() {
    let (service, read, _) = public().await;
    let token = read.token().unwrap();
    for body in [QUERY, INTROSPECTION, "not json"] {
        assert_unauthenticated(&service.post("/graphql", body).await);
    }
    for value in [
        "Bearer bidarc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        &format!("Bearer {token}x"),
        &format!("Bearer {}", &token[..token.len() - 1]),
        &format!("Basic {token}"),
        token,
        "Bearer",
        "",
    ] {
        let answer = with_authorization(service.client(), value, QUERY).await;
        assert_unauthenticated(&answer);
        assert!(value.is_empty() || !answer.body.contains(value), "{answer:?}");
    }
    assert_unauthenticated(&service.get("/graphql?query={headCursor}").await);
    // The scheme is told apart by its word, whatever its case.
    assert_eq!(with_authorization(service.client(), &format!("bearer {token}"), QUERY).await.status, 200);
    service.stop().await;
}

#[tokio::test]
async fn a_key_to_read_reads_and_changes_nothing() {
    let (service, read, manage) = public().await;
    service.post("/webhooks/bidsketch/secret", "not json").await.receipt().quarantined();
    for query in ["{ headCursor }", "{ __schema { queryType { name } } }", "{ __typename }"] {
        read.query(query).await;
    }
    assert_eq!(read.get("/graphql?query={headCursor}").await.status, 200);

    // Refused whatever else the document holds, and before anything of it is executed.
    let named = format!("query Q {{ headCursor }} {}", RELEASE.replace("mutation", "mutation M"));
    for (query, operation) in [(RELEASE, Value::Null), (&named, json!("M")), (&named, Value::Null)] {
        let body = json!({ "query": query, "operationName": operation }).to_string();
        let answer = read.post("/graphql", body).await;
        let told = answer.json();
        let error = &told["errors"][0];
        assert_eq!((answer.status, &error["extensions"]["code"]), (200, &json!("FORBIDDEN")), "{query}: {answer:?}");
        assert!(error["message"].as_str().unwrap().contains("scope manage"), "{answer:?}");
        assert!(told.get("data").is_none(), "{answer:?}");
    }
    let body = json!({ "query": named, "operationName": "Q" }).to_string();
    assert!(read.post("/graphql", body).await.json()["data"]["headCursor"].is_string());

    // Who may manage is told what is wrong with the delivery: it is executed.
    let released = manage.query(RELEASE).await;
    assert_eq!(released["releaseQuarantinedDelivery"]["userErrors"][0]["code"], "STILL_INVALID");
    manage.query("{ headCursor }").await;
    service.stop().await;
}

/// Who has a key may come through a proxy, and by any name.
#[tokio::test]
async fn a_public_service_is_reached_through_a_proxy() {
    let (service, read, _) = public().await;
    let through = |request: reqwest::RequestBuilder| {
        let request = request.header("host", "hooks.example.com").header("x-forwarded-for", "203.0.113.7");
        request.header("x-forwarded-proto", "https").header("x-forwarded-host", "hooks.example.com")
    };
    let request = through(read.request(Method::POST, "/graphql")).header("content-type", "application/json");
    let answer = Answer::of(request.body(QUERY)).await;
    assert!(answer.json()["data"]["headCursor"].is_string(), "{answer:?}");
    let body = fixture("bidsketch/client_created.json");
    let request = through(service.request(Method::POST, "/webhooks/bidsketch/secret"));
    Answer::of(request.body(body.clone())).await.receipt().accepted();
    // A vendor without a secret is closed, and so is the path without it.
    for path in ["/webhooks/arcsite", "/webhooks/bidsketch"] {
        let answer = Answer::of(through(service.request(Method::POST, path)).body(body.clone())).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
    for path in ["/", "/playground", "/healthz", "/readyz"] {
        assert_eq!(Answer::of(through(service.request(Method::GET, path))).await.status, 200, "{path}");
    }
    assert_eq!(read.total().await, 1);
    service.stop().await;
}

#[tokio::test]
async fn metrics_need_a_key_and_health_does_not() {
    let (service, read, manage) = public().await;
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

/// The browser asks first whether a page may send the header, and shows the page what it was told.
#[tokio::test]
async fn a_page_of_an_allowed_origin_sends_its_token() {
    const PAGE: &str = "https://office.example";
    let database = Database::fresh();
    let token = add_key(&database, "page", "read").await;
    let setup = Setup::new().database(database);
    let service = setup.with(|settings| settings.server.allowed_origins = vec![PAGE.to_owned()]).start().await;
    let request = service.request(Method::OPTIONS, "/graphql").header("origin", PAGE);
    let request = request.header("access-control-request-method", "POST");
    let answer = Answer::of(request.header("access-control-request-headers", "authorization,content-type")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let allowed = answer.header("access-control-allow-headers").unwrap();
    assert!(allowed.to_ascii_lowercase().contains("authorization"), "{allowed}");
    for (client, status) in [(service.client().clone(), 401), (service.client().with_token(&token), 200)] {
        let request = client.request(Method::POST, "/graphql").header("content-type", "application/json");
        let answer = Answer::of(request.header("origin", PAGE).body(QUERY)).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, Some(PAGE)), "{answer:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn in_open_mode_a_wrong_token_is_refused_all_the_same() {
    let service = Service::open().await;
    assert_eq!(service.post("/graphql", QUERY).await.status, 200);
    assert_unauthenticated(&service.client().with_token("bidarc_x").post("/graphql", QUERY).await);
    assert_unauthenticated(&service.client().with_token("bidarc_x").get("/metrics").await);
    service.stop().await;
}

/// A key closes the API, not the hooks of a vendor that has no secret: those stay open to this machine alone.
#[tokio::test]
async fn with_a_key_what_is_open_still_takes_nothing_from_elsewhere() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "manage").await;
    let service = Setup::new().database(database).bidsketch_token("secret").start().await;
    assert_unauthenticated(&service.post("/graphql", QUERY).await);
    let from_elsewhere = |client: &Client, method, path: &str| {
        client.request(method, path).header("content-type", "application/json").header("x-forwarded-for", "203.0.113.7")
    };
    let project = fixture("arcsite/project_created.json");
    let client = fixture("bidsketch/client_created.json");
    for (path, body, status) in [
        ("/webhooks/arcsite", &project, 403),
        ("/webhooks/bidsketch", &client, 404),
        ("/webhooks/bidsketch/secret", &client, 200),
    ] {
        let request = from_elsewhere(service.client(), Method::POST, path).body(body.clone());
        assert_eq!(Answer::of(request).await.status, status, "{path}");
    }
    service.post("/webhooks/arcsite", project).await.receipt().accepted();
    let with_key = service.client().with_token(&token);
    let answer = Answer::of(from_elsewhere(&with_key, Method::POST, "/graphql").body(QUERY)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_unauthenticated(&Answer::of(from_elsewhere(service.client(), Method::POST, "/graphql").body(QUERY)).await);
    // The last key is revoked: open mode again, and nothing from elsewhere.
    revoke_key(service.database(), "office").await;
    eventually("open mode", BOUND, async || (service.post("/graphql", QUERY).await.status == 200).then_some(())).await;
    assert_eq!(Answer::of(from_elsewhere(service.client(), Method::POST, "/graphql").body(QUERY)).await.status, 403);
    service.stop().await;
}
