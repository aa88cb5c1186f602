//! Nodes that start at the same time, versions side by side, and unusable databases.

use std::os::unix::fs::PermissionsExt;

use futures_util::future::join_all;

use super::{start_nodes, stop};
use crate::harness::{Cluster, Database, Launch};

#[tokio::test(flavor = "multi_thread")]
async fn ten_nodes_on_a_new_database_start_together() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = start_nodes(10, &database).await;
    let heads = join_all(nodes.iter().map(|node| node.head())).await;
    assert!(heads.iter().all(|head| *head == heads[0]), "the nodes have different logs: {heads:?}");
    assert_eq!(database.numbers("SELECT COUNT(*) FROM log").await, [1]);
    for (at, node) in nodes.iter().enumerate() {
        node.arcsite("project.created", &format!(r#"{{"id":{at}}}"#)).await.accepted();
    }
    assert_eq!(nodes[9].event_count().await, 10);
    stop(nodes, &database).await;
}

/// An up-to-date schema needs no lock, so a node starts even during a long write.
#[tokio::test]
async fn node_starts_while_another_holds_the_write_lock() {
    let database = Database::in_cluster(&Cluster::shared());
    stop(start_nodes(1, &database).await, &database).await;
    let writer = database.hold_write_lock().await;
    let nodes = start_nodes(1, &database).await;
    assert_eq!(nodes[0].event_count().await, 0);
    writer.rollback().await.unwrap();
    stop(nodes, &database).await;
}

#[tokio::test]
async fn older_version_on_a_newer_schema_does_not_start() {
    for database in [Database::fresh(), Database::in_cluster(&Cluster::shared())] {
        stop(start_nodes(1, &database).await, &database).await;
        let connection = database.connect().await;
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_of_another_day', 0)";
        sea_orm::ConnectionTrait::execute_unprepared(&connection, newer).await.unwrap();
        connection.close().await.unwrap();
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["keys", "list"], &["rebuild"]] {
            let launch = Launch::new(database.directory()).arg("--database-url").arg(&database.url());
            let output = command.iter().fold(launch, |launch, argument| launch.arg(argument)).run().await;
            assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
            for text in ["a later version of bidarc", "m9999_of_another_day", env!("CARGO_PKG_VERSION")] {
                assert!(output.stderr.contains(text), "{command:?}: {text} is not in {}", output.stderr);
            }
        }
    }
}

/// A node that runs when a later version migrates the schema must be replaced, so it reports that
/// it is not ready.
#[tokio::test]
async fn running_older_version_is_not_ready_after_a_migration() {
    for database in [Database::fresh(), Database::in_cluster(&Cluster::shared())] {
        let nodes = start_nodes(1, &database).await;
        assert_eq!(nodes[0].get("/readyz").await.status, 200);
        let connection = database.connect().await;
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_of_another_day', 0)";
        sea_orm::ConnectionTrait::execute_unprepared(&connection, newer).await.unwrap();
        connection.close().await.unwrap();
        let response = nodes[0].get("/readyz").await;
        assert_eq!(response.status, 503);
        assert!(response.json()["problem"].as_str().unwrap().contains("later version"), "{response:?}");
        stop(nodes, &database).await;
    }
}

#[tokio::test]
async fn unusable_database_is_reported_without_its_password() {
    let cluster = Cluster::shared();
    let ascii =
        Database::in_cluster_with(&cluster, "ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0");
    let with_password = |url: &str| url.replace("bidarc@", "bidarc:pass-word@");
    let usable = Database::in_cluster(&cluster);
    for (url, text) in [
        (with_password(&ascii.url()), "UTF8"),
        (with_password(&format!("{}_not_there", usable.url())), "does not exist"),
        ("postgres://bidarc:pass-word@127.0.0.1:1/x".to_owned(), "refused"),
        // Characters that a URL needs percent-encoded.
        ("postgres://bidarc:x@pass-word#pass-word@127.0.0.1:1/x".to_owned(), "# as %23"),
        ("postgres://bidarc:x/pass-word@127.0.0.1:1/x".to_owned(), "/ as %2F"),
        ("postgres://bidarc:x?pass-word@127.0.0.1:1/x".to_owned(), "? as %3F"),
        ("postgres://bidarc:x@pass-word@127.0.0.1:1/x".to_owned(), "refused"),
        ("postgres://127.0.0.1:1/x?user=bidarc&password=pass-word&sslmode=pass-word".to_owned(), "sslmode"),
        ("postgres://127.0.0.1:1/x?password=me@pass-word".to_owned(), "refused"),
        ("POSTGRES://bidarc:pass-word@127.0.0.1:1/x".to_owned(), "it must be sqlite://"),
        ("sqlite://x.db?mode=pass-word".to_owned(), "without parameters"),
        ("sqlite://x.db?key=pass-word".to_owned(), "without parameters"),
        ("host=127.0.0.1 user=bidarc password=pass-word".to_owned(), "it must be sqlite://"),
        ("postgres://bidarc:pass-word@127.0.0.1:port/x".to_owned(), "port"),
        (with_password(&format!("{}?sslmode=require", usable.url())), "TLS"),
    ] {
        let launch =
            Launch::new(usable.directory()).env("BIDARC_DATABASE__URL", &url).arg("--listen").arg("127.0.0.1:0");
        let output = launch.run().await;
        assert_eq!(output.status.code(), Some(1), "{url}: {output:?}");
        assert!(output.stderr.contains(text), "{text:?} is not in {}", output.stderr);
        assert!(!format!("{output:?}").contains("pass-word"), "{output:?}");
    }
}

/// A service warns if deliveries could be lost with the machine. It shows the database URL without
/// the password.
#[tokio::test]
async fn database_without_fsync_is_reported_and_password_is_hidden() {
    let database = Database::in_cluster(&Cluster::shared());
    let url = database.url().replace("bidarc@", "bidarc:pass-word@") + "?sslmod=pass-word";
    let passwords = database.directory().join("pgpass");
    std::fs::write(&passwords, "pass-word in a malformed line\n").unwrap();
    std::fs::set_permissions(&passwords, std::fs::Permissions::from_mode(0o600)).unwrap();
    let node = Launch::new(database.directory())
        .env("BIDARC_DATABASE__URL", &url)
        .env("BIDARC_LOG__FILTER", "trace")
        .env("PGPASSFILE", passwords.to_str().unwrap())
        .serve_configured(0)
        .await;
    // An unknown parameter is named, and that fsync is off in the cluster of the tests.
    node.wait_for_log("sslmod").await;
    node.wait_for_log("fsync").await;
    assert!(node.greeting().contains("database    postgres://127.0.0.1"), "{}", node.greeting());
    assert!(!(node.greeting().to_owned() + &node.log_so_far()).contains("pass-word"));
    node.stop(&database).await;
}
