//! A process that writes files is killed. No file that is half there has a digest as its name.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use bidarc::domain::Digest;
use bidarc::files::storage::{FileStore, ObjectName, StoredObject};
use bytes::Bytes;
use futures_util::TryStreamExt;
use tokio::process::Command;

use super::{digest_of, write};
use crate::harness::{TIMEOUT, eventually};

/// The variable that tells a child of this test where to write.
const FOLDER: &str = "BIDARC_TEST_FOLDER";
const ROUNDS: u64 = 8;
/// How many files are there before the child is killed, of one round after the other.
const FILES_A_ROUND: usize = 12;

/// File `number`: 1 byte to about 1 MiB, which is several parts.
fn file(number: u64) -> Vec<u8> {
    let length = 1 + usize::try_from(number * 7_919 % 1_000_003).unwrap();
    number.to_le_bytes().into_iter().cycle().take(length).collect()
}

async fn read(store: &FileStore, digest: &Digest) -> Vec<u8> {
    let pieces: Vec<Bytes> = store.read(digest, None).await.unwrap().try_collect().await.unwrap();
    pieces.concat()
}

async fn list(store: &FileStore) -> Vec<StoredObject> {
    store.list().try_collect().await.unwrap()
}

/// Not a test of its own: the child that [`killed_writer_leaves_no_half_file`] starts and kills.
#[tokio::test]
#[ignore = "it runs in a child process of another test"]
#[expect(clippy::disallowed_methods, reason = "the variable is the test's own")]
async fn write_until_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = FileStore::open(&folder).unwrap();
    let first = u64::from(std::process::id()) * 1_000;
    for number in first.. {
        write(&store, &file(number)).await;
    }
}

fn spawn_writer(folder: &Path) -> tokio::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "files::storage::write_until_killed", "--ignored"]).env(FOLDER, folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_writer_leaves_no_half_file() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("files");
    let store = FileStore::open(folder.to_str().unwrap()).unwrap();
    for round in 1..=ROUNDS {
        let mut writer = spawn_writer(&folder);
        let expected = FILES_A_ROUND * usize::try_from(round).unwrap();
        eventually("the writer has written", TIMEOUT, async || {
            (list(&store).await.iter().filter(|object| object.name.is_some()).count() >= expected).then_some(())
        })
        .await;
        // The cut is in an upload, at whatever byte it has come to.
        eventually("an upload is under way", TIMEOUT, async || {
            list(&store).await.iter().any(|object| object.is_upload() && object.size_bytes > 0).then_some(())
        })
        .await;
        writer.kill().await.unwrap();
    }
    let objects = list(&store).await;
    for object in &objects {
        match object.name {
            Some(ObjectName::File(digest)) => assert_eq!(digest_of(&read(&store, &digest).await), digest),
            Some(ObjectName::Thumbnail(_)) => panic!("nothing made a thumbnail: {object}"),
            None => assert!(object.is_upload(), "{object}"),
        }
    }
    let leftovers: Vec<&StoredObject> = objects.iter().filter(|object| object.is_upload()).collect();
    assert!(leftovers.len() <= usize::try_from(ROUNDS).unwrap(), "a writer writes one file at a time");
    for leftover in leftovers {
        store.remove(leftover).await.unwrap();
    }
    assert!(!list(&store).await.iter().any(StoredObject::is_upload));
}

#[tokio::test]
async fn file_written_is_read_back_whole_and_in_part() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("files");
    let store = FileStore::open(folder.to_str().unwrap()).unwrap();
    let bytes = file(126);
    let digest = digest_of(&bytes);
    assert!(store.size(&digest).await.is_err());
    write(&store, &bytes).await;
    write(&store, &bytes).await;
    assert_eq!(store.size(&digest).await.unwrap(), bytes.len() as u64);
    assert_eq!(read(&store, &digest).await, bytes);
    let part: Vec<Bytes> = store.read(&digest, Some(5..20)).await.unwrap().try_collect().await.unwrap();
    assert_eq!(part.concat(), bytes[5..20]);
    assert_eq!(list(&store).await.len(), 1, "equal bytes are stored once");

    let text = digest.to_string();
    let path = folder.join("sha256").join(&text[..2]).join(&text[2..]);
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // A damaged file is mended by the next upload of its bytes.
    std::fs::write(&path, "damaged").unwrap();
    write(&store, &bytes).await;
    assert_eq!(read(&store, &digest).await, bytes);

    store.delete(&digest).await.unwrap();
    store.delete(&digest).await.unwrap();
    assert!(list(&store).await.is_empty());
}

#[tokio::test]
async fn empty_file_and_dropped_upload_leave_what_they_must() {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::open(directory.path().to_str().unwrap()).unwrap();
    store.begin().finish(&digest_of(b"")).await.unwrap();
    assert_eq!(read(&store, &digest_of(b"")).await, b"");
    for is_aborted in [true, false] {
        let mut upload = store.begin();
        upload.write(Bytes::from(file(126))).await.unwrap();
        if is_aborted {
            upload.abort().await;
        }
    }
    eventually("nothing is left", TIMEOUT, async || (list(&store).await.len() == 1).then_some(())).await;
}

#[test]
fn setting_that_names_no_store_is_refused() {
    for setting in ["https://example.com/files", "memory:///", "ftp://host/files", "s3://"] {
        FileStore::open(setting).unwrap_err();
    }
}
