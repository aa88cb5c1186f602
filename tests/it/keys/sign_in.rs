//! The sign-in of browsers: a key is exchanged for a cookie, which counts only in requests of our
//! own pages and ends with its key.

use chrono::TimeDelta;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::harness::{
    Client, Database, EventStream, HttpResponse, Launch, ManualClock, Message, PartStream, Service, Setup, Socket,
    TIMEOUT, add_key, eventually, revoke_key,
};

const FORBIDDEN: Message = Message::Closed(Some(4403));
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");
const VIEWER: &str = "{ viewer { name scope expiresAt } }";

async fn start() -> (Service, String) {
    let database = Database::fresh();
    let token = add_key(&database, "office", "manage").await;
    (Setup::new().database(database).start().await, token)
}

async fn sign_in(client: &Client, token: &str) -> HttpResponse {
    client.post("/session", json!({ "token": token }).to_string()).await
}

/// Signs in, and gives the cookie as a browser sends it.
async fn cookie_of(client: &Client, token: &str) -> String {
    let response = sign_in(client, token).await;
    assert_eq!((response.status, response.body.as_str()), (204, ""), "{response:?}");
    response.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

fn query(client: &Client, text: &str, headers: &[(&'static str, &str)]) -> RequestBuilder {
    let request = client.request(Method::POST, "/graphql").header("content-type", "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(json!({ "query": text }).to_string())
}

/// The answer to a query of our own page with this cookie.
async fn query_as_page(client: &Client, cookie: &str) -> HttpResponse {
    HttpResponse::of(query(client, VIEWER, &[("cookie", cookie), OWN])).await
}

const LIVE: &str = "subscription { events { kind } }";
const EVENT_STREAM: &str = "text/event-stream";

/// A request of each transport over HTTP.
fn requests_of_every_transport(client: &Client) -> Vec<(&'static str, RequestBuilder)> {
    let post = |body: Value| {
        client.request(Method::POST, "/graphql").header("content-type", "application/json").body(body.to_string())
    };
    let get = |target: &str| client.request(Method::GET, target);
    let query = json!({ "query": VIEWER });
    vec![
        ("POST", post(query.clone())),
        ("batch", post(json!([query, query]))),
        ("GET", get("/graphql?query={headCursor}")),
        ("event stream of a POST", EventStream::request_to(client, "/graphql", LIVE, json!({}))),
        ("event stream of a GET", get("/graphql?query=subscription{events{id}}").header("accept", EVENT_STREAM)),
        ("/graphql/sse with POST", EventStream::request(client, LIVE, json!({}))),
        ("/graphql/sse with GET", get("/graphql/sse?query=subscription{events{id}}").header("accept", EVENT_STREAM)),
        ("parts", PartStream::request(client, LIVE, json!({}))),
        ("metrics", get("/metrics")),
    ]
}

/// The URLs and sub-protocols of sockets.
const SOCKETS: [(&str, &str); 4] = [
    ("/graphql/ws", "graphql-transport-ws"),
    ("/graphql/ws", "graphql-ws"),
    ("/graphql", "graphql-transport-ws"),
    ("/graphql", "graphql-ws"),
];

async fn eventually_refused(client: &Client, cookie: &str, text: &str) {
    let message = eventually("the cookie is refused", TIMEOUT, async || {
        let response = query_as_page(client, cookie).await;
        (response.status == 401).then(|| response.json()["errors"][0]["message"].as_str().unwrap().to_owned())
    })
    .await;
    assert!(message.contains(text), "{message}");
}

#[tokio::test]
async fn signed_in_browser_uses_the_whole_api() {
    let (service, token) = start().await;
    let response = sign_in(service.client(), &token).await;
    let header = response.header("set-cookie").unwrap();
    let random = header.strip_prefix("bidarc_session=").unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(random.len(), 43, "256 bits in base64url: {header}");
    for attribute in ["; Path=/;", "; HttpOnly", "; SameSite=Strict", "; Max-Age=2592000"] {
        assert!(header.contains(attribute), "{header}");
    }
    assert!(!header.contains("Secure") && response.header("cache-control") == Some("no-store"), "{response:?}");

    let cookie = format!("a=b; bidarc_session={random}");
    let viewer = query_as_page(service.client(), &cookie).await.json()["data"]["viewer"].take();
    assert_eq!((&viewer["name"], &viewer["scope"]), (&json!("office"), &json!("MANAGE")));
    assert!(viewer["expiresAt"].is_string(), "{viewer}");
    let own = format!("http://{}", service.authority());
    for origin in [OWN, ("origin", &*own)] {
        let headers = [("cookie", &*cookie), origin];
        let metrics = service.request(Method::GET, "/metrics").header("cookie", &cookie).header(origin.0, origin.1);
        assert_eq!(HttpResponse::of(metrics).await.status, 200, "{origin:?}");
        let mut socket = Socket::connect(service.client(), &headers).await;
        socket.init(None).await;
        assert_eq!(socket.json().await, json!({ "type": "connection_ack" }), "{origin:?}");
        let request = EventStream::request(service.client(), "{ __typename }", json!({}));
        let mut stream = EventStream::open(request.header("cookie", &cookie).header(origin.0, origin.1)).await;
        assert!(stream.text().await.unwrap().contains("Query"), "{origin:?}");
    }
    let hashes = service.database().texts("SELECT token_hash FROM session").await;
    let database = service.stop().await;
    let bytes = database.bytes();
    let contains = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!contains(&random) && contains(&hashes[0]), "only the hash is on disk");
}

#[tokio::test]
async fn cookie_counts_on_every_transport_for_own_pages_alone() {
    let (service, token) = start().await;
    let client = service.client();
    let cookie = cookie_of(client, &token).await;
    for (page, status) in [(OWN, 200), (("sec-fetch-site", "same-site"), 403), (("accept-language", "en"), 403)] {
        for (name, request) in requests_of_every_transport(client) {
            let response = request.header("cookie", &cookie).header(page.0, page.1).send().await.unwrap();
            assert_eq!(response.status(), status, "{name} {page:?}");
        }
        for (path, protocol) in SOCKETS {
            let mut socket = Socket::connect_to(client, path, protocol, &[("cookie", &*cookie), page]).await;
            socket.init(None).await;
            let answer = socket.message().await;
            assert_eq!(answer != FORBIDDEN, status == 200, "{path} {protocol} {page:?}: {answer:?}");
        }
    }
    service.stop().await;
}

/// A session of another service on this host, or one that is left over, does not stand in the way.
#[tokio::test]
async fn cookie_in_open_mode_is_ignored() {
    let service = Service::open().await;
    for page in [OWN, ("origin", "http://127.0.0.1:1")] {
        let headers = [("cookie", "bidarc_session=x"), page];
        let response = HttpResponse::of(query(service.client(), VIEWER, &headers)).await;
        assert_eq!(response.status, if page == OWN { 200 } else { 403 }, "{response:?}");
    }
    let mut socket = Socket::connect(service.client(), &[("cookie", "bidarc_session=x")]).await;
    socket.init(None).await;
    assert_eq!(socket.json().await, json!({ "type": "connection_ack" }));
    service.stop().await;
}

/// Another site, another port and another scheme read and change nothing.
#[tokio::test]
async fn cookie_counts_only_in_requests_of_own_pages() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "manage").await;
    let setup = Setup::new().database(database).with(|settings| {
        settings.server.public_url = Some("https://office.example/bidarc".into());
        settings.server.allowed_origins = vec!["https://partner.example".to_owned()];
    });
    let service = setup.start().await;
    let response = sign_in(service.client(), &token).await;
    let header = response.header("set-cookie").unwrap();
    assert!(header.starts_with("__Secure-bidarc_session=") && header.contains("; Path=/bidarc;"), "{header}");
    assert!(header.ends_with("; Secure"), "{header}");
    let cookie = header.split(';').next().unwrap();
    let release = r#"mutation { releaseQuarantinedDelivery(input: { id: "delivery:1" }) { userErrors { code } } }"#;
    let other_port = "http://127.0.0.1:1";
    for (headers, status) in [
        (&[OWN][..], 200),
        (&[("origin", "https://office.example")], 200),
        (&[], 403),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (&[("sec-fetch-site", "none")], 403),
        (&[("sec-fetch-site", "cross-site"), ("origin", "https://office.example")], 403),
        (&[("origin", "http://office.example")], 403),
        (&[("origin", "https://office.example:8443")], 403),
        (&[("origin", "https://partner.example")], 403),
        (&[("origin", other_port)], 403),
        (&[("origin", "null")], 403),
    ] {
        let headers = [&[("cookie", cookie)], headers].concat();
        for text in [VIEWER, release] {
            let response = HttpResponse::of(query(service.client(), text, &headers)).await;
            assert_eq!(response.status, status, "{headers:?} {text} {response:?}");
            assert_eq!(response.body.contains("data"), status == 200, "{response:?}");
        }
        let request = |method, path: &str| {
            let request = service.request(method, path);
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
        };
        for path in ["/metrics", "/graphql?query={headCursor}"] {
            assert_eq!(HttpResponse::of(request(Method::GET, path)).await.status, status, "{path} {headers:?}");
        }
        let stream = request(Method::GET, "/graphql/sse?query={headCursor}").header("accept", "text/event-stream");
        assert_eq!(HttpResponse::of(stream).await.status, status, "{headers:?}");
        if status == 403 {
            let sign_out = HttpResponse::of(request(Method::DELETE, "/session")).await;
            assert_eq!((sign_out.status, sign_out.header("set-cookie")), (403, None), "{headers:?}");
        }
        // The socket of a page whose origin is not allowed at all is refused before.
        let is_refused_before = headers.iter().any(|(name, value)| {
            *name == "origin" && !["https://office.example", "https://partner.example"].contains(value)
        });
        if !is_refused_before {
            let mut socket = Socket::connect(service.client(), &headers).await;
            socket.init(None).await;
            let is_open = socket.message().await != FORBIDDEN;
            assert_eq!(is_open, status == 200, "{headers:?}");
        }
        // A token makes the cookie irrelevant, on a socket too.
        let bearer = format!("Bearer {token}");
        let with_token = [&headers[..], &[("authorization", &*bearer)]].concat();
        assert_eq!(HttpResponse::of(query(service.client(), VIEWER, &with_token)).await.status, 200);
        let with_wrong_token = [&headers[..], &[("authorization", "Bearer wrong")]].concat();
        assert_eq!(HttpResponse::of(query(service.client(), VIEWER, &with_wrong_token)).await.status, 401);
    }
    assert_eq!(query_as_page(service.client(), cookie).await.status, 200, "no sign-out was carried out");
    service.stop().await;
}

#[tokio::test]
async fn sign_in_with_anything_but_a_key_is_refused() {
    let (service, token) = start().await;
    let right = json!({ "token": token }).to_string();
    for (body, content_type, origin, status) in [
        (&*right, "application/json; charset=utf-8", None, 204),
        (&*right, "application/json", Some(OWN), 204),
        (r#"{"token":"wrong"}"#, "application/json", None, 401),
        (r#"{"token":""}"#, "application/json", None, 401),
        (r#"{"token":1}"#, "application/json", None, 400),
        (r#"{"key":"x"}"#, "application/json", None, 400),
        ("", "application/json", None, 400),
        (&*right, "text/plain", None, 415),
        (&*right, "application/x-www-form-urlencoded", None, 415),
        (&*right, "application/json", Some(("sec-fetch-site", "cross-site")), 403),
        (&*right, "application/json", Some(("origin", "http://127.0.0.1:1")), 403),
        (&*"x".repeat(5000), "application/json", None, 413),
    ] {
        let request = service.request(Method::POST, "/session").header("content-type", content_type);
        let request = origin.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let response = HttpResponse::of(request.body(body.to_owned())).await;
        assert_eq!(response.status, status, "{body} {content_type} {origin:?} {response:?}");
        assert_eq!(response.header("set-cookie").is_some(), status == 204, "{response:?}");
        assert!(!response.body.contains(&token), "{response:?}");
    }
    assert_eq!(service.get("/session").await.status, 405);
    assert_eq!(service.database().numbers("SELECT COUNT(*) FROM session").await, [2]);
    service.stop().await;
}

#[tokio::test]
async fn session_ends_with_its_key_and_so_do_its_sockets_and_streams() {
    let (service, token) = start().await;
    let client = service.client();
    let cookie = cookie_of(client, &token).await;
    let mut sockets = Vec::new();
    for (path, protocol) in SOCKETS {
        let mut socket = Socket::connect_to(client, path, protocol, &[("cookie", &*cookie), OWN]).await;
        socket.init(None).await;
        assert_eq!(socket.json().await, json!({ "type": "connection_ack" }));
        sockets.push(socket);
    }
    let signed_in = |request: RequestBuilder| request.header("cookie", &cookie).header(OWN.0, OWN.1);
    let mut streams = Vec::new();
    for path in ["/graphql/sse", "/graphql"] {
        streams.push(EventStream::open(signed_in(EventStream::request_to(client, path, LIVE, json!({})))).await);
    }
    let mut parts = PartStream::open(signed_in(PartStream::request(client, LIVE, json!({})))).await;
    add_key(service.database(), "other", "read").await;
    revoke_key(service.database(), "office").await;
    for mut socket in sockets {
        eventually("the socket ends", TIMEOUT, async || (socket.message().await == FORBIDDEN).then_some(())).await;
    }
    for mut stream in streams {
        eventually("the stream ends", TIMEOUT, async || stream.text().await.is_none().then_some(())).await;
    }
    eventually("the parts end", TIMEOUT, async || parts.part().await.is_none().then_some(())).await;
    eventually_refused(client, &cookie, "session is over").await;
    assert_eq!(service.database().numbers("SELECT COUNT(*) FROM session").await, [0]);
    service.stop().await;
}

#[tokio::test]
async fn session_is_over_after_its_length_or_with_its_expired_key() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    let output = Launch::keys(&database, &["add", "visitor", "--scope", "read", "--expires", "90d"]).run().await;
    let visitor = output.stdout.lines().last().unwrap().to_owned();
    let clock = ManualClock::new();
    let setup = Setup::new().database(database).clock(&clock);
    let service = setup.with(|settings| settings.server.session_days = 1).start().await;
    let client = service.client();
    let cookie = cookie_of(client, &token).await;
    let mut socket = Socket::connect(client, &[("cookie", &*cookie), OWN]).await;
    socket.init(None).await;
    assert_eq!(socket.json().await, json!({ "type": "connection_ack" }));
    clock.advance(TimeDelta::days(1) - TimeDelta::seconds(1));
    assert_eq!(query_as_page(client, &cookie).await.status, 200);
    clock.advance(TimeDelta::seconds(1));
    eventually_refused(client, &cookie, "session is over").await;
    assert_eq!(socket.message().await, FORBIDDEN);
    let sessions = "SELECT COUNT(*) FROM session";
    eventually("the session is deleted", TIMEOUT, async || {
        (service.database().numbers(sessions).await == [0]).then_some(())
    })
    .await;

    let expires_at = service.database().numbers("SELECT expires_at FROM key WHERE name = 'visitor'").await[0];
    clock.advance(TimeDelta::microseconds(expires_at - clock.now().timestamp_micros()) - TimeDelta::seconds(60));
    let response = sign_in(client, &visitor).await;
    let header = response.header("set-cookie").unwrap();
    assert!(header.contains("; Max-Age=60;"), "the session ends with its key: {header}");
    let cookie = header.split(';').next().unwrap();
    assert_eq!(query_as_page(client, cookie).await.status, 200);
    clock.advance(TimeDelta::seconds(60));
    assert_eq!(query_as_page(client, cookie).await.status, 401);
    let refused = sign_in(client, &visitor).await;
    assert!(refused.status == 401 && refused.body.contains("expired"), "{refused:?}");
    service.stop().await;
}

#[tokio::test]
async fn sign_out_ends_only_its_own_session() {
    let (service, token) = start().await;
    let client = service.client();
    let (first, second) = (cookie_of(client, &token).await, cookie_of(client, &token).await);
    let mut socket = Socket::connect(client, &[("cookie", &*first), OWN]).await;
    socket.init(None).await;
    assert_eq!(socket.json().await, json!({ "type": "connection_ack" }));
    for _ in 0..2 {
        let request = client.request(Method::DELETE, "/session").header("cookie", &first).header(OWN.0, OWN.1);
        let response = HttpResponse::of(request).await;
        let header = response.header("set-cookie").unwrap();
        assert_eq!(response.status, 204);
        assert!(header.starts_with("bidarc_session=;") && header.contains("Max-Age=0"), "{header}");
    }
    assert_eq!(query_as_page(client, &first).await.status, 401);
    assert_eq!(socket.message().await, FORBIDDEN);
    assert_eq!(query_as_page(client, &second).await.status, 200);
    let without = HttpResponse::of(client.request(Method::DELETE, "/session")).await;
    assert_eq!(without.status, 204);
    service.stop().await;
}

/// A key has at most 100 sessions.
#[tokio::test]
async fn oldest_session_gives_way_to_the_101st() {
    let (service, token) = start().await;
    let first = cookie_of(service.client(), &token).await;
    for _ in 0..100 {
        cookie_of(service.client(), &token).await;
    }
    assert_eq!(service.database().numbers("SELECT COUNT(*) FROM session").await, [100]);
    let client = service.with_token(&token);
    eventually("the metric follows", TIMEOUT, async || (client.metric("bidarc_sessions").await == 100.0).then_some(()))
        .await;
    eventually_refused(service.client(), &first, "session is over").await;
    service.stop().await;
}

#[tokio::test]
async fn viewer_in_open_mode_has_no_name() {
    let service = Service::open().await;
    let viewer = service.query(VIEWER).await["viewer"].take();
    assert_eq!(viewer, json!({ "name": null, "scope": "MANAGE", "expiresAt": Value::Null }));
    service.stop().await;
}
