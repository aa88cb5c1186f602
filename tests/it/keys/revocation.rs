//! Keys that are added or revoked while the service runs.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::harness::{Database, Launch, Process, Service, Setup, Socket, TIMEOUT, add_key, eventually, revoke_key};

const QUERY: &str = r#"{"query":"{ headCursor }"}"#;

/// The service must notice within one second. The rest is for a busy machine.
const NOTICED_WITHIN: Duration = Duration::from_secs(1 + 3);

#[tokio::test]
async fn key_added_to_a_running_service_ends_open_mode() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    assert!(service.greeting().contains("open mode"), "{}", service.greeting());
    assert_eq!(service.post("/graphql", QUERY).await.status, 200);
    let token = add_key(&database, "office", "read").await;
    eventually("a key is required", NOTICED_WITHIN, async || {
        (service.post("/graphql", QUERY).await.status == 401).then_some(())
    })
    .await;
    assert_eq!(service.with_token(&token).post("/graphql", QUERY).await.status, 200);
    let log = service.log_so_far();
    assert!(!log.contains(token.trim_start_matches("bidarc_")), "{log}");
    service.stop(&database).await;
}

#[tokio::test]
async fn revoked_key_is_refused_within_a_second() {
    let database = Database::fresh();
    let (first, second) = (add_key(&database, "first", "manage").await, add_key(&database, "second", "read").await);
    let service = Setup::new().database(database).start().await;
    let (first, second) = (service.client().with_token(&first), service.client().with_token(&second));
    assert_eq!(first.post("/graphql", QUERY).await.status, 200);
    revoke_key(service.database(), "first").await;
    eventually("the key is refused", NOTICED_WITHIN, async || {
        (first.post("/graphql", QUERY).await.status == 401).then_some(())
    })
    .await;
    assert_eq!(second.post("/graphql", QUERY).await.status, 200, "the other key still works");
    // A new key of the same name does not restore the old one.
    let new_token = add_key(service.database(), "first", "manage").await;
    let new = service.client().with_token(&new_token);
    eventually("the new key works", TIMEOUT, async || (new.post("/graphql", QUERY).await.status == 200).then_some(()))
        .await;
    assert_eq!(first.post("/graphql", QUERY).await.status, 401);
    service.stop().await;
}

/// A service that cannot read the keys refuses all requests, also in open mode, because a key may
/// have ended open mode.
#[tokio::test]
async fn unreadable_keys_refuse_every_request() {
    let with_key = Database::fresh();
    let token = add_key(&with_key, "office", "manage").await;
    for (database, token) in [(with_key, Some(token)), (Database::fresh(), None)] {
        let service = Setup::new().database(database).start().await;
        let client = token.map_or_else(|| service.client().clone(), |token| service.client().with_token(&token));
        assert_eq!(client.post("/graphql", QUERY).await.status, 200);
        let connection = service.database().connect().await;
        connection.execute_unprepared("ALTER TABLE key RENAME TO lost").await.unwrap();
        let response = eventually("requests are refused", TIMEOUT, async || {
            let response = client.post("/graphql", QUERY).await;
            (response.status != 200).then_some(response)
        })
        .await;
        assert_eq!(
            (response.status, &response.json()["errors"][0]["extensions"]["code"]),
            (503, &"UNAVAILABLE".into())
        );
        assert!(response.header("retry-after").is_some() && !response.body.contains("table"), "{response:?}");
        assert_eq!(client.get("/metrics").await.status, 503);
        connection.execute_unprepared("ALTER TABLE lost RENAME TO key").await.unwrap();
        connection.close().await.unwrap();
        eventually("it works again", TIMEOUT, async || {
            (client.post("/graphql", QUERY).await.status == 200).then_some(())
        })
        .await;
        service.stop().await;
    }
}

#[tokio::test]
async fn publicly_reachable_service_without_a_key_does_not_start() {
    for (name, value) in [
        ("BIDARC_SERVER__LISTEN", "0.0.0.0:0"),
        ("BIDARC_SERVER__LISTEN", "[::]:0"),
        ("BIDARC_SERVER__PUBLIC_URL", "https://hooks.example.com"),
    ] {
        let database = Database::fresh();
        let launch = || {
            let launch =
                Launch::new(database.directory()).env(name, value).env("BIDARC_DATABASE__URL", &database.url());
            if name == "BIDARC_SERVER__LISTEN" { launch } else { launch.arg("--listen").arg("127.0.0.1:0") }
        };
        let output = launch().run().await;
        assert_eq!(
            (output.status.code(), output.stdout.as_str()),
            (Some(1), ""),
            "the service prints no greeting: {output:?}"
        );
        for word in ["bidarc keys add NAME --scope manage", "server.listen", "server.public_url"] {
            assert!(output.stderr.contains(word), "{word}: {output:?}");
        }
        // A revoked key does not count.
        add_key(&database, "office", "manage").await;
        revoke_key(&database, "office").await;
        assert_eq!(launch().run().await.status.code(), Some(1));
        add_key(&database, "office", "read").await;
        let running = launch().start();
        running.wait_for_log("no hook answers: set arcsite.signing_secrets").await;
        running.kill().await;
    }
}

/// Looks for the tokens in the log, in the responses and in the files of the database.
#[tokio::test]
async fn token_never_appears_in_clear() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "manage").await;
    let launch = Launch::new(database.directory()).env("BIDARC_LOG__FILTER", "trace,tungstenite::protocol=trace");
    let service = launch.serve(0, &database).await;
    let wrong = "bidarc_wrongwrongwrongwrong";
    for token in [&*token, wrong] {
        let client = service.with_token(token);
        let mut responses = client.post("/graphql", QUERY).await.body;
        responses.push_str(&client.post("/graphql", r#"{"query":"{ nothing }"}"#).await.body);
        responses.push_str(&client.get("/metrics").await.body);
        assert!(!responses.contains(token), "{responses}");
        let mut socket = Socket::connect(&client, &[]).await;
        socket.init(Some(json!({ "token": token }))).await;
        let _ = socket.message().await;
    }
    service.terminate().await;
    eventually("the service logs its last line", TIMEOUT, async || {
        service.log_so_far().contains("stopped").then_some(())
    })
    .await;
    let log = service.log_so_far();
    assert!(service.wait().await.success());
    for secret in [token.trim_start_matches("bidarc_"), wrong] {
        assert!(log.len() > 1000 && !log.contains(secret), "{log}");
        for entry in std::fs::read_dir(database.directory()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", path.display());
        }
    }
}

/// A key that was added while no service ran must already hold for the first request.
#[tokio::test]
async fn key_is_enforced_from_the_first_request() {
    let service = Service::open().await;
    let database = service.stop().await;
    add_key(&database, "office", "read").await;
    let service = Setup::new().database(database).start().await;
    assert_eq!(service.post("/graphql", QUERY).await.status, 401);
    service.stop().await;
}
