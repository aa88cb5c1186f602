//! The binary, as an operator calls it.

use crate::harness::{Database, Launch, Process};

#[tokio::test]
async fn help_names_the_commands() {
    let ended = Launch::new(".").arg("--help").run().await;
    assert!(ended.status.success(), "{ended:?}");
    for word in ["serve", "schema", "keys", "rebuild", "--listen", "--database-url", "--config", "BIDARC_CONFIG"] {
        assert!(ended.stdout.contains(word), "{word}: {}", ended.stdout);
    }
}

#[tokio::test]
async fn a_mistake_in_a_setting_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bidarc.toml");
    for (content, variable, named) in [
        ("[server]\nlistn = \"127.0.0.1:0\"\n", None, "listn"),
        ("[sever]\nlisten = \"127.0.0.1:0\"\n", None, "sever"),
        ("[server]\nlisten = \"everywhere\"\n", None, "server.listen"),
        ("", Some(("BIDARC_ARCSITE__SIGNING_SECRET", "x")), "signing_secret"),
        ("", Some(("BIDARC_IDENTITY__STATE_WINDOW_HOURS", "a day")), "identity.state_window_hours"),
        ("", Some(("BIDARC_BIDSKETCH__PATH_TOKEN_FILE", "no/such/file")), "BIDARC_BIDSKETCH__PATH_TOKEN_FILE"),
        ("", Some(("BIDARC_LOG__FILTER", "a=b=c")), "log.filter"),
        ("", Some(("BIDARC_LOG__FORMAT", "xml")), "log.format"),
        ("", Some(("BIDARC_DATABASE__URL", "mongodb://localhost/x")), "database.url"),
        ("", Some(("BIDARC_DATABASE__URL", "sqlite://no/such/directory/x.db")), "database.url"),
    ] {
        std::fs::write(&file, content).unwrap();
        let mut launch = Launch::new(directory.path()).arg("--listen").arg("127.0.0.1:0");
        if named == "server.listen" {
            launch = Launch::new(directory.path());
        }
        if let Some((name, value)) = variable {
            launch = launch.env(name, value);
        }
        let ended = launch.run().await;
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(ended.stderr.contains(named), "{named}: {}", ended.stderr);
    }
}

/// Flags go before the environment, and that before the file.
#[tokio::test]
async fn settings_come_from_flags_environment_and_file() {
    let database = Database::fresh();
    let file = database.directory().join("bidarc.toml");
    std::fs::write(&file, "[arcsite]\npath_token = \"file\"\n[bidsketch]\npath_token = \"file\"\n").unwrap();
    let launch = Launch::new(database.directory()).env("BIDARC_BIDSKETCH__PATH_TOKEN", "environment");
    let service = launch.env("BIDARC_SERVER__LISTEN", "0.0.0.0:1").serve(0, &database).await;
    service.post("/webhooks/arcsite/file", "{}").await.receipt().quarantined();
    service.post("/webhooks/bidsketch/environment", "{}").await.receipt().quarantined();
    assert_eq!(service.post("/webhooks/bidsketch/file", "{}").await.status, 404);
    service.stop(&database).await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let other = Database::fresh();
    let launch = Launch::new(other.directory()).arg("--listen").arg(service.authority());
    let ended = launch.run().await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("--listen") && ended.stderr.contains(service.authority()), "{ended:?}");
    service.stop(&database).await;
}
