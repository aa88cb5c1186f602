//! Standard output and standard error are a pipe that is not read. Requests and the stop go on;
//! lines of the log are dropped and counted.

use std::io::{PipeReader, Read, Write};
use std::sync::{Arc, Mutex};

use crate::harness::{Database, HttpResponse, Launch, TIMEOUT, eventually, reserved_port};

/// The size of a pipe on Linux.
const PIPE_BYTES: usize = 64 * 1024;

/// More lines than the service keeps.
const LINES: usize = 5000;

/// A full pipe.
fn full_pipe() -> (PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b'.'; PIPE_BYTES]).unwrap();
    (reader, writer)
}

/// Writes a line of the log for each request.
async fn write_log_lines(client: &crate::harness::Client) {
    let posts = (0..8).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..LINES / 8 + 1 {
                assert_eq!(client.post("/webhooks/arcsite/wrong", "").await.status, 404);
            }
        })
    });
    for post in posts.collect::<Vec<_>>() {
        post.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_that_is_not_read_delays_nothing_and_its_dropped_lines_are_counted() {
    let database = Database::fresh();
    let (mut reader, writer) = full_pipe();
    // At this level each refused delivery has a line.
    let launch = Launch::new(database.directory()).env("BIDARC_LOG__FILTER", "info,bidarc=debug");
    let service = launch.serve_into(writer, reserved_port().await, &database).await;
    write_log_lines(&service).await;
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    // They are counted once a second, so the first count may have come while lines were dropped.
    eventually("dropped lines are counted", TIMEOUT, async || {
        (service.metric("bidarc_log_lines_dropped_total").await >= 100.0).then_some(())
    })
    .await;

    // Once the pipe is read, the log says how many lines are missing.
    let log = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&log);
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut chunk) {
            sink.lock().unwrap().extend_from_slice(&chunk[..count]);
        }
    });
    eventually("the log names the dropped lines", TIMEOUT, async || {
        let log = log.lock().unwrap();
        let is_named = String::from_utf8_lossy(&log).contains("lines of the log were dropped");
        is_named.then_some(())
    })
    .await;
    service.stop(&database).await;
}

#[tokio::test]
async fn log_that_is_not_read_does_not_delay_the_stop() {
    let database = Database::fresh();
    let (_reader, writer) = full_pipe();
    let service = Launch::new(database.directory()).serve_into(writer, reserved_port().await, &database).await;
    let request = service.request(reqwest::Method::POST, "/webhooks/arcsite/wrong");
    assert_eq!(HttpResponse::of(request).await.status, 404);
    service.stop(&database).await;
}
