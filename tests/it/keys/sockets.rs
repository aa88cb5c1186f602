//! Keys on sockets: who opens one, and how long it stays open.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    BOUND, Client, Database, Message, Service, Setup, Socket, add_key, eventually, fixture, revoke_key,
};

const FORBIDDEN: Message = Message::Closed(Some(4403));

/// A second, in which the service must have noticed, and another for a busy machine.
const NOTICED_WITHIN: Duration = Duration::from_secs(2);

/// A service with a key of this scope, in the hands of a client.
async fn service(scope: &str) -> (Service, Client) {
    let database = Database::fresh();
    let token = add_key(&database, "office", scope).await;
    let service = Setup::new().database(database).start().await;
    let client = service.client().with_token(&token);
    (service, client)
}

#[tokio::test]
async fn a_token_comes_with_connection_init_or_with_the_headers() {
    let (service, client) = service("read").await;
    let token = client.token().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    for (header, payload) in [
        (None, json!({ "Authorization": bearer })),
        (None, json!({ "authorization": bearer })),
        (None, json!({ "token": token })),
        (Some(&*bearer), Value::Null),
        (Some(&*bearer), json!({ "other": 1 })),
        (Some("Bearer wrong"), json!({ "token": token })),
    ] {
        let headers: Vec<_> = header.map(|header| ("authorization", header)).into_iter().collect();
        let mut socket = Socket::knock(service.client(), &headers).await;
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
        (None, Some(json!({ "token": "wrong" }))),
        (None, Some(json!({ "token": 1 }))),
        (Some("Bearer wrong"), None),
        (Some(&*bearer), Some(json!({ "token": "wrong" }))),
    ] {
        let headers: Vec<_> = header.map(|header| ("authorization", header)).into_iter().collect();
        let mut socket = Socket::knock(service.client(), &headers).await;
        socket.init(payload.clone()).await;
        assert_eq!(socket.message().await, FORBIDDEN, "{header:?} {payload:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn nothing_is_executed_before_it_is_known_who_asks() {
    let (service, _) = service("read").await;
    let mut socket = Socket::knock(service.client(), &[]).await;
    socket.subscribe("1", "{ __typename }", json!({})).await;
    let message = socket.message().await;
    assert!(matches!(message, Message::Closed(Some(code)) if code != 1000), "{message:?}");
    service.stop().await;
}

#[tokio::test]
async fn a_key_to_read_subscribes_and_a_mutation_is_forbidden() {
    const RELEASE: &str =
        r#"mutation { releaseQuarantinedDelivery(input: { id: "delivery:1" }) { userErrors { code } } }"#;
    for (scope, code) in [("read", json!("FORBIDDEN")), ("manage", Value::Null)] {
        let (service, client) = service(scope).await;
        let mut subscription = client.subscribe("subscription { events { kind } }").await;
        service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await.receipt().accepted();
        assert_eq!(subscription.next().await["events"]["kind"], "PROJECT_CREATED");
        let mut socket = client.socket().await;
        socket.subscribe("1", RELEASE, json!({})).await;
        let message = socket.json().await;
        // What is refused before it is executed is an `error`, whose payload is the list of errors.
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{message}");
        let executed = &message["payload"]["data"]["releaseQuarantinedDelivery"];
        assert_eq!(executed.is_object(), scope == "manage", "{message}");
        service.stop().await;
    }
}

#[tokio::test]
async fn a_revoked_key_closes_its_socket_and_no_other() {
    let (service, client) = service("read").await;
    let other = service.client().with_token(&add_key(service.database(), "other", "read").await);
    eventually("the other key is known", BOUND, async || {
        (other.get("/graphql?query={headCursor}").await.status == 200).then_some(())
    })
    .await;
    let mut watching = client.socket().await;
    watching.subscribe("1", "subscription { events { kind } }", json!({})).await;
    let mut idle = client.socket().await;
    let mut stays = other.subscribe("subscription { events { kind } }").await;
    revoke_key(service.database(), "office").await;
    assert_eq!(watching.message_within(NOTICED_WITHIN).await, Some(FORBIDDEN));
    assert_eq!(idle.message_within(NOTICED_WITHIN).await, Some(FORBIDDEN));
    service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await.receipt().accepted();
    assert_eq!(stays.next().await["events"]["kind"], "PROJECT_CREATED");
    service.stop().await;
}

#[tokio::test]
async fn a_key_closes_the_sockets_that_open_mode_let_in() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    socket.subscribe("1", "subscription { events { kind } }", json!({})).await;
    let mut refused = Socket::knock(service.client(), &[]).await;
    refused.init(Some(json!({ "token": "wrong" }))).await;
    assert_eq!(refused.message().await, FORBIDDEN, "a wrong token is refused in open mode as well");
    add_key(service.database(), "office", "read").await;
    assert_eq!(socket.message_within(NOTICED_WITHIN).await, Some(FORBIDDEN));
    service.stop().await;
}

/// Open mode lets in this machine alone: a socket that was asked for from elsewhere while there was a key does not profit from
/// the key's end.
#[tokio::test]
async fn a_socket_from_elsewhere_is_not_let_in_when_the_last_key_goes() {
    let (service, client) = service("read").await;
    let mut socket = Socket::knock(service.client(), &[("x-forwarded-for", "203.0.113.7")]).await;
    let mut with_key = Socket::knock(service.client(), &[("x-forwarded-for", "203.0.113.7")]).await;
    with_key.init(Some(json!({ "token": client.token() }))).await;
    assert_eq!(with_key.json().await, json!({ "type": "connection_ack" }));
    revoke_key(service.database(), "office").await;
    eventually("open mode", BOUND, async || {
        (service.get("/graphql?query={headCursor}").await.status == 200).then_some(())
    })
    .await;
    socket.init(None).await;
    assert_eq!(socket.message().await, FORBIDDEN);
    assert_eq!(with_key.message().await, FORBIDDEN);
    service.stop().await;
}
