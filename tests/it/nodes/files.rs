//! Two nodes keep files in one store. One of them is killed while it fetches.

use std::time::Duration;

use simulator::files::{FileServer, Options};

use crate::files::fetching::{PATIENCE, assert_files, office, post_drawings, wait_for_files};
use crate::harness::{Cluster, Database, Launch, eventually};

/// How many drawings the whole test command takes, and how many the long test.
const DRAWINGS: usize = 60;
const DRAWINGS_LONG: usize = 500;

async fn killed_node_loses_no_file(drawings: usize, patience: Duration) {
    let database = Database::in_cluster(&Cluster::shared());
    let folder = database.directory().join("files");
    let options = Options { failing: 0.33, lost: 0.05, slow: Duration::from_secs(1), ..Options::default() };
    let server = FileServer::start(options).await.unwrap();
    let launch = || {
        let launch = Launch::new(database.directory()).env("BIDARC_FILES__STORE", folder.to_str().unwrap());
        launch.env("BIDARC_FILES__FETCHES", "20")
    };
    let (first, second) = (launch().serve(0, &database).await, launch().serve(0, &database).await);
    let mut office = office(&server);
    post_drawings(&first, &mut office, drawings / 2).await;
    // The first node heard of the files first, so it fetches them.
    let fetched = "SELECT COUNT(*) FROM file WHERE state = 'STORED'";
    eventually("some files are stored", Duration::from_secs(30), async || {
        (database.numbers(fetched).await[0] >= 5).then_some(())
    })
    .await;
    first.kill().await;
    post_drawings(&second, &mut office, drawings - drawings / 2).await;
    let files = wait_for_files(&database, patience).await;
    assert!(files.len() > drawings, "{}", files.len());
    // The two that one host gets at once.
    assert_files(&server, &folder, &files, 2);
    second.stop(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_node_of_two_loses_no_file() {
    killed_node_loses_no_file(DRAWINGS, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes: cargo test --test it nodes::files -- --ignored"]
async fn killed_node_of_two_loses_none_of_many_files() {
    killed_node_loses_no_file(DRAWINGS_LONG, 10 * PATIENCE).await;
}
