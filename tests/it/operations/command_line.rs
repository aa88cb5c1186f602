//! The command line of the binary.

use crate::harness::{Database, Launch, Process};

#[tokio::test]
async fn help_lists_the_commands() {
    let output = Launch::new(".").arg("--help").run().await;
    assert!(output.status.success(), "{output:?}");
    for word in ["serve", "schema", "keys", "rebuild", "--listen", "--database-url", "--config", "BIDARC_CONFIG"] {
        assert!(output.stdout.contains(word), "{word}: {}", output.stdout);
    }
}

#[tokio::test]
async fn invalid_setting_is_named_in_the_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bidarc.toml");
    for (content, variable, setting) in [
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
        if setting == "server.listen" {
            launch = Launch::new(directory.path());
        }
        if let Some((name, value)) = variable {
            launch = launch.env(name, value);
        }
        let output = launch.run().await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stderr.contains(setting), "{setting}: {}", output.stderr);
    }
}

#[tokio::test]
async fn flag_overrides_environment_and_environment_overrides_file() {
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
async fn listen_address_in_use_is_named_in_the_error() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let other_database = Database::fresh();
    let launch = Launch::new(other_database.directory()).arg("--listen").arg(service.authority());
    let output = launch.run().await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stderr.contains("--listen") && output.stderr.contains(service.authority()), "{output:?}");
    service.stop(&database).await;
}
