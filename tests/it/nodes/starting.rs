//! Nodes that start at once, versions side by side, and databases that are not fit.

use futures_util::future::join_all;

use super::{nodes, stop};
use crate::harness::{Cluster, Database, Launch};

#[tokio::test(flavor = "multi_thread")]
async fn ten_nodes_start_at_once_on_a_new_database() {
    let database = Database::in_cluster(&Cluster::shared());
    let nodes = nodes(10, &database).await;
    let heads = join_all(nodes.iter().map(|node| node.head())).await;
    assert!(heads.iter().all(|head| *head == heads[0]), "one log: {heads:?}");
    assert_eq!(database.numbers("SELECT COUNT(*) FROM log").await, [1]);
    for (at, node) in nodes.iter().enumerate() {
        node.arcsite("project.created", &format!(r#"{{"id":{at}}}"#)).await.accepted();
    }
    assert_eq!(nodes[9].total().await, 10);
    stop(nodes, &database).await;
}

/// While another writes for long, a node starts all the same: what is up to date needs no lock.
#[tokio::test]
async fn a_node_starts_while_another_writes() {
    let database = Database::in_cluster(&Cluster::shared());
    stop(nodes(1, &database).await, &database).await;
    let writer = database.lock().await;
    let nodes = nodes(1, &database).await;
    assert_eq!(nodes[0].total().await, 0);
    writer.rollback().await.unwrap();
    stop(nodes, &database).await;
}

/// On both kinds of database.
#[tokio::test]
async fn an_older_version_beside_newer_tables_is_refused() {
    for database in [Database::fresh(), Database::in_cluster(&Cluster::shared())] {
        stop(nodes(1, &database).await, &database).await;
        let connection = database.connect().await;
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_of_another_day', 0)";
        sea_orm::ConnectionTrait::execute_unprepared(&connection, newer).await.unwrap();
        connection.close().await.unwrap();
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["keys", "list"], &["rebuild"]] {
            let launch = Launch::new(database.directory()).arg("--database-url").arg(&database.url());
            let ended = command.iter().fold(launch, |launch, argument| launch.arg(argument)).run().await;
            assert_eq!(ended.status.code(), Some(1), "{command:?}: {ended:?}");
            for said in ["a later version of bidarc", "m9999_of_another_day", env!("CARGO_PKG_VERSION")] {
                assert!(ended.stderr.contains(said), "{command:?}: {said} is not in {}", ended.stderr);
            }
        }
    }
}

/// One that runs when a later version comes is to be replaced, and says so to whoever asks whether it is ready.
#[tokio::test]
async fn an_older_version_that_runs_is_not_ready_any_more() {
    for database in [Database::fresh(), Database::in_cluster(&Cluster::shared())] {
        let nodes = nodes(1, &database).await;
        assert_eq!(nodes[0].get("/readyz").await.status, 200);
        let connection = database.connect().await;
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_of_another_day', 0)";
        sea_orm::ConnectionTrait::execute_unprepared(&connection, newer).await.unwrap();
        connection.close().await.unwrap();
        let answer = nodes[0].get("/readyz").await;
        assert_eq!(answer.status, 503);
        assert!(answer.json()["problem"].as_str().unwrap().contains("later version"), "{answer:?}");
        stop(nodes, &database).await;
    }
}

/// What is wrong is said, and the password is not.
#[tokio::test]
async fn a_database_that_is_not_fit_is_refused_without_its_password() {
    let cluster = Cluster::shared();
    let ascii = Database::with(&cluster, "ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0");
    let with_password = |url: &str| url.replace("bidarc@", "bidarc:pass-word@");
    let fit = Database::in_cluster(&cluster);
    for (url, says) in [
        (with_password(&ascii.url()), "UTF8"),
        (with_password(&format!("{}_not_there", fit.url())), "does not exist"),
        ("postgres://bidarc:pass-word@127.0.0.1:1/x".to_owned(), "refused"),
        ("postgres://bidarc:pass-word@127.0.0.1:port/x".to_owned(), "port"),
        (with_password(&format!("{}?sslmode=require", fit.url())), "TLS"),
    ] {
        let launch = Launch::new(fit.directory()).env("BIDARC_DATABASE__URL", &url).arg("--listen").arg("127.0.0.1:0");
        let ended = launch.run().await;
        assert_eq!(ended.status.code(), Some(1), "{url}: {ended:?}");
        assert!(ended.stderr.contains(says), "{says:?} is not in {}", ended.stderr);
        assert!(!format!("{ended:?}").contains("pass-word"), "{ended:?}");
    }
}

/// Where deliveries could be lost with the machine, it says so; where it is told the URL, it shows it without the password.
#[tokio::test]
async fn what_weakens_the_promise_is_said() {
    let database = Database::in_cluster(&Cluster::shared());
    let url = database.url().replace("bidarc@", "bidarc:pass-word@");
    let node = Launch::new(database.directory()).env("BIDARC_DATABASE__URL", &url).serve_as_told(0).await;
    assert!(node.log_so_far().contains("fsync"), "the tests' cluster has it off: {}", node.log_so_far());
    assert!(node.greeting().contains("bidarc:…@127.0.0.1"), "{}", node.greeting());
    assert!(!(node.greeting().to_owned() + &node.log_so_far()).contains("pass-word"));
    node.stop(&database).await;
}
