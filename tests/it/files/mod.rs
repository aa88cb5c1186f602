//! The vault: files that are kept before their links die.

mod api;
pub(crate) mod fetching;
mod serving;
mod storage;
mod verify;

use bidarc::domain::Digest;
use bidarc::files::storage::FileStore;
use bytes::Bytes;
use sea_orm::ConnectionTrait;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::harness::{Database, Service, Setup};

/// A time that the tests do not reach, so that no worker fetches a file meanwhile.
const NEVER: i64 = 4_000_000_000_000_000;

/// A service that keeps files, on either database.
fn setup() -> Setup {
    let setup = Setup::new();
    let folder = folder(setup.database_of());
    setup.with(|settings| settings.files.store = Some(folder))
}

fn folder(database: &Database) -> String {
    database.directory().join("files").to_str().unwrap().to_owned()
}

fn store_of(service: &Service) -> FileStore {
    FileStore::open(&folder(service.database())).unwrap()
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

async fn write(store: &FileStore, bytes: &[u8]) -> Digest {
    let mut upload = store.begin();
    for piece in bytes.chunks(10_000) {
        upload.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    let digest = digest_of(bytes);
    upload.finish(&digest).await.unwrap();
    digest
}

/// A row of a file.
#[derive(Clone)]
struct File<'a> {
    id: i64,
    event: i64,
    drawing: Option<&'a str>,
    proposal: Option<&'a str>,
    role: &'a str,
    kind: &'a str,
    name: Option<&'a str>,
    state: &'a str,
    problem: Option<&'a str>,
    link_expires_at: i64,
    content: Option<(Digest, usize)>,
}

/// A stored PDF of drawing 2, of event 1.
const FILE: File<'static> = File {
    id: 1,
    event: 1,
    drawing: Some("2"),
    proposal: None,
    role: "DRAWING",
    kind: "PDF",
    name: None,
    state: "STORED",
    problem: None,
    link_expires_at: NEVER,
    content: None,
};

async fn insert(database: &Database, files: &[File<'_>]) {
    let text = |text: Option<&str>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
    let connection = database.connect().await;
    for file in files {
        let File { id, event, role, kind, state, link_expires_at, .. } = file;
        let (drawing, proposal) = (text(file.drawing), text(file.proposal));
        let (name, problem) = (text(file.name), text(file.problem));
        let (sha256, size, stored_at) = match &file.content {
            Some((digest, size)) => (format!("'{digest}'"), size.to_string(), "1767625200000000"),
            None => ("NULL".to_owned(), "NULL".to_owned(), "NULL"),
        };
        let insert = format!(
            "INSERT INTO file (id, event_seq, drawing_vendor_id, proposal_vendor_id, role, kind, name, link, link_hash, \
             link_expires_at, state, problem, attempts, next_attempt_at, sha256, size_bytes, stored_at) VALUES ({id}, {event}, \
             {drawing}, {proposal}, '{role}', '{kind}', {name}, 'https://files.arcsite.com/secret?Signature=hush', 'hash{id}', \
             {link_expires_at}, '{state}', {problem}, 0, {NEVER}, {sha256}, {size}, {stored_at})"
        );
        connection.execute_unprepared(&insert).await.unwrap();
    }
    connection.close().await.unwrap();
}

fn texts<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|element| element[key].as_str().unwrap()).collect()
}
