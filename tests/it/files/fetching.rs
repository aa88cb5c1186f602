//! The worker: it stores the files of events while their links live, and says why it did not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use serde_json::json;
use sha2::{Digest, Sha256};
use simulator::files::{Fault, FileServer, Options};
use simulator::hook::Vendor;
use simulator::office::Office;

use crate::harness::{Client, Database, Launch, Output, Service, Setup, eventually};

/// How long the files of a test may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A row of the table of files.
#[derive(Debug)]
struct Row {
    kind: String,
    link: String,
    state: String,
    problem: String,
    sha256: String,
}

async fn rows(database: &Database) -> Vec<Row> {
    let sql = "SELECT kind || '|' || link || '|' || state || '|' || COALESCE(sha256, '') || '|' || COALESCE(problem, '') \
               FROM file ORDER BY id";
    let read = |text: String| {
        let mut parts = text.splitn(5, '|').map(str::to_owned);
        let mut next = || parts.next().unwrap();
        let (kind, link, state, sha256, problem) = (next(), next(), next(), next(), next());
        Row { kind, link, state, problem, sha256 }
    };
    database.texts(sql).await.into_iter().map(read).collect()
}

/// Waits until no file waits, and returns all.
pub(crate) async fn wait_for_files(database: &Database, patience: Duration) -> Vec<(String, String, String)> {
    settled_within(database, patience).await.into_iter().map(|row| (row.link, row.state, row.sha256)).collect()
}

async fn settled(database: &Database) -> Vec<Row> {
    settled_within(database, PATIENCE).await
}

async fn settled_within(database: &Database, patience: Duration) -> Vec<Row> {
    eventually("no file waits", patience, async || {
        let rows = rows(database).await;
        (!rows.is_empty() && rows.iter().all(|row| row.state != "PENDING")).then_some(rows)
    })
    .await
}

fn folder(database: &Database) -> PathBuf {
    database.directory().join("files")
}

/// A service that keeps files in a folder of the test.
fn keeping(database: &Database) -> Setup {
    let store = folder(database).to_str().unwrap().to_owned();
    Setup::new().with(|settings| settings.files.store = Some(store))
}

async fn start(change: impl FnOnce(Setup) -> Setup) -> Service {
    let database = Database::fresh();
    change(keeping(&database)).database(database).start().await
}

/// The bytes that are stored under a digest.
fn stored(folder: &Path, sha256: &str) -> Vec<u8> {
    let bytes = std::fs::read(folder.join("sha256").join(&sha256[..2]).join(&sha256[2..])).unwrap();
    assert_eq!(hex::encode(Sha256::digest(&bytes)), sha256);
    bytes
}

/// How many files the folder holds, unfinished uploads included.
fn count_files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
}

/// Posts the hooks of an office until so many drawings were among them.
pub(crate) async fn post_drawings(client: &Client, office: &mut Office, drawings: usize) {
    let mut posted = 0;
    while posted < drawings {
        for hook in office.next_hooks_at(bidarc::clock::Clock::system().now()) {
            posted += usize::from(hook.event.starts_with("drawing."));
            client.post("/webhooks/arcsite", hook.body).await.receipt();
        }
    }
}

pub(crate) fn office(server: &FileServer) -> Office {
    Office::new(3, bidarc::clock::Clock::system().now()).only(Vendor::Arcsite).with_links(server.links())
}

async fn post_drawing(service: &Service, id: u32, pdf: &str) {
    let data = json!({ "id": id, "project_id": 1, "name": "Plan", "pdf_url": pdf }).to_string();
    service.arcsite("drawing.updated", &data).await.accepted();
}

/// Each living file is stored once, byte for byte. A file that is gone has failed for good.
/// A process that was killed may have left so many `unnamed` ones.
pub(crate) fn assert_files(server: &FileServer, folder: &Path, files: &[(String, String, String)], unnamed: usize) {
    let mut digests = std::collections::BTreeSet::new();
    for (link, state, sha256) in files {
        match server.expected(link) {
            Some(bytes) => {
                assert_eq!(state, "STORED", "{link}");
                assert!(stored(folder, sha256) == bytes, "{link} is stored with other bytes");
                digests.insert(sha256.clone());
            }
            None => assert_eq!(state, "FAILED", "{link}"),
        }
    }
    let found = count_files(&folder.join("sha256"));
    assert!((digests.len()..=digests.len() + unnamed).contains(&found), "{found} files of {} contents", digests.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_living_file_is_stored_byte_for_byte() {
    let options = Options { failing: 0.3, lost: 0.1, slow: Duration::from_millis(300), ..Options::default() };
    let server = FileServer::start(options).await.unwrap();
    let service = start(|setup| setup.with(|settings| settings.files.fetches = 20)).await;
    post_drawings(service.client(), &mut office(&server), 8).await;
    let files = wait_for_files(service.database(), PATIENCE).await;
    assert!(files.len() >= 12, "{}", files.len());
    assert_files(&server, &folder(service.database()), &files, 0);
    let metrics = service.get("/metrics").await.body;
    assert!(metrics.contains(r#"bidarc_file_fetches_total{outcome="stored"}"#), "{metrics}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_cannot_be_stored_says_why() {
    let server = FileServer::start(Options { lifetime: TimeDelta::seconds(3), ..Options::default() }).await.unwrap();
    let service = start(|setup| setup).await;
    post_drawing(&service, 1, "https://files.example.com/a.pdf").await;
    for _ in 0..100 {
        server.next(Fault::Status(500));
    }
    post_drawings(service.client(), &mut office(&server), 1).await;
    let rows = settled(service.database()).await;
    assert_eq!(rows[0].state, "REFUSED", "{rows:?}");
    assert!(
        rows[0].problem.contains("files.example.com") && rows[0].problem.contains("files.allowed_hosts"),
        "{rows:?}"
    );
    for row in &rows[1..] {
        assert_eq!(row.state, "EXPIRED", "{rows:?}");
        assert!(row.problem.contains("500"), "the last problem is the reason: {rows:?}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_wait_when_there_is_no_room_or_the_store_fails() {
    let server = FileServer::start(Options::default()).await.unwrap();
    let service = start(|setup| setup.with(|settings| settings.files.max_total_bytes = 1)).await;
    post_drawings(service.client(), &mut office(&server), 2).await;
    // The next attempts are minutes away.
    let database = service.database();
    eventually("all files wait", PATIENCE, async || {
        let rows = rows(database).await;
        rows.iter().all(|row| row.state == "PENDING" && row.problem.contains("files.max_total_bytes")).then_some(())
    })
    .await;
    assert_eq!(server.requests().len(), rows(database).await.len(), "no file is fetched again at once");
    let database = service.stop().await;
    let folder = folder(&database);
    assert_eq!(count_files(&folder), 0);
    let service = keeping(&database).database(database).start().await;
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    execute(service.database(), "UPDATE file SET next_attempt_at = 0").await;
    // One failure is enough to let all files wait.
    let database = service.database();
    eventually("a file waits for the store", PATIENCE, async || {
        let rows = rows(database).await;
        assert!(rows.iter().all(|row| row.state == "PENDING"), "{rows:?}");
        rows.iter().any(|row| row.problem.contains("the store of files failed")).then_some(())
    })
    .await;
    service.stop().await;
}

/// Changes rows as time would.
async fn execute(database: &Database, sql: &str) {
    let connection = database.connect().await;
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

/// Runs `bidarc files …` with the settings of [`keeping`] and this `files.keep_pdf_days`.
async fn run_keeping(database: &Database, days: &str, arguments: &[&str]) -> Output {
    let launch = Launch::new(database.directory()).env("BIDARC_FILES__STORE", folder(database).to_str().unwrap());
    let launch =
        launch.env("BIDARC_FILES__KEEP_PDF_DAYS", days).arg("files").arg("--database-url").arg(&database.url());
    let output = arguments.iter().fold(launch, |launch, argument| launch.arg(argument)).run_within(PATIENCE).await;
    assert!(output.status.success(), "{output:?}");
    output
}

async fn run(database: &Database, arguments: &[&str]) -> Output {
    run_keeping(database, "1", arguments).await
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_fetch_and_prune_where_no_service_runs() {
    let server = FileServer::start(Options::default()).await.unwrap();
    let service = start(|setup| setup.with(|settings| settings.files.max_total_bytes = 1)).await;
    post_drawings(service.client(), &mut office(&server), 2).await;
    let database = service.stop().await;
    assert!(rows(&database).await.iter().all(|row| row.state == "PENDING"));
    let output = run(&database, &["fetch"]).await;
    assert!(output.stdout.starts_with("stored "), "{output:?}");
    let files = wait_for_files(&database, PATIENCE).await;
    assert_files(&server, &folder(&database), &files, 0);

    let pdfs = i64::try_from(rows(&database).await.iter().filter(|row| row.kind == "PDF").count()).unwrap();
    execute(&database, "UPDATE file SET stored_at = 1").await;
    let off = run_keeping(&database, "0", &["prune", "--dry-run"]).await;
    assert!(off.stdout.starts_with("retention is off: set files.keep_pdf_days"), "{off:?}");
    let listed = run(&database, &["prune", "--dry-run"]).await;
    assert!(listed.stdout.contains(&format!("{pdfs} files of ")), "{listed:?}");
    assert_files(&server, &folder(&database), &files, 0);
    let pruned = run(&database, &["prune"]).await;
    assert_eq!(pruned.stdout, format!("removed {pdfs} files\n"));
    let rows = rows(&database).await;
    for row in &rows {
        let (state, problem) = if row.kind == "PDF" { ("EXPIRED", "files.keep_pdf_days") } else { ("STORED", "") };
        assert!(
            row.state == state && row.problem.contains(problem) && row.sha256.is_empty() == (state == "EXPIRED"),
            "{row:?}"
        );
    }
    let kept: std::collections::BTreeSet<&str> =
        rows.iter().map(|row| row.sha256.as_str()).filter(|sha| !sha.is_empty()).collect();
    assert_eq!(count_files(&folder(&database).join("sha256")), kept.len());
}

/// A host that takes connections and never answers holds its own slots alone, however many files it
/// has and however near their deadlines are.
#[tokio::test(flavor = "multi_thread")]
async fn many_files_of_a_silent_host_do_not_hide_those_of_another() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = FileServer::start(Options::default()).await.unwrap();
    let service = start(|setup| setup).await;
    post_drawing(&service, 1, &format!("http://{}/plan.pdf", silent.local_addr().unwrap())).await;
    execute(service.database(), "UPDATE file SET link_expires_at = link_expires_at - 3600000000").await;
    let columns = "event_seq, role, kind, link_hash, link_expires_at, state, attempts, next_attempt_at";
    execute(
        service.database(),
        &format!(
            "INSERT INTO file (id, link, {columns}) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
             WHERE i < 1100) SELECT 1000000 + i, link, {columns} FROM file, n WHERE id = 1"
        ),
    )
    .await;
    let mut office = office(&server);
    let mut hooks = std::iter::repeat_with(|| office.next_hooks_at(bidarc::clock::Clock::system().now())).flatten();
    let drawing = hooks.find(|hook| hook.event.starts_with("drawing.")).unwrap();
    let body = drawing.body.replace("http://127.0.0.1:", "http://localhost:");
    service.client().post("/webhooks/arcsite", body).await.receipt();
    let database = service.database();
    eventually("the files of the other host are stored", PATIENCE, async || {
        let states = database.texts("SELECT state FROM file WHERE link LIKE 'http://localhost%'").await;
        (!states.is_empty() && states.iter().all(|state| state == "STORED")).then_some(())
    })
    .await;
    let waiting = "SELECT COUNT(*) FROM file WHERE state = 'PENDING'";
    assert_eq!(database.numbers(waiting).await, [1101]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn command_lets_a_running_service_fetch() {
    let server = FileServer::start(Options::default()).await.unwrap();
    let service = start(|setup| setup).await;
    post_drawings(service.client(), &mut office(&server), 1).await;
    let files = wait_for_files(service.database(), PATIENCE).await;
    let database = service.database();
    std::fs::remove_dir_all(folder(database).join("sha256")).unwrap();
    execute(database, "UPDATE file SET state = 'FAILED', sha256 = NULL, size_bytes = NULL, stored_at = NULL").await;
    let output = run(database, &["fetch"]).await;
    // On PostgreSQL the command may be the first to get the lock, and fetches itself.
    let count = files.len();
    let (handed_over, fetched) = (
        format!("{count} files are due; the running service fetches them\n"),
        format!("stored {count} of {count} files\n"),
    );
    let may_fetch = !database.url().starts_with("sqlite:");
    assert!(output.stdout == handed_over || may_fetch && output.stdout == fetched, "{output:?}");
    let files = wait_for_files(database, PATIENCE).await;
    assert_files(&server, &folder(database), &files, 0);
    service.stop().await;
}
