//! Heads that do not come, or are too large, and connections without a request.

use std::time::Duration;

use super::{closed, get_health, start};
use crate::harness::{Database, RawConnection, TIMEOUT, eventually};

#[tokio::test]
async fn head_that_is_not_whole_in_time_ends_its_connection() {
    let database = Database::fresh();
    let service = start(&database, &[("IDLE_TIMEOUT_SECONDS", "600")]).await;
    let mut silent = RawConnection::open(&service).await;
    let mut half = RawConnection::open(&service).await;
    half.write("POST /webhooks/arcsite HTTP/1.1\r\nHost:").await;
    let mut later = RawConnection::open(&service).await;
    get_health(&service, &mut later).await;
    later.write("G").await;
    let mut dripping = RawConnection::open(&service).await;
    eventually("a dripping head is cut off", TIMEOUT, async || {
        // A byte every 10 ms.
        dripping.write_all(b"x").await.err()
    })
    .await;
    for connection in [&mut silent, &mut half, &mut later] {
        assert_eq!(connection.read_to_end().await, "");
    }
    assert_eq!(closed(&service, "head_timeout").await, 4.0);
    service.stop(&database).await;
}

/// A parser that takes the length would see a second request here. It gets no answer.
#[tokio::test]
async fn connection_with_a_length_and_a_coding_ends_with_its_answer() {
    let database = Database::fresh();
    let service = start(&database, &[]).await;
    let host = service.authority();
    let (length, coding) = ("Content-Length: 100\r\n", "Transfer-Encoding: chunked\r\n");
    for headers in [format!("{length}{coding}"), format!("{coding}{length}")] {
        let mut connection = RawConnection::open(&service).await;
        let second = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
        connection.write(&format!("POST /webhooks/x HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n0\r\n\r\n{second}")).await;
        let answers = connection.read_to_end().await;
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{headers}: {answers}");
        assert!(answers.starts_with("HTTP/1.1 404 "), "{answers}");
    }
    service.stop(&database).await;
}

#[tokio::test]
async fn idle_connection_is_closed_after_its_time_out() {
    let database = Database::fresh();
    let service = start(&database, &[("HEAD_TIMEOUT_SECONDS", "600")]).await;
    let mut connection = RawConnection::open(&service).await;
    get_health(&service, &mut connection).await;
    get_health(&service, &mut connection).await;
    assert_eq!(connection.read_to_end().await, "");
    // The client's own connection may be another one.
    assert!(closed(&service, "idle_timeout").await >= 1.0);
    service.stop(&database).await;
}

/// A socket and an event stream are not idle.
#[tokio::test]
async fn open_stream_is_not_closed_by_the_time_outs() {
    let database = Database::fresh();
    let service = start(&database, &[]).await;
    let mut socket = service.subscribe("subscription { events { id } }").await;
    let mut idle = RawConnection::open(&service).await;
    get_health(&service, &mut idle).await;
    assert_eq!(idle.read_to_end().await, "");
    let mut silent = RawConnection::open(&service).await;
    assert_eq!(silent.read_to_end().await, "");
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    assert_eq!(socket.next().await["events"]["id"], "event:1");
    socket.complete().await;
    service.stop(&database).await;
}

#[tokio::test]
async fn head_over_the_limit_is_431() {
    let database = Database::fresh();
    let service = start(&database, &[("HEAD_TIMEOUT_SECONDS", "600"), ("IDLE_TIMEOUT_SECONDS", "600")]).await;
    for (header, status) in [
        (format!("X: {}\r\n", "x".repeat(30 * 1024)), "200"),
        (format!("X: {}\r\n", "x".repeat(33 * 1024)), "431"),
        ("X: x\r\n".repeat(5000), "431"),
        ("X: x\r\n".repeat(150), "431"),
    ] {
        let mut connection = RawConnection::open(&service).await;
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n{header}\r\n", service.authority());
        // The service may answer before it has read everything.
        let _ = connection.write_all(request.as_bytes()).await;
        let answer = connection.read_until("\r\n\r\n").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{}: {answer}", header.len());
    }
    // A head without an end is answered as well.
    let mut endless = RawConnection::open(&service).await;
    endless.write("GET / HTTP/1.1\r\nX: ").await;
    let piece = [b'x'; 1024];
    eventually("an endless head is cut off", TIMEOUT, async || endless.write_all(&piece).await.err()).await;
    assert!(!endless.is_silent_for(Duration::from_secs(5)).await);
    service.stop(&database).await;
}
