//! `bidarc files verify` finds what differs between the store and the database.

use std::fs::{self, FileTimes, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::SystemTime;

use bidarc::clock::Clock;
use chrono::TimeDelta;

use super::{FILE, File, folder, insert, setup, store_of, write};
use crate::harness::{Database, Launch};

/// Whether it succeeded, and what it wrote.
async fn verify(database: &Database, arguments: &[&str]) -> (bool, String, String) {
    let launch = Launch::without_root_rights(database.directory()).arg("files").arg("verify");
    let launch = launch.arg("--database-url").arg(&database.url()).env("BIDARC_FILES__STORE", &folder(database));
    let output = arguments.iter().fold(launch, |launch, argument| launch.arg(argument)).run().await;
    (output.status.success(), output.stdout, output.stderr)
}

/// Makes a file of the store two days old.
fn age(path: &PathBuf) {
    let time = SystemTime::from(Clock::system().now() - TimeDelta::days(2));
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_finds_missing_damaged_and_orphaned_files() {
    let service = setup().start().await;
    service.arcsite("drawing.created", r#"{"id":2,"project_id":9}"#).await.accepted();
    let store = store_of(&service);
    let [good, damaged, missing, orphan, young] =
        [b"good".as_slice(), b"damaged", b"missing", b"orphan", b"young orphan"];
    let mut rows = Vec::new();
    for (bytes, id) in [(good, 1), (damaged, 2), (missing, 3), (good, 4)] {
        rows.push(File { id, content: Some((write(&store, bytes).await, bytes.len())), ..FILE });
    }
    insert(service.database(), &rows).await;
    let database = service.database();
    let clean = verify(database, &[]).await;
    assert!(clean.0, "{clean:?}");
    assert_eq!(clean.1, "verified 3 files, 18 bytes: 0 missing, 0 damaged, 0 orphans\n");
    assert!(clean.2.contains("verifying: 3 of 3 files, 100 %"), "{clean:?}");

    let orphan = write(&store, orphan).await;
    write(&store, young).await;
    let path = |digest: &str| PathBuf::from(folder(database)).join("sha256").join(&digest[..2]).join(&digest[2..]);
    let [damaged, missing, orphan] =
        [super::digest_of(damaged), super::digest_of(missing), orphan].map(|digest| digest.to_string());
    fs::write(path(&damaged), "other").unwrap();
    fs::remove_file(path(&missing)).unwrap();
    age(&path(&orphan));
    let leftover = PathBuf::from(folder(database)).join("uploads").join("ab#1");
    fs::write(&leftover, "a part").unwrap();
    age(&leftover);
    fs::write(PathBuf::from(folder(database)).join("note"), "not ours").unwrap();

    let (succeeded, stdout, stderr) = verify(database, &["--remove-orphans"]).await;
    assert!(!succeeded, "{stdout}");
    for line in [
        format!("missing: {missing}\n"),
        format!("damaged: {damaged}\n"),
        format!("orphan: sha256/{}/{}, 6 bytes\n", &orphan[..2], &orphan[2..]),
        "orphan: uploads/ab#1, 6 bytes\n".to_owned(),
        "verified 3 files, 9 bytes: 1 missing, 1 damaged, 2 orphans (2 removed); 1 without a row are younger than a day; 1 others are not of bidarc\n".to_owned(),
    ] {
        assert!(stdout.contains(&line), "{line} is not in {stdout}");
    }
    assert!(!path(&orphan).exists() && !leftover.exists());
    assert!(stderr.contains("2 files are missing or damaged"), "{stderr}");

    // A store that does not permit removals hides no other finding.
    fs::write(&leftover, "a part").unwrap();
    age(&leftover);
    let uploads = leftover.parent().unwrap();
    fs::set_permissions(uploads, Permissions::from_mode(0o500)).unwrap();
    let (_, stdout, stderr) = verify(database, &["--remove-orphans"]).await;
    fs::set_permissions(uploads, Permissions::from_mode(0o700)).unwrap();
    assert!(stdout.contains(&missing) && stdout.contains("1 orphans (0 removed)"), "{stdout}");
    assert!(stderr.contains("2 files are missing or damaged"), "{stderr}");
    assert!(stderr.contains("orphans could not be removed: "), "{stderr}");

    // The same bytes, fetched once more, mend both.
    write(&store, b"damaged").await;
    write(&store, b"missing").await;
    assert!(verify(database, &[]).await.0);
    service.stop().await;
}

#[tokio::test]
async fn verification_without_files_says_so() {
    let database = Database::in_file();
    let launch = Launch::new(database.directory()).arg("files").arg("verify").env("BIDARC_FILES__STORE", "off");
    let refused = launch.run().await;
    assert!(!refused.status.success() && refused.stderr.contains("files are off"), "{refused:?}");
}
