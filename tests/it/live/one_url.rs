//! `/graphql` serves every transport: clients stream from the URL that they query.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    Database, EventStream, HttpResponse, PartStream, RawConnection, Service, Setup, Socket, add_key,
    assert_bad_user_input,
};

const FEED: &str = "subscription { eventFeed { caughtUp } }";

fn feed_response() -> Value {
    json!({ "data": { "eventFeed": { "caughtUp": true } } })
}

#[tokio::test]
async fn subscription_gets_the_stream_that_the_client_accepts() {
    let service = Service::open().await;
    let post = |accept: &str| {
        let request = service.request(Method::POST, "/graphql").header("content-type", "application/json");
        request.header("accept", accept).body(json!({ "query": FEED }).to_string())
    };
    let get = |accept: &str| {
        let path = "/graphql?query=subscription{eventFeed{caughtUp}}";
        service.request(Method::GET, path).header("accept", accept)
    };
    for accept in [
        "text/event-stream",
        "text/event-stream, multipart/mixed",
        "application/graphql-response+json, application/json, text/event-stream;q=0.5",
    ] {
        for request in [post(accept), get(accept)] {
            let mut stream = EventStream::open(request).await;
            let event = stream.response().await;
            assert_eq!(event.data, feed_response(), "{accept}");
            assert!(event.id.is_some());
        }
    }
    for accept in
        ["multipart/mixed;subscriptionSpec=1.0", "multipart/mixed;boundary=\"-\";subscriptionSpec=\"1.0\", */*"]
    {
        for request in [post(accept), get(accept)] {
            assert_eq!(PartStream::open(request).await.response().await, feed_response(), "{accept}");
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn subscription_without_a_stream_is_told_where_to_go() {
    let service = Service::open().await;
    for (accept, status) in [
        (None, 200),
        (Some("*/*"), 200),
        (Some("application/json"), 200),
        (Some("application/graphql-response+json"), 400),
        (Some("multipart/mixed"), 200),
        (Some("multipart/mixed;deferSpec=20220824, application/json"), 200),
        (Some("text/event-stream;q=0, */*"), 200),
    ] {
        let request = service.request(Method::POST, "/graphql").header("content-type", "application/json");
        let mut request = request.body(json!({ "query": FEED }).to_string());
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let answer = HttpResponse::of(request).await;
        assert_eq!(answer.status, status, "{accept:?}: {answer:?}");
        for place in ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0", "WebSocket"] {
            assert_bad_user_input(&answer.json()["errors"][0], place);
        }
        assert!(answer.json().get("data").is_none());
    }
    service.stop().await;
}

#[tokio::test]
async fn query_gets_a_stream_only_if_nothing_else_is_accepted() {
    let service = Service::open().await;
    let request = EventStream::request_to(service.client(), "/graphql", "{ __typename }", json!({}));
    let mut stream = EventStream::open(request).await;
    assert_eq!(stream.response().await.data, json!({ "data": { "__typename": "Query" } }));
    stream.assert_completes().await;
    let request = EventStream::request_to(service.client(), "/graphql", "{ __typename }", json!({}));
    let answer = HttpResponse::of(request.header("accept", "application/json;q=0.1")).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    // A request that is no GraphQL request gets its status, whatever the client accepts.
    let large = format!(r#"{{"query":"{}"}}"#, "x".repeat(256 * 1024));
    for (accept, body, status) in [
        ("text/event-stream", "{", 400),
        ("multipart/mixed;subscriptionSpec=1.0", "{}", 400),
        ("text/event-stream", large.as_str(), 413),
    ] {
        let request = service.request(Method::POST, "/graphql").header("content-type", "application/json");
        let answer = HttpResponse::of(request.header("accept", accept).body(body.to_owned())).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, Some("application/json")));
    }
    let text = service.request(Method::POST, "/graphql").header("accept", "text/event-stream").body("{}");
    assert_eq!(HttpResponse::of(text).await.status, 415);
    let mutation = "/graphql?query=mutation{releaseQuarantinedDelivery(input:{id:%22delivery:1%22}){userErrors{code}}}";
    let mutation = service.request(Method::GET, mutation).header("accept", "text/event-stream");
    assert_eq!(HttpResponse::of(mutation).await.status, 405);
    service.stop().await;
}

#[tokio::test]
async fn socket_opens_at_the_same_url_and_authenticates_itself() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    let service = Setup::new().database(database).start().await;
    for protocol in ["graphql-transport-ws", "graphql-ws"] {
        // Without a header: a socket authenticates by its first message.
        let mut socket = Socket::connect_to(service.client(), "/graphql", protocol, &[]).await;
        socket.init(Some(json!({ "token": token }))).await;
        assert_eq!(socket.json().await, json!({ "type": "connection_ack" }), "{protocol}");
        let mut socket = Socket::connect_to(service.client(), "/graphql", protocol, &[]).await;
        socket.init(None).await;
        assert_eq!(socket.close().await.0, 4403, "{protocol}");
    }
    // A page of another site may not open one.
    for (path, origin) in [
        ("/graphql", "https://elsewhere.example"),
        ("/graphql/ws", "https://elsewhere.example"),
        ("/graphql?query={__typename}", "null"),
    ] {
        let mut connection = RawConnection::open(service.client()).await;
        let host = service.authority();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nOrigin: {origin}\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        connection.write(&request).await;
        let answer = connection.read_until("\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{path} {origin}: {answer}");
    }
    // An upgrade to something else is a query like any other.
    let query = service.with_token(&token).request(Method::GET, "/graphql?query={__typename}");
    let answer = HttpResponse::of(query.header("connection", "upgrade").header("upgrade", "h2c")).await;
    assert_eq!(answer.body, r#"{"data":{"__typename":"Query"}}"#);
    service.stop().await;
}

#[tokio::test]
async fn slash_at_the_end_changes_nothing() {
    let service = Service::open().await;
    let answer = HttpResponse::of(service.request(Method::GET, "/graphql/?query={__typename}")).await;
    assert_eq!(answer.body, r#"{"data":{"__typename":"Query"}}"#);
    for path in ["/graphql/", "/graphql/sse/"] {
        let request = EventStream::request_to(service.client(), path, FEED, json!({}));
        assert_eq!(EventStream::open(request).await.response().await.data, feed_response(), "{path}");
    }
    for path in ["/graphql/", "/graphql/ws/"] {
        let mut socket = Socket::connect_to(service.client(), path, "graphql-transport-ws", &[]).await;
        socket.init(None).await;
        assert_eq!(socket.json().await, json!({ "type": "connection_ack" }), "{path}");
    }
    for path in ["/graphql//", "/graphql/ws//", "/graphql/sse//"] {
        assert_eq!(service.get(path).await.status, 404, "{path}");
    }
    service.stop().await;
}

#[tokio::test]
async fn byte_order_mark_before_a_request_is_dropped() {
    let service = Service::open().await;
    let answer = r#"{"data":{"__typename":"Query"}}"#;
    for (body, expected) in [
        (r#"{"query":"{ __typename }"}"#, answer.to_owned()),
        (r#"[{"query":"{ __typename }"}]"#, format!("[{answer}]")),
    ] {
        let request = service.request(Method::POST, "/graphql").header("content-type", "application/json");
        assert_eq!(HttpResponse::of(request.body(format!("\u{feff}{body}"))).await.body, expected);
    }
    let twice = service.request(Method::POST, "/graphql").header("content-type", "application/json");
    let twice = HttpResponse::of(twice.body("\u{feff}\u{feff}{\"query\":\"{ __typename }\"}")).await;
    assert_eq!(twice.status, 400);
    service.stop().await;
}
