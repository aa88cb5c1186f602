//! Keys that expire, and the last use of keys.

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::{
    Client, Database, EventStream, Launch, ManualClock, Message, Service, Setup, TIMEOUT, add_key, eventually,
    revoke_key,
};

const QUERY: &str = r#"{"query":"{ headCursor }"}"#;

async fn add_expiring_key(database: &Database, name: &str, expires: &str) -> String {
    let output = Launch::keys(database, &["add", name, "--scope", "read", "--expires", expires]).run().await;
    assert!(output.status.success() && output.stdout.contains("until 20"), "{output:?}");
    output.stdout.lines().last().unwrap().to_owned()
}

async fn start(database: Database, clock: &ManualClock) -> Service {
    Setup::new().database(database).clock(clock).start().await
}

async fn refusal(client: &Client) -> Option<String> {
    let response = client.post("/graphql", QUERY).await;
    let message = || response.json()["errors"][0]["message"].as_str().unwrap().to_owned();
    (response.status == 401).then(message)
}

#[tokio::test]
async fn expired_key_is_refused_and_ends_its_sockets_and_streams() {
    let database = Database::fresh();
    let token = add_expiring_key(&database, "visitor", "4w").await;
    let other = add_key(&database, "office", "manage").await;
    let clock = ManualClock::new();
    let service = start(database, &clock).await;
    let (client, other) = (service.client().with_token(&token), service.client().with_token(&other));
    let viewer = client.query("{ viewer { name scope expiresAt } }").await["viewer"].take();
    assert_eq!((&viewer["name"], &viewer["scope"]), (&json!("visitor"), &json!("READ")));
    assert!(viewer["expiresAt"].as_str().unwrap().starts_with("20"), "{viewer}");
    let mut socket = client.socket().await;
    let request = EventStream::request(&client, "subscription { events { kind } }", json!({}));
    let mut stream = EventStream::open(request).await;
    let mut unaffected = other.socket().await;

    clock.advance(TimeDelta::days(3650));
    let message = refusal(&client).await.expect("the next request is refused");
    assert!(message.contains("expired"), "{message}");
    assert_eq!(socket.message().await, Message::Closed(Some(4403)));
    eventually("the stream ends", TIMEOUT, async || stream.text().await.is_none().then_some(())).await;
    let mut late = crate::harness::Socket::connect(&client, &[]).await;
    late.init(Some(json!({ "token": token }))).await;
    assert_eq!(late.message().await, Message::Closed(Some(4403)));
    unaffected.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(unaffected.json().await["type"], "next");
    service.stop().await;
}

/// An operator must decide on open mode, never the clock.
#[tokio::test]
async fn open_mode_stays_off_after_the_last_key_has_expired() {
    let database = Database::fresh();
    add_expiring_key(&database, "visitor", "1h").await;
    let clock = ManualClock::new();
    clock.advance(TimeDelta::days(3650));
    let service = start(database, &clock).await;
    assert!(refusal(service.client()).await.is_some());
    revoke_key(service.database(), "visitor").await;
    eventually("open mode is back", TIMEOUT, async || refusal(service.client()).await.is_none().then_some(())).await;
    service.stop().await;
}

#[tokio::test]
async fn expired_key_gives_its_name_to_a_new_one() {
    let database = Database::fresh();
    add_expiring_key(&database, "visitor", "1h").await;
    let again = Launch::keys(&database, &["add", "visitor", "--scope", "read"]).run().await;
    assert!(again.stderr.contains("already an active key"), "{again:?}");
    let connection = database.connect().await;
    sea_orm::ConnectionTrait::execute_unprepared(&connection, "UPDATE key SET expires_at = 1").await.unwrap();
    connection.close().await.unwrap();
    let listed = Launch::keys(&database, &["list"]).run().await.stdout;
    let row: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[3..], ["expired", "1970-01-01T00:00:00Z", "-", "visitor"], "{listed}");
    add_key(&database, "visitor", "read").await;
    assert_eq!(database.numbers("SELECT COUNT(*) FROM key WHERE revoked_at IS NULL").await, [1]);
}

#[tokio::test]
async fn expiry_that_is_none_is_refused() {
    let database = Database::fresh();
    add_key(&database, "first", "read").await;
    for expires in ["", "soon", "0d", "90", "2020-01-01", "-5d"] {
        let expires = format!("--expires={expires}");
        let output = Launch::keys(&database, &["add", "visitor", "--scope", "read", &expires]).run().await;
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{expires}: {output:?}");
        assert!(output.stderr.contains("90d"), "{expires}: {output:?}");
    }
}

#[tokio::test]
async fn last_use_is_noted_once_a_minute() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    add_key(&database, "idle", "read").await;
    let clock = ManualClock::new();
    let service = start(database, &clock).await;
    let client = service.client().with_token(&token);
    let used = "SELECT COALESCE(last_used_at, 0) FROM key ORDER BY id";
    let now = || clock.now().timestamp_micros();
    let wait_for = async |micros: i64| {
        eventually("the use is noted", TIMEOUT, async || {
            client.post("/graphql", QUERY).await;
            (service.database().numbers(used).await == [micros, 0]).then_some(())
        })
        .await;
    };
    let first = now();
    wait_for(first).await;
    clock.advance(TimeDelta::seconds(59));
    client.post("/graphql", QUERY).await;
    clock.advance(TimeDelta::seconds(1));
    wait_for(now()).await;
    let listed = Launch::keys(service.database(), &["list"]).run().await.stdout;
    assert!(listed.lines().nth(1).unwrap().contains("2026-01-05T15:01:00Z"), "{listed}");
    service.stop().await;
}
