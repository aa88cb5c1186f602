//! A socket before its client has proven itself, and pings.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::{closed, start};
use crate::harness::{Database, RawConnection, Service, Socket, TIMEOUT, eventually};

#[tokio::test]
async fn socket_that_sends_much_before_connection_init_is_closed() {
    let service = Service::open().await;
    let mut socket = Socket::connect(service.client(), &[]).await;
    socket.send_frame(Frame::text("x".repeat(20 * 1024))).await;
    assert_eq!(socket.close().await.0, 1009);
    let mut socket = Socket::connect(service.client(), &[]).await;
    let pings = async {
        for _ in 0..10_000 {
            socket.send(json!({ "type": "ping", "payload": { "of": "x".repeat(100) } })).await;
        }
    };
    // It may be closed while it sends.
    let _ = timeout(TIMEOUT, futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(pings))).await;
    service.stop().await;
}

#[tokio::test]
async fn socket_without_proof_gives_way_at_the_cap() {
    let database = Database::fresh();
    let service = start(&database, &[("MAX_CONNECTIONS", "3")]).await;
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(Socket::connect(&service, &[]).await);
    }
    assert_eq!(service.get("/healthz").await.status, 200);
    assert!(closed(&service, "replaced").await >= 7.0);
    service.stop(&database).await;
}

/// The service answers each ping. A client that does not read the answers gets no memory for them.
#[tokio::test(flavor = "multi_thread")]
async fn pings_whose_answers_are_not_read_hold_little_memory() {
    let database = Database::fresh();
    let service = start(&database, &[]).await;
    let mut connection = RawConnection::open_with_small_buffer(&service).await;
    connection
        .write(&format!(
            "GET /graphql/ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
            service.authority()
        ))
        .await;
    assert!(connection.read_until("\r\n\r\n").await.starts_with("HTTP/1.1 101 "));
    // Masked with zeros.
    let frame = |opcode: u8, payload: &str| {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0x80 | opcode, 0x80 | length, 0, 0, 0, 0], payload.as_bytes()].concat()
    };
    connection.write_all(&frame(1, r#"{"type":"connection_init"}"#)).await.unwrap();
    let acknowledged = connection.read_bytes(2 + r#"{"type":"connection_ack"}"#.len()).await.unwrap();
    assert!(acknowledged.ends_with(br#"{"type":"connection_ack"}"#));

    let before = service.memory();
    let pings = frame(9, &"x".repeat(125)).repeat(500);
    let mut sent = 0;
    // Either the service stops reading, or everything is sent.
    while sent < 64 * 1024 * 1024
        && matches!(timeout(Duration::from_secs(1), connection.write_all(&pings)).await, Ok(Ok(())))
    {
        sent += pings.len();
    }
    let grown = service.memory().saturating_sub(before);
    assert!(grown < 16 * 1024 * 1024, "{grown} bytes for {sent}");
    drop(connection);
    eventually("the socket ends", TIMEOUT, async || (service.metric("bidarc_sockets").await == 0.0).then_some(()))
        .await;
    service.stop(&database).await;
}
