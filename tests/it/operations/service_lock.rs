//! One SQLite file has one service. Commands work beside it.

use std::path::Path;

use tokio::task::JoinSet;

use crate::harness::{Database, Launch, Process, TIMEOUT, within};

fn serve(url: &str, directory: &Path) -> Launch {
    Launch::new(directory).arg("--listen").arg("127.0.0.1:0").arg("--database-url").arg(url)
}

#[tokio::test]
async fn second_service_is_refused_with_the_process_of_the_first() {
    let database = Database::in_file();
    let first = Process::start(0, &database).await;
    let link = database.directory().join("link.db");
    std::os::unix::fs::symlink(database.file(""), &link).unwrap();
    for url in [database.url(), format!("sqlite://{}", link.display()), "sqlite:///proc/self/cwd/bidarc.db".to_owned()]
    {
        let second = serve(&url, database.directory()).run().await;
        assert_eq!((second.status.code(), second.stdout.as_str()), (Some(1), ""), "{url}: {second:?}");
        let holder = format!("process {} on the machine ", first.id());
        assert!(
            second.stderr.contains(&holder) && second.stderr.contains(" already and holds its lock, "),
            "{url}: {second:?}"
        );
    }
    // The first one does not notice, and commands work beside it.
    first.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    for command in [&["keys", "list"][..], &["rebuild"]] {
        let launch = Launch::new(database.directory()).arg("--database-url").arg(&database.url());
        let output = command.iter().fold(launch, |launch, argument| launch.arg(argument)).run().await;
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
    first.stop(&database).await;
}

#[tokio::test]
async fn lock_ends_with_its_holder_however_that_ends() {
    let database = Database::in_file();
    Process::start(0, &database).await.kill().await;
    Process::start(0, &database).await.stop(&database).await;
    let service = Process::start(0, &database).await;
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    service.stop(&database).await;
}

#[tokio::test]
async fn of_services_that_start_at_once_one_serves() {
    const STARTS: usize = 4;
    let database = Database::in_file();
    let mut starts = JoinSet::new();
    for _ in 0..STARTS {
        starts.spawn(serve(&database.url(), database.directory()).run_within(TIMEOUT * 10));
    }
    for _ in 1..STARTS {
        let refused = within("a service is refused", starts.join_next()).await.unwrap().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(refused.stderr.contains("serves") && refused.stderr.contains("process "), "{refused:?}");
    }
    let last = serve(&database.url(), database.directory()).run().await;
    assert!(last.stderr.contains("serves"), "none of the services has the lock: {last:?}");
}

/// A cleaner of temporary files must not let a second service in.
#[tokio::test]
async fn deleted_file_of_the_lock_is_made_again() {
    let database = Database::in_file();
    let service = Process::start(0, &database).await;
    std::fs::remove_file(database.file("-lock")).unwrap();
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    let second = serve(&database.url(), database.directory()).run().await;
    assert!(second.stderr.contains(&format!("process {} ", service.id())), "{second:?}");

    // If another process was faster, this one no longer accepts.
    std::fs::remove_file(database.file("-lock")).unwrap();
    let other = std::fs::File::create(database.file("-lock")).unwrap();
    other.lock().unwrap();
    let response = service.post("/webhooks/arcsite", r#"{"event":"project.created","data":{"id":2}}"#).await;
    assert_eq!(response.status, 503, "{response:?}");
    other.unlock().unwrap();
    service.arcsite("project.created", r#"{"id":2}"#).await;
    service.stop(&database).await;
}

#[tokio::test]
async fn copy_into_the_file_of_a_running_service_is_refused() {
    let (from, to) = (Database::in_file(), Database::in_file());
    Process::start(0, &from).await.stop(&from).await;
    let service = Process::start(0, &to).await;
    let copy = Launch::new(from.directory()).arg("copy").arg("--database-url").arg(&from.url());
    let output = copy.arg("--to").arg(&to.url()).run().await;
    assert!(output.stderr.contains(&format!("process {} ", service.id())), "{output:?}");
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{output:?}");
    service.stop(&to).await;
}
