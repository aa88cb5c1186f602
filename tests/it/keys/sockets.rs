//! Keys on sockets: which keys open a socket, and when a socket is closed.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{
    Client, Database, Message, Service, Setup, Socket, TIMEOUT, add_key, eventually, fixture, revoke_key,
};

const FORBIDDEN: Message = Message::Closed(Some(4403));

/// The service must notice within one second. The rest is for a busy machine.
const NOTICED_WITHIN: Duration = Duration::from_secs(1 + 3);

/// Starts a service with a key of this scope. Returns a client with the key as well.
async fn start_with_key(scope: &str) -> (Service, Client) {
    let database = Database::fresh();
    let token = add_key(&database, "office", scope).await;
    let service = Setup::new().database(database).start().await;
    let client = service.client().with_token(&token);
    (service, client)
}

#[tokio::test]
async fn token_is_accepted_in_connection_init_or_headers() {
    let (service, client) = start_with_key("read").await;
    let token = client.token().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let basic = format!("Basic {}", STANDARD.encode(format!("office:{token}")));
    for (header, payload) in [
        (None, json!({ "Authorization": bearer })),
        (None, json!({ "authorization": bearer })),
        (None, json!({ "headers": { "Authorization": bearer } })),
        (None, json!({ "headers": { "authorization": bearer, "Other": "x" } })),
        (None, json!({ "Authorization": basic })),
        (Some(&*basic), Value::Null),
        (None, json!({ "token": token })),
        (Some(&*bearer), Value::Null),
        (Some(&*bearer), json!({ "other": 1 })),
        (Some("Bearer wrong"), json!({ "token": token })),
    ] {
        let headers: Vec<_> = header.map(|header| ("authorization", header)).into_iter().collect();
        let mut socket = Socket::connect(service.client(), &headers).await;
        socket.init(Some(payload)).await;
        assert_eq!(socket.json().await, json!({ "type": "connection_ack" }));
        socket.subscribe("1", "{ __typename }", json!({})).await;
        assert_eq!(socket.json().await["payload"]["data"], json!({ "__typename": "Query" }));
    }
    for (header, payload) in [
        (None, None),
        (None, Some(json!({}))),
        (None, Some(json!({ "Authorization": "Bearer wrong" }))),
        (None, Some(json!({ "Authorization": token }))),
        (None, Some(json!({ "headers": { "Authorization": token } }))),
        (None, Some(json!({ "headers": { "Authorization": "Bearer wrong" }, "token": token }))),
        (None, Some(json!({ "headers": { "token": token } }))),
        (None, Some(json!({ "Authorization": format!("Basic {}", STANDARD.encode(&token)) }))),
        (None, Some(json!({ "token": "wrong" }))),
        (None, Some(json!({ "token": 1 }))),
        (Some("Bearer wrong"), None),
        (Some(&*bearer), Some(json!({ "token": "wrong" }))),
    ] {
        let headers: Vec<_> = header.map(|header| ("authorization", header)).into_iter().collect();
        let mut socket = Socket::connect(service.client(), &headers).await;
        socket.init(payload.clone()).await;
        assert_eq!(socket.message().await, FORBIDDEN, "{header:?} {payload:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn operation_before_authentication_closes_the_socket() {
    let (service, _) = start_with_key("read").await;
    let mut socket = Socket::connect(service.client(), &[]).await;
    socket.subscribe("1", "{ __typename }", json!({})).await;
    let message = socket.message().await;
    assert!(matches!(message, Message::Closed(Some(code)) if code != 1000), "{message:?}");
    service.stop().await;
}

#[tokio::test]
async fn read_key_may_subscribe_and_not_mutate() {
    const RELEASE: &str =
        r#"mutation { releaseQuarantinedDelivery(input: { id: "delivery:1" }) { userErrors { code } } }"#;
    for (scope, code) in [("read", json!("FORBIDDEN")), ("manage", Value::Null)] {
        let (service, client) = start_with_key(scope).await;
        let mut subscription = client.subscribe("subscription { events { kind } }").await;
        service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await.receipt().accepted();
        assert_eq!(subscription.next().await["events"]["kind"], "PROJECT_CREATED");
        let mut socket = client.socket().await;
        socket.subscribe("1", RELEASE, json!({})).await;
        let message = socket.json().await;
        // An operation that is refused before execution gets an `error` message. Its payload is the
        // list of errors.
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{message}");
        let executed = &message["payload"]["data"]["releaseQuarantinedDelivery"];
        assert_eq!(executed.is_object(), scope == "manage", "{message}");
        service.stop().await;
    }
}

#[tokio::test]
async fn revoked_key_closes_only_its_own_sockets() {
    let (service, client) = start_with_key("read").await;
    let other = service.client().with_token(&add_key(service.database(), "other", "read").await);
    eventually("the other key is known", TIMEOUT, async || {
        (other.get("/graphql?query={headCursor}").await.status == 200).then_some(())
    })
    .await;
    let mut subscribed = client.socket().await;
    subscribed.subscribe("1", "subscription { events { kind } }", json!({})).await;
    let mut idle = client.socket().await;
    let mut unaffected = other.subscribe("subscription { events { kind } }").await;
    revoke_key(service.database(), "office").await;
    assert_eq!(subscribed.message_within(NOTICED_WITHIN).await, Some(FORBIDDEN));
    assert_eq!(idle.message_within(NOTICED_WITHIN).await, Some(FORBIDDEN));
    service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await.receipt().accepted();
    assert_eq!(unaffected.next().await["events"]["kind"], "PROJECT_CREATED");
    service.stop().await;
}

#[tokio::test]
async fn first_key_closes_the_sockets_of_open_mode() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    socket.subscribe("1", "subscription { events { kind } }", json!({})).await;
    let mut refused = Socket::connect(service.client(), &[]).await;
    refused.init(Some(json!({ "token": "wrong" }))).await;
    assert_eq!(refused.message().await, FORBIDDEN, "a wrong token is refused in open mode as well");
    add_key(service.database(), "office", "read").await;
    assert_eq!(socket.message_within(NOTICED_WITHIN).await, Some(FORBIDDEN));
    service.stop().await;
}

/// Open mode serves only this machine. A socket that another machine opened while there was a key
/// must not be served after the key was revoked.
#[tokio::test]
async fn socket_of_another_machine_is_closed_when_the_last_key_is_revoked() {
    let (service, client) = start_with_key("read").await;
    let mut socket = Socket::connect(service.client(), &[("x-forwarded-for", "203.0.113.7")]).await;
    let mut with_key = Socket::connect(service.client(), &[("x-forwarded-for", "203.0.113.7")]).await;
    with_key.init(Some(json!({ "token": client.token() }))).await;
    assert_eq!(with_key.json().await, json!({ "type": "connection_ack" }));
    revoke_key(service.database(), "office").await;
    eventually("open mode", TIMEOUT, async || {
        (service.get("/graphql?query={headCursor}").await.status == 200).then_some(())
    })
    .await;
    socket.init(None).await;
    assert_eq!(socket.message().await, FORBIDDEN);
    assert_eq!(with_key.message().await, FORBIDDEN);
    service.stop().await;
}
