//! A path at which no SQLite database can be: the message names the path, the reason and what to
//! do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::{Database, Launch, Process};

async fn assert_refused(launch: Launch, url: &str, texts: &[&str]) {
    let output = launch.arg("--listen").arg("127.0.0.1:0").arg("--database-url").arg(url).run().await;
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{url}: {output:?}");
    for text in texts {
        assert!(output.stderr.contains(text), "{url}: {text:?} is not in {}", output.stderr);
    }
    assert!(!output.stderr.contains("code: "), "{url}: {}", output.stderr);
}

#[tokio::test]
async fn path_that_holds_no_database_is_explained() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).display().to_string();
    fs::create_dir(at("folder")).unwrap();
    fs::write(at("text"), "a file of another kind, longer than the header of a database is, which has a hundred bytes")
        .unwrap();
    fs::write(at("twice.db"), "").unwrap();
    fs::hard_link(at("twice.db"), at("second.db")).unwrap();
    fs::write(at("gone.db-wal"), "newest events").unwrap();
    std::os::unix::fs::symlink(at("no/target.db"), at("dangling.db")).unwrap();
    for (path, texts) in [
        (at("no/such/bidarc.db"), [&at("no/such"), "there is no directory", "mkdir -p"]),
        (at("folder"), [&at("folder"), "is a directory", "folder/bidarc.db"]),
        (at("text/bidarc.db"), [&at("text"), "is not a directory", "correct the path"]),
        (at("text"), [&at("text"), "is not a SQLite database", "name another file"]),
        (at("twice.db"), [&at("twice.db"), "2 names (hard links)", "remove the other names"]),
        (at("gone.db"), [&at("gone.db-wal"), "is not there", "put the file back"]),
        (at("dangling.db"), [&at("no"), "there is no directory", "mkdir -p"]),
        ("/dev/null".to_owned(), ["/dev/null", "neither a file nor a directory", "name a file"]),
        ("/proc/none/x.db".to_owned(), ["/proc/none", "there is no directory", "correct the path"]),
        (at("x.db?immutable=1"), ["without parameters", "database.url", "sqlite://"]),
        (at("x.db?vfs=unix-none"), ["without parameters", "database.url", "sqlite://"]),
        (String::new(), ["database.url is sqlite://", "has no path", "sqlite://<path of a file>"]),
        ("file:x.db".to_owned(), ["file:", "sqlite://<path of a file>", "database.url"]),
    ] {
        assert_refused(Launch::new(directory.path()), &format!("sqlite://{path}"), &texts).await;
    }
    assert_eq!(fs::read(at("gone.db-wal")).unwrap(), b"newest events");
    let mode = fs::metadata(at("text")).unwrap().permissions().mode();
    assert_eq!(mode & 0o044, 0o044, "a file of another program stays as it is");
}

#[tokio::test]
async fn file_without_rights_is_explained() {
    let database = Database::in_file();
    Process::start(0, &database).await.stop(&database).await;
    let folder = database.directory().join("closed");
    fs::create_dir(&folder).unwrap();
    let chmod = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let in_folder = format!("sqlite://{}/bidarc.db", folder.display());
    let launch = || Launch::without_root_rights(database.directory());

    chmod(&database.file(""), 0o200);
    assert_refused(launch(), &database.url(), &["bidarc.db is not readable", "chown", "user with id"]).await;
    chmod(&database.file(""), 0o400);
    assert_refused(launch(), &database.url(), &["bidarc.db is not writable", "chown", "user with id"]).await;
    chmod(&database.file(""), 0o600);
    chmod(&folder, 0o500);
    assert_refused(launch(), &in_folder, &["there is no file", "closed is not writable", "chown"]).await;
    chmod(&folder, 0o700);
    fs::copy(database.file(""), folder.join("bidarc.db")).unwrap();
    chmod(&folder, 0o500);
    assert_refused(launch(), &in_folder, &["closed is not writable", "beside the database", "chown"]).await;
    chmod(&folder, 0o600);
    assert_refused(launch(), &in_folder, &["is closed to the user with id", "chmod or chown"]).await;
    chmod(&folder, 0o700);
    launch().serve(0, &database).await.stop(&database).await;
}
