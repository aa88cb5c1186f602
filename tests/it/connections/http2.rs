//! HTTP/2 by prior knowledge, on the same port.

use std::time::Duration;

use tokio::time::timeout;

use super::{closed, start};
use crate::harness::{Client, Database, Process, RawConnection, TIMEOUT, eventually, fixture};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const CONTINUATION: u8 = 9;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
const REFUSED_STREAM: u32 = 7;

/// A connection that writes every frame itself.
pub(super) struct Connection(RawConnection);

pub(super) struct Frame {
    pub(super) kind: u8,
    flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The headers of a request, with literal values.
fn request(method: &str, path: &str, service: &Client) -> Vec<u8> {
    let literal =
        |index: u8, value: &str| [&[0x40 | index, u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
    // The static table has `:method` at 2, `:path` at 4, `:authority` at 1, and `:scheme: http`
    // at 6.
    [literal(2, method), literal(4, path), literal(1, service.authority()), vec![0x86]].concat()
}

impl Connection {
    pub(super) async fn open(service: &Client) -> Self {
        Self::open_with_settings(service, &[]).await
    }

    async fn open_with_settings(service: &Client, settings: &[u8]) -> Self {
        let mut connection = RawConnection::open(service).await;
        connection.write_all(PREFACE).await.unwrap();
        connection.write_all(&frame(SETTINGS, 0, 0, settings)).await.unwrap();
        Self(connection)
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.0.write_all(&frame(kind, flags, stream, payload)).await.unwrap();
    }

    /// Writes bytes. Fails if the service ends the connection.
    pub(super) async fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// The next frame; none at the end of the connection.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        let head = self.0.read_bytes(9).await?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let payload = self.0.read_bytes(length).await?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// Reads until a frame of this kind and stream.
    async fn until(&mut self, kind: u8, stream: u32) -> Frame {
        loop {
            let frame = self.next().await.expect("the connection goes on");
            if (frame.kind, frame.stream) == (kind, stream) {
                return frame;
            }
        }
    }

    /// Reads until the service closes the connection. Returns whether it said so before.
    async fn read_to_end(&mut self) -> bool {
        let mut has_goaway = false;
        while let Some(frame) = self.next().await {
            has_goaway |= frame.kind == GOAWAY;
        }
        has_goaway
    }
}

/// Settings that end no connection of a test but by its subject.
const LONG: [(&str, &str); 2] = [("HEAD_TIMEOUT_SECONDS", "600"), ("IDLE_TIMEOUT_SECONDS", "600")];

async fn start_long(database: &Database) -> Process {
    start(database, &LONG).await
}

#[tokio::test]
async fn delivery_and_query_over_http2_are_answered() {
    let database = Database::fresh();
    let service = start_long(&database).await;
    let mut connection = Connection::open(&service).await;
    let body = fixture("arcsite/project_created.json");
    connection.send(HEADERS, END_HEADERS, 1, &request("POST", "/webhooks/arcsite", &service)).await;
    connection.send(DATA, END_STREAM, 1, body.as_bytes()).await;
    let answer = connection.until(DATA, 1).await;
    assert_eq!(answer.payload, br#"{"outcome":"ACCEPTED","eventId":"event:1"}"#);
    assert_eq!(answer.flags & END_STREAM, END_STREAM);
    // Sockets are HTTP/1.1.
    connection.send(HEADERS, END_HEADERS | END_STREAM, 3, &request("GET", "/graphql/ws", &service)).await;
    let refused = connection.until(HEADERS, 3).await;
    assert_eq!(refused.flags & END_HEADERS, END_HEADERS);
    assert_eq!(service.event_count().await, 1);
    service.stop(&database).await;
}

/// Each stream is a request in progress, because its body is not whole.
#[tokio::test]
async fn stream_101_of_a_connection_is_refused() {
    let database = Database::fresh();
    let service = start(&database, &[LONG[0], LONG[1], ("BODY_TIMEOUT_SECONDS", "600")]).await;
    let mut connection = Connection::open(&service).await;
    connection.until(SETTINGS, 0).await;
    let head = request("POST", "/webhooks/arcsite", &service);
    let streams: Vec<u32> = (0..101).map(|index| 2 * index + 1).collect();
    for stream in &streams {
        connection.send(HEADERS, END_HEADERS, *stream, &head).await;
    }
    let refused = connection.until(RST_STREAM, streams[100]).await;
    assert_eq!(refused.payload, REFUSED_STREAM.to_be_bytes());
    // The others go on.
    connection.send(DATA, END_STREAM, streams[99], br#"{"event":"project.created","data":{"id":1}}"#).await;
    connection.until(DATA, streams[99]).await;
    service.stop(&database).await;
}

#[tokio::test]
async fn streams_reset_at_once_end_the_connection() {
    let database = Database::fresh();
    let service = start_long(&database).await;
    let mut connection = Connection::open(&service).await;
    let head = request("GET", "/healthz", &service);
    let mut frames = Vec::new();
    for index in 0..10_000 {
        frames.extend(frame(HEADERS, END_HEADERS | END_STREAM, 2 * index + 1, &head));
        frames.extend(frame(RST_STREAM, 0, 2 * index + 1, &8_u32.to_be_bytes()));
    }
    // The service may close the connection before it has read everything.
    let _ = connection.0.write_all(&frames).await;
    connection.read_to_end().await;
    assert_eq!(service.get("/healthz").await.status, 200);
    service.stop(&database).await;
}

#[tokio::test]
async fn headers_without_end_or_too_long_end_the_connection_or_the_stream() {
    let database = Database::fresh();
    let service = start_long(&database).await;
    let mut endless = Connection::open(&service).await;
    endless.send(HEADERS, 0, 1, &request("GET", "/healthz", &service)).await;
    // A header of 16,000 bytes in each frame.
    let piece = frame(CONTINUATION, 0, 1, &[&[0x00, 0x01, b'x', 0x7f, 0x81, 0x7c][..], &[b'x'; 16_000]].concat());
    let cut_off = async { while endless.0.write_all(&piece).await.is_ok() {} };
    timeout(TIMEOUT, cut_off).await.expect("endless headers are cut off");
    let mut empty = Connection::open(&service).await;
    empty.send(HEADERS, 0, 1, &request("GET", "/healthz", &service)).await;
    let piece = frame(CONTINUATION, 0, 1, &[]).repeat(100);
    let cut_off = async { while empty.0.write_all(&piece).await.is_ok() {} };
    timeout(TIMEOUT, cut_off).await.expect("endless empty frames are cut off");
    service.stop(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_of_control_frames_ends_the_connection() {
    let database = Database::fresh();
    let service = start_long(&database).await;
    for flood in [frame(SETTINGS, 0, 0, &[]), frame(PING, 0, 0, &[0; 8])] {
        let mut connection = Connection::open(&service).await;
        // It does not read the answers, or it does.
        let frames = flood.repeat(2000);
        eventually("the flood is cut off", TIMEOUT, async || {
            timeout(Duration::from_secs(5), connection.0.write_all(&frames)).await.ok()?.err()
        })
        .await;
    }
    service.stop(&database).await;
}

#[tokio::test]
async fn half_head_and_silence_over_http2_end_the_connection() {
    let database = Database::fresh();
    let service = start(&database, &[]).await;
    let mut silent = Connection::open(&service).await;
    let mut half = Connection::open(&service).await;
    half.send(HEADERS, 0, 1, &request("GET", "/healthz", &service)).await;
    let mut idle = Connection::open(&service).await;
    idle.send(HEADERS, END_HEADERS | END_STREAM, 1, &request("GET", "/healthz", &service)).await;
    assert_eq!(idle.until(DATA, 1).await.payload, b"ok\n");
    for connection in [&mut silent, &mut half, &mut idle] {
        connection.read_to_end().await;
    }
    assert_eq!(closed(&service, "head_timeout").await, 2.0);
    service.stop(&database).await;
}

/// In HTTP/2 a client can stop an answer without stopping the connection.
#[tokio::test]
async fn answer_without_room_is_cut_off_after_the_write_time_out() {
    let database = Database::fresh();
    let service = start_long(&database).await;
    // SETTINGS_INITIAL_WINDOW_SIZE is 0.
    let mut connection = Connection::open_with_settings(&service, &[0, 4, 0, 0, 0, 0]).await;
    connection.send(HEADERS, END_HEADERS | END_STREAM, 1, &request("GET", "/playground", &service)).await;
    connection.until(HEADERS, 1).await;
    connection.read_to_end().await;
    assert_eq!(closed(&service, "write_timeout").await, 1.0);
    service.stop(&database).await;
}

#[tokio::test]
async fn stop_ends_idle_connections_of_http2() {
    let database = Database::fresh();
    let service = start_long(&database).await;
    let mut connection = Connection::open(&service).await;
    connection.send(HEADERS, END_HEADERS | END_STREAM, 1, &request("GET", "/healthz", &service)).await;
    connection.until(DATA, 1).await;
    // `stop` waits less than the grace time.
    service.stop(&database).await;
    assert!(connection.read_to_end().await);
}
