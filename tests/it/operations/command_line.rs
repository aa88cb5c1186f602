//! The command line of the binary.

use crate::harness::{Database, Launch, Process};

#[tokio::test]
async fn help_lists_the_commands() {
    let output = Launch::new(".").arg("--help").run().await;
    assert!(output.status.success(), "{output:?}");
    for word in
        ["serve", "schema", "keys", "rebuild", "backup", "--listen", "--database-url", "--config", "BIDARC_CONFIG"]
    {
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
        ("", Some(("BIDARC_ARCSITE__SIGNING_SECRET", "x")), "BIDARC_ARCSITE__SIGNING_SECRETS"),
        ("", Some(("BIDARC_IDENTITY__STATE_WINDOW_HOURS", "a day")), "identity.state_window_hours"),
        ("", Some(("BIDARC_BIDSKETCH__PATH_TOKEN_FILE", "no/such/file")), "BIDARC_BIDSKETCH__PATH_TOKEN_FILE"),
        ("", Some(("BIDARC_LOG__FILTER", "a=b=c")), "log.filter"),
        ("", Some(("BIDARC_LOG__FORMAT", "xml")), "log.format"),
        ("", Some(("BIDARC_LOG__FILTER", "loud")), "log.filter"),
        ("", Some(("BIDARC_DATABASE_URL", "postgres://localhost/x")), "BIDARC_DATABASE__URL"),
        ("", Some(("BIDARC_DATABASE__URL", "mongodb://localhost/x")), "database.url"),
        ("", Some(("BIDARC_DATABASE__URL", "sqlite://no/such/directory/x.db")), "database.url"),
    ] {
        std::fs::write(&file, content).unwrap();
        let mut launch = Launch::new(directory.path()).arg("--listen").arg("127.0.0.1:0");
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
    std::fs::write(
        &file,
        "[arcsite]\npath_token = \"of-the-settings-file\"\n[bidsketch]\npath_token = \"of-the-settings-file\"\n",
    )
    .unwrap();
    let launch = Launch::new(database.directory()).env("BIDARC_BIDSKETCH__PATH_TOKEN", "of-the-environment");
    let service = launch.env("BIDARC_SERVER__LISTEN", "0.0.0.0:1").serve(0, &database).await;
    service.post("/webhooks/arcsite/of-the-settings-file", "{}").await.receipt().quarantined();
    service.post("/webhooks/bidsketch/of-the-environment", "{}").await.receipt().quarantined();
    assert_eq!(service.post("/webhooks/bidsketch/of-the-settings-file", "{}").await.status, 404);
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
    assert!(output.stderr.contains("choose another port"), "{output:?}");
    service.stop(&database).await;
}

#[tokio::test]
async fn help_shows_listen_only_where_it_is_used() {
    for (arguments, has_listen, has_database) in [
        (&["--help"][..], true, true),
        (&["serve", "--help"], true, true),
        (&["schema", "--help"], false, false),
        (&["rebuild", "--help"], false, true),
        (&["copy", "--help"], false, true),
        (&["keys", "add", "--help"], false, true),
        (&["keys", "list", "--help"], false, true),
        (&["keys", "revoke", "--help"], false, true),
    ] {
        let launch = arguments.iter().fold(Launch::new("."), |launch, argument| launch.arg(argument));
        let output = launch.run().await;
        let has = |option: &str| output.stdout.contains(option);
        assert_eq!((has("--listen"), has("--database-url")), (has_listen, has_database), "{arguments:?}: {output:?}");
    }
    for arguments in [&["keys", "list", "--listen", "127.0.0.1:1"][..], &["--listen", "127.0.0.1:1", "keys", "list"]] {
        let launch = arguments.iter().fold(Launch::new("."), |launch, argument| launch.arg(argument));
        let output = launch.run().await;
        assert!(output.status.code() == Some(2) && output.stderr.contains("--listen"), "{output:?}");
    }
}

/// Only `keys add` makes a database, and only one that is named: in another directory the default
/// path is a database that no service knows.
#[tokio::test]
async fn command_without_a_database_makes_none() {
    let directory = tempfile::tempdir().unwrap();
    let default = directory.path().join("bidarc.db");
    for arguments in [
        &["keys", "add", "office", "--scope", "read"][..],
        &["keys", "list"],
        &["keys", "revoke", "office"],
        &["rebuild"],
        &["copy", "--to", "sqlite://copy.db"],
    ] {
        let launch = || arguments.iter().fold(Launch::new(directory.path()), |launch, argument| launch.arg(argument));
        let output = launch().run().await;
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{arguments:?}: {output:?}");
        for text in [default.to_str().unwrap(), "--database-url", "BIDARC_DATABASE__URL"] {
            assert!(output.stderr.contains(text), "{arguments:?}: {text:?} is not in {}", output.stderr);
        }
        if !arguments.contains(&"add") {
            let output = launch().env("BIDARC_DATABASE__URL", "sqlite://named.db").run().await;
            assert!(output.status.code() == Some(1) && output.stderr.contains("named.db"), "{output:?}");
        }
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "a command has made a file");
}

#[tokio::test]
async fn first_key_makes_the_database_that_is_named_and_says_where() {
    for by in ["flag", "variable", "file"] {
        let directory = tempfile::tempdir().unwrap();
        let url = "sqlite://named.db";
        let mut launch = Launch::new(directory.path());
        match by {
            "flag" => launch = launch.arg("--database-url").arg(url),
            "variable" => launch = launch.env("BIDARC_DATABASE__URL", url),
            _ => std::fs::write(directory.path().join("bidarc.toml"), format!("database.url = {url:?}")).unwrap(),
        }
        let add = ["keys", "add", "office", "--scope", "read"];
        let output = add.iter().fold(launch, |launch, argument| launch.arg(argument)).run().await;
        assert_eq!(output.status.code(), Some(0), "{by}: {output:?}");
        let path = directory.path().join("named.db");
        assert!(output.stdout.starts_with(&format!("made a new database: {}\n", path.display())), "{by}: {output:?}");
        assert!(output.stdout.lines().last().unwrap().starts_with("bidarc_"), "{by}: {output:?}");
        let output = Launch::new(directory.path()).arg("--database-url").arg(url).arg("keys").arg("list").run().await;
        assert!(output.status.success() && output.stdout.contains("office"), "{by}: {output:?}");
    }
}

/// A PostgreSQL database is there before bidarc has tables in it.
#[tokio::test]
async fn command_on_a_database_of_other_tables_makes_none() {
    let database = Database::in_cluster(&crate::harness::Cluster::shared());
    for arguments in [&["list"][..], &["revoke", "office"]] {
        let output = Launch::keys(&database, arguments).run().await;
        assert!(output.status.code() == Some(1) && output.stderr.contains("no tables of bidarc"), "{output:?}");
    }
    let tables = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(database.numbers(tables).await, [0]);
    let output = Launch::keys(&database, &["add", "office", "--scope", "read"]).run().await;
    assert!(output.status.success() && output.stdout.starts_with("made a new database: postgres://"), "{output:?}");
}

/// The API token must not travel in clear. The refusal comes before a database is made.
#[tokio::test]
async fn api_url_without_tls_is_refused_before_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let launch = Launch::new(directory.path()).env("BIDARC_BIDSKETCH__API_URL", "http://bidsketch.example.com/api/v1");
    let launch = launch.env("BIDARC_BIDSKETCH__API_TOKEN", "t").arg("--listen").arg("127.0.0.1:0");
    let output = launch.run().await;
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert!(output.stderr.contains("bidsketch.api_url must be an https URL"), "{output:?}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "a database was made");
}

/// The greeting is true, names the database by its absolute path, and few lines stand before it.
#[tokio::test]
async fn greeting_follows_one_line_of_migrations() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bidarc.db");
    let service = Launch::new(directory.path()).env("BIDARC_FILES__STORE", "").serve_configured(0).await;
    let greeting = service.greeting();
    assert!(greeting.contains(&format!("database    sqlite://{} (new)\n", path.display())), "{greeting}");
    assert!(greeting.contains(&format!("files       {}/bidarc-files\n", directory.path().display())), "{greeting}");
    let log = service.log_so_far();
    assert!(log.lines().filter(|line| line.contains("::store::")).count() <= 1, "{log}");
    // An accepted delivery has one line.
    service.post("/webhooks/arcsite", r#"{"event":"project.created","data":{"id":1}}"#).await.receipt().accepted();
    service.wait_for_log("delivery recorded").await;
    let log = service.log_so_far();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("delivery")).collect();
    assert!(lines.len() == 1 && lines[0].contains("INFO") && lines[0].contains("ACCEPTED"), "{log}");
    service.terminate().await;
    assert!(service.wait().await.success());

    let launch = Launch::new(directory.path()).env("BIDARC_DATABASE__URL", &format!("sqlite://{}", path.display()));
    let token = launch.arg("keys").arg("add").arg("office").arg("--scope").arg("read").run().await;
    assert!(token.status.success() && !token.stdout.contains("new database"), "{token:?}");
    let launch = Launch::new(directory.path()).env("BIDARC_SERVER__PUBLIC_URL", "https://hooks.example.com/");
    let running = launch.env("BIDARC_BIDSKETCH__API_TOKEN", "simulated").arg("--listen").arg("127.0.0.1:0").start();
    // ArcSite has no secret here; Bidsketch needs none.
    running.wait_for_log("no hook answers: set arcsite.signing_secrets or arcsite.path_token").await;
    let log = running.log_so_far();
    assert!(!log.contains("BIDSKETCH") && !log.contains("bidsketch"), "{log}");
    running.kill().await;
}
