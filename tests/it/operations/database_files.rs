//! The files of a SQLite database are moved, damaged or full while the service runs. Nothing that
//! was answered 200 is lost, and the service says what is wrong.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use crate::harness::{Database, HttpResponse, Launch, Process, TIMEOUT, eventually};

async fn post(service: &Process, id: u32, name: &str) -> HttpResponse {
    let body = format!(r#"{{"event":"project.created","data":{{"id":{id},"name":"{name}"}}}}"#);
    service.post("/webhooks/arcsite", body).await
}

async fn assert_not_ready(service: &Process, problem: &str) {
    let response = service.get("/readyz").await;
    assert_eq!(response.status, 503, "{response:?}");
    let shown = response.json();
    assert!(shown["problem"].as_str().unwrap().contains(problem), "{problem:?} is not in {shown}");
}

#[tokio::test]
async fn delivery_into_moved_files_gets_a_503_with_the_reason() {
    type Change = fn(&Database);
    let changes: [(&str, Change, &str); 6] = [
        ("deleted", |database| fs::remove_file(database.file("")).unwrap(), "bidarc.db was deleted or renamed"),
        ("emptied", |database| drop(fs::File::create(database.file("")).unwrap()), "bidarc.db was emptied"),
        (
            "replaced",
            |database| {
                fs::copy(database.file(""), database.file("-new")).unwrap();
                fs::rename(database.file("-new"), database.file("")).unwrap();
            },
            "another file is now at",
        ),
        (
            "directory renamed",
            |database| {
                let directory = database.file("").parent().unwrap().to_owned();
                fs::rename(&directory, directory.with_extension("moved")).unwrap();
            },
            "bidarc.db was deleted or renamed",
        ),
        ("log deleted", |database| fs::remove_file(database.file("-wal")).unwrap(), "bidarc.db-wal was deleted"),
        ("locks deleted", |database| fs::remove_file(database.file("-shm")).unwrap(), "bidarc.db-shm was deleted"),
    ];
    for (what, change, message) in changes {
        let database = Database::in_file();
        let service = Process::start(0, &database).await;
        assert_eq!(post(&service, 1, "kept").await.status, 200, "{what}");
        change(&database);
        let response = post(&service, 2, "not kept").await;
        assert_eq!(response.status, 503, "{what}: {response:?}");
        assert!(response.header("retry-after").is_some(), "{what}");
        assert_not_ready(&service, "deleted, renamed or replaced").await;
        service.wait_for_log(message).await;
        assert_eq!(post(&service, 3, "not kept").await.status, 503, "{what}");
        service.kill().await;
        drop(fs::remove_dir_all(database.directory().with_extension("moved")));
    }
}

#[tokio::test]
async fn service_recovers_when_a_renamed_file_is_back() {
    let database = Database::in_file();
    let service = Process::start(0, &database).await;
    fs::rename(database.file(""), database.file("-away")).unwrap();
    assert_eq!(post(&service, 1, "Roof").await.status, 503);
    assert_not_ready(&service, "renamed").await;
    fs::rename(database.file("-away"), database.file("")).unwrap();
    assert_eq!(service.get("/readyz").await.status, 200);
    assert_eq!(post(&service, 1, "Roof").await.status, 200);
    assert_eq!(service.event_count().await, 1);
    service.stop(&database).await;
}

#[tokio::test]
async fn link_that_leads_elsewhere_is_noticed() {
    let database = Database::in_file();
    let link = database.directory().join("link.db");
    symlink(database.file(""), &link).unwrap();
    let url = format!("sqlite://{}", link.display());
    let service = Launch::new(database.directory()).arg("--database-url").arg(&url).serve_configured(0).await;
    assert_eq!(post(&service, 1, "Roof").await.status, 200);
    assert!(database.file("-wal").exists(), "the log stands beside the file, not beside the link");
    fs::remove_file(&link).unwrap();
    symlink(database.directory().join("other.db"), &link).unwrap();
    assert_eq!(post(&service, 2, "Roof").await.status, 503);
    assert_not_ready(&service, "replaced").await;
    service.kill().await;
}

/// The log of a deleted -wal is still open, and the stop writes it into the database.
#[tokio::test]
async fn events_of_a_deleted_log_are_there_after_a_restart() {
    let database = Database::in_file();
    let service = Process::start(0, &database).await;
    for id in 1..=5 {
        assert_eq!(post(&service, id, "kept").await.status, 200);
    }
    fs::remove_file(database.file("-wal")).unwrap();
    assert_eq!(post(&service, 6, "later").await.status, 503);
    service.stop(&database).await;
    let service = Process::start(0, &database).await;
    assert_eq!(post(&service, 6, "later").await.status, 200);
    assert_eq!(service.event_count().await, 6);
    service.stop(&database).await;
}

/// A failed write must not swallow the commits after it.
#[tokio::test]
async fn file_that_cannot_grow_gets_503_and_loses_nothing() {
    const LIMIT_KIBIBYTES: u32 = 1000;
    let database = Database::in_file();
    let service = Launch::with_file_size_limit(database.directory(), LIMIT_KIBIBYTES).serve(0, &database).await;
    let long = "x".repeat(700_000);
    let mut kept = 0;
    for id in 0..4 {
        assert_eq!(post(&service, id * 10, &long).await.status, 503);
        assert_eq!(post(&service, id * 10, &long).await.status, 503);
        assert_eq!(post(&service, id * 10 + 1, "short").await.status, 200);
        kept += 1;
    }
    // Until there is no room for anything.
    // Until there is no room for anything. Each check of readiness writes a page as well.
    let mut id = 100;
    eventually("the service is not ready", TIMEOUT, async || {
        id += 1;
        kept += u64::from(post(&service, id, "short").await.status == 200);
        (service.get("/readyz").await.status == 503).then_some(())
    })
    .await;
    assert_not_ready(&service, "cannot be written").await;
    assert_eq!(service.event_count().await, kept, "queries go on");
    service.kill().await;

    let service = Process::start(0, &database).await;
    assert_eq!(service.event_count().await, kept);
    assert_eq!(post(&service, 0, &long).await.status, 200);
    service.stop(&database).await;
}

#[tokio::test]
async fn stop_leaves_one_complete_file() {
    let database = Database::in_file();
    let service = Process::start(0, &database).await;
    assert_eq!(post(&service, 1, "Roof").await.status, 200);
    service.terminate().await;
    assert!(service.wait().await.success());
    assert!(!database.file("-wal").exists() && !database.file("-shm").exists());
    let copy = Database::in_file();
    fs::copy(database.file(""), copy.file("")).unwrap();
    assert_eq!(copy.numbers("SELECT COUNT(*) FROM event").await, [1]);
}

fn modes(database: &Database) -> Vec<(PathBuf, u32)> {
    let files = fs::read_dir(database.directory()).unwrap().map(|file| file.unwrap());
    // The folder of stored files is beside them.
    let files = files.filter(|file| file.metadata().unwrap().is_file());
    files.map(|file| (file.path(), file.metadata().unwrap().permissions().mode() & 0o777)).collect()
}

#[tokio::test]
async fn files_are_readable_by_their_owner_alone() {
    let database = Database::in_file();
    let service = Process::start(0, &database).await;
    assert_eq!(post(&service, 1, "Roof").await.status, 200);
    let found = modes(&database);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|(_, mode)| *mode == 0o600), "{found:?}");
    // Killed, it leaves all four; an earlier version made them readable for all.
    service.kill().await;
    for (path, _) in &found {
        fs::set_permissions(path, Permissions::from_mode(0o664)).unwrap();
    }
    let service = Process::start(0, &database).await;
    let found = modes(&database);
    assert!(found.len() == 4 && found.iter().all(|(_, mode)| *mode == 0o600), "{found:?}");
    assert_eq!(service.event_count().await, 1);
    service.stop(&database).await;
}
