//! Keys that come and go while the service runs.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::harness::{BOUND, Database, Launch, Process, Service, Setup, Socket, add_key, eventually, revoke_key};

const QUERY: &str = r#"{"query":"{ headCursor }"}"#;

/// A second, in which the service must have noticed, and another for a busy machine to ask it.
const NOTICED_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_key_that_is_added_to_a_running_service_closes_open_mode() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    assert!(service.greeting().contains("open mode"), "{}", service.greeting());
    assert_eq!(service.post("/graphql", QUERY).await.status, 200);
    let token = add_key(&database, "office", "read").await;
    eventually("a key is asked for", NOTICED_WITHIN, async || {
        (service.post("/graphql", QUERY).await.status == 401).then_some(())
    })
    .await;
    assert_eq!(service.with_token(&token).post("/graphql", QUERY).await.status, 200);
    let log = service.log_so_far();
    assert!(!log.contains(token.trim_start_matches("bidarc_")), "{log}");
    service.stop(&database).await;
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_a_second() {
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
    assert_eq!(second.post("/graphql", QUERY).await.status, 200, "the other one is not touched");
    // A new key of the same name does not bring the old one back.
    let again = add_key(service.database(), "first", "manage").await;
    let again = service.client().with_token(&again);
    eventually("the new key works", BOUND, async || (again.post("/graphql", QUERY).await.status == 200).then_some(()))
        .await;
    assert_eq!(first.post("/graphql", QUERY).await.status, 401);
    service.stop().await;
}

/// While it cannot be told who has a key, nobody is let in: not in open mode either, which a key may have closed.
#[tokio::test]
async fn keys_that_cannot_be_read_let_nobody_in() {
    let with_key = Database::fresh();
    let token = add_key(&with_key, "office", "manage").await;
    for (database, token) in [(with_key, Some(token)), (Database::fresh(), None)] {
        let service = Setup::new().database(database).start().await;
        let client = token.map_or_else(|| service.client().clone(), |token| service.client().with_token(&token));
        assert_eq!(client.post("/graphql", QUERY).await.status, 200);
        let intruder = service.database().connect().await;
        intruder.execute_unprepared("ALTER TABLE key RENAME TO lost").await.unwrap();
        let answer = eventually("nobody is let in", BOUND, async || {
            let answer = client.post("/graphql", QUERY).await;
            (answer.status != 200).then_some(answer)
        })
        .await;
        assert_eq!((answer.status, &answer.json()["errors"][0]["extensions"]["code"]), (503, &"UNAVAILABLE".into()));
        assert!(answer.header("retry-after").is_some() && !answer.body.contains("table"), "{answer:?}");
        assert_eq!(client.get("/metrics").await.status, 503);
        intruder.execute_unprepared("ALTER TABLE lost RENAME TO key").await.unwrap();
        intruder.close().await.unwrap();
        eventually("it works again", BOUND, async || {
            (client.post("/graphql", QUERY).await.status == 200).then_some(())
        })
        .await;
        service.stop().await;
    }
}

#[tokio::test]
async fn where_others_could_reach_it_a_key_is_needed_to_start() {
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
        let ended = launch().run().await;
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(1), ""), "no greeting: {ended:?}");
        for word in ["bidarc keys add NAME --scope manage", "server.listen", "server.public_url"] {
            assert!(ended.stderr.contains(word), "{word}: {ended:?}");
        }
        // A key that was revoked is none.
        add_key(&database, "office", "manage").await;
        revoke_key(&database, "office").await;
        assert_eq!(launch().run().await.status.code(), Some(1));
        add_key(&database, "office", "read").await;
        let running = launch().start();
        running.says("no secret is set: hooks of this vendor are answered 404").await;
        running.kill().await;
    }
}

/// What was in the log, an error or the database's files when a service with keys has run.
#[tokio::test]
async fn a_token_is_nowhere_in_clear() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "manage").await;
    let launch = Launch::new(database.directory()).env("BIDARC_LOG__FILTER", "trace,tungstenite::protocol=trace");
    let service = launch.serve(0, &database).await;
    let wrong = "bidarc_wrongwrongwrongwrong";
    for token in [&*token, wrong] {
        let client = service.with_token(token);
        let mut said = client.post("/graphql", QUERY).await.body;
        said.push_str(&client.post("/graphql", r#"{"query":"{ nothing }"}"#).await.body);
        said.push_str(&client.get("/metrics").await.body);
        assert!(!said.contains(token), "{said}");
        let mut socket = Socket::knock(&client, &[]).await;
        socket.init(Some(json!({ "token": token }))).await;
        let _ = socket.message().await;
    }
    service.terminate().await;
    eventually("the last line of the log", BOUND, async || service.log_so_far().contains("stopped").then_some(()))
        .await;
    let log = service.log_so_far();
    assert!(service.ended().await.success());
    for secret in [token.trim_start_matches("bidarc_"), wrong] {
        assert!(log.len() > 1000 && !log.contains(secret), "{log}");
        for entry in std::fs::read_dir(database.directory()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", path.display());
        }
    }
}

/// The same database with a service of open mode: whoever asks first after the key was added is not let in by chance.
#[tokio::test]
async fn keys_are_known_from_the_first_request_on() {
    let service = Service::open().await;
    let database = service.stop().await;
    add_key(&database, "office", "read").await;
    let service = Setup::new().database(database).start().await;
    assert_eq!(service.post("/graphql", QUERY).await.status, 401);
    service.stop().await;
}
