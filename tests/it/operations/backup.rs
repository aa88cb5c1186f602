//! `bidarc backup` writes a complete, verified copy of a SQLite database, or nothing.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::harness::{
    Cluster, Database, Launch, Process, TIMEOUT, append_many_events, assert_same_rows, eventually, sample_database,
};

fn launch(database: &Database, file: &Path) -> Launch {
    let launch = Launch::new(database.directory()).arg("backup").arg("--database-url").arg(&database.url());
    launch.arg(&file.display().to_string())
}

/// The files of a directory, except those of the database itself.
fn others(database: &Database) -> Vec<PathBuf> {
    let files = fs::read_dir(database.directory()).unwrap().map(|file| file.unwrap().path());
    let own = ["", "-wal", "-shm", "-lock"].map(|ending| database.file(ending));
    files.filter(|path| !own.contains(path)).collect()
}

/// The rows of all events but the one that came after the backup.
async fn earlier_events(database: &Database) -> Vec<String> {
    let rows = database.dump().await;
    rows.into_iter().filter(|row| row.starts_with("event: ") && !row.contains("later")).collect()
}

#[tokio::test]
async fn backup_beside_a_service_has_every_acknowledged_event_and_serves() {
    let database = sample_database(Database::in_file()).await;
    append_many_events(&database).await;
    let service = Process::start(0, &database).await;
    for id in 0..5 {
        service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
    let count = service.event_count().await;
    let restored = Database::in_file();
    let output = launch(&database, &restored.file("")).run().await;
    assert!(output.status.success(), "{output:?}");
    let path = fs::canonicalize(restored.file("")).unwrap();
    let bytes = fs::metadata(&path).unwrap().len();
    assert_eq!(output.stdout, format!("wrote {}: {count} events, {bytes} bytes, verified\n", path.display()));
    assert!(output.stderr.contains("backing up: ") && output.stderr.contains("verifying"), "{output:?}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(others(&restored).is_empty() && !restored.file("-wal").exists(), "{:?}", others(&restored));
    service.arcsite("project.created", r#"{"id":"later"}"#).await.accepted();
    service.stop(&database).await;

    assert_same_rows(&earlier_events(&database).await, &earlier_events(&restored).await);
    let service = Process::start(0, &restored).await;
    assert_eq!(service.event_count().await, count);
    service.arcsite("project.created", r#"{"id":"later"}"#).await.accepted();
    service.stop(&restored).await;
}

/// After a crash the newest events are in the log beside the file.
#[tokio::test]
async fn backup_after_a_kill_has_every_acknowledged_event() {
    let database = Database::in_file();
    let service = Process::start(0, &database).await;
    for id in 0..5 {
        service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
    service.kill().await;
    let restored = Database::in_file();
    let output = launch(&database, &restored.file("")).run().await;
    assert!(output.stdout.contains(": 5 events, "), "{output:?}");
    assert_eq!(restored.numbers("SELECT COUNT(*) FROM event").await, [5]);
    Process::start(0, &database).await.stop(&database).await;
}

#[tokio::test]
async fn backup_replaces_a_file_only_if_told() {
    let database = Database::in_file();
    Process::start(0, &database).await.stop(&database).await;
    let file = database.directory().join("backup.db");
    fs::write(&file, "another").unwrap();
    let refused = launch(&database, &file).run().await;
    assert_eq!((refused.status.code(), refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
    assert!(refused.stderr.contains("exists already") && refused.stderr.contains("--overwrite"), "{refused:?}");
    assert_eq!(fs::read(&file).unwrap(), b"another");
    let replaced = launch(&database, &file).arg("--overwrite").run().await;
    assert!(replaced.status.success(), "{replaced:?}");
    assert!(fs::metadata(&file).unwrap().len() > 1000);
    assert_eq!(others(&database), [file]);
}

#[tokio::test]
async fn interrupted_backup_leaves_nothing() {
    let database = Database::in_file();
    Process::start(0, &database).await.stop(&database).await;
    let connection = database.connect().await;
    let filler = "CREATE TABLE filler AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
                  SELECT randomblob(20000) FROM n";
    sea_orm::ConnectionTrait::execute_unprepared(&connection, filler).await.unwrap();
    connection.close().await.unwrap();
    let file = database.directory().join("backup.db");
    let running = launch(&database, &file).start();
    eventually("the backup has begun", TIMEOUT, async || (!others(&database).is_empty()).then_some(())).await;
    running.signal("INT").await;
    assert_eq!(running.wait_within(TIMEOUT).await.code(), Some(1));
    assert!(others(&database).is_empty(), "{:?}", others(&database));
}

#[tokio::test]
async fn path_that_can_hold_no_backup_is_explained() {
    let database = Database::in_file();
    let service = Process::start(0, &database).await;
    let link = database.directory().join("link.db");
    std::os::unix::fs::symlink(database.file(""), &link).unwrap();
    for (file, text) in [
        (database.file(""), "belongs to the database itself"),
        (database.file("-wal"), "belongs to the database itself"),
        (database.file("-lock"), "belongs to the database itself"),
        (link, "belongs to the database itself"),
        (database.directory().to_owned(), "is a directory"),
        (PathBuf::from("no/such/backup.db"), "there is no directory no/such"),
        (PathBuf::from("/dev/null"), "is not a file"),
        (PathBuf::from(".."), "does not name a file"),
    ] {
        let output = launch(&database, &file).arg("--overwrite").run().await;
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{file:?}: {output:?}");
        assert!(output.stderr.contains("nothing was backed up") && output.stderr.contains(text), "{output:?}");
    }
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    service.stop(&database).await;
}

#[tokio::test]
async fn missing_or_damaged_database_gives_no_backup() {
    let database = Database::in_file();
    let file = database.directory().join("backup.db");
    let output = launch(&database, &file).run().await;
    assert!(output.stderr.contains("there is no database at"), "{output:?}");
    assert!(!database.file("").exists(), "a backup makes no database");

    fs::write(database.file(""), "").unwrap();
    let output = launch(&database, &file).run().await;
    assert!(output.stderr.contains("the database is not one of bidarc"), "{output:?}");
    assert!(others(&database).is_empty(), "{:?}", others(&database));

    let database = sample_database(database).await;
    let bytes = fs::metadata(database.file("")).unwrap().len();
    let damage = fs::OpenOptions::new().write(true).open(database.file("")).unwrap();
    for page in 20..bytes / 4096 {
        damage.write_all_at(&[0xAA; 64], page * 4096).unwrap();
    }
    let output = launch(&database, &file).run().await;
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert!(output.stderr.contains("nothing was backed up"), "{output:?}");
    assert!(others(&database).is_empty(), "{:?}", others(&database));
}

#[tokio::test]
async fn backup_of_postgresql_shows_a_command_that_works() {
    let cluster = Cluster::shared();
    let database = Database::in_cluster(&cluster);
    Process::start(0, &database).await.stop(&database).await;
    let file = database.directory().join("office.dump");
    let output = launch(&database, &file).run().await;
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{output:?}");
    let command = output.stderr.lines().map(str::trim).find(|line| line.starts_with("pg_dump ")).unwrap();
    cluster.run(command);
    assert!(fs::metadata(&file).unwrap().len() > 1000);

    let url = database.url().replace("bidarc@", "bidarc:pass-word@");
    let launch = Launch::new(database.directory()).arg("backup").arg("--database-url").arg(&url).arg("x.dump");
    let output = launch.run().await;
    assert!(output.stderr.contains("pg_dump") && !output.stderr.contains("pass-word"), "{output:?}");
}
