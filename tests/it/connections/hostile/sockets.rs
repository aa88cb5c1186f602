//! WebSockets, with both sub-protocols. Each case ends with the close code of the service.

use super::{Case, Context, Kind, case};
use crate::harness::{Client, RawConnection, within};

const NEWER: &str = "graphql-transport-ws";
const OLDER: &str = "graphql-ws";
pub(super) const PROTOCOLS: [&str; 2] = [NEWER, OLDER];

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FINAL: u8 = 0x80;
const RESERVED_BITS: u8 = 0x70;
const MASKED: u8 = 0x80;

const LIVE: &str = "subscription { events { id } }";

/// The largest message.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// How a socket begins.
pub(super) struct Opening {
    pub(super) protocol: &'static str,
    /// Further headers of its request.
    pub(super) headers: String,
    /// The token with which it authenticates itself.
    pub(super) token: Option<String>,
}

/// Opens a socket and sends frames. Returns the close code of the service, or `closed`.
pub(super) async fn send(client: &Client, opening: &Opening, frames: &[u8]) -> String {
    let mut connection = RawConnection::open(client).await;
    connection
        .write(&format!(
            "GET /graphql/ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {}\r\n{}\r\n",
            client.authority(),
            opening.protocol,
            opening.headers,
        ))
        .await;
    read_past(&mut connection, b"\r\n\r\n").await;
    if let Some(token) = &opening.token {
        connection.write_all(&init(token)).await.unwrap();
        read_past(&mut connection, br#"{"type":"connection_ack"}"#).await;
    }
    // The service may close the socket before it has read everything.
    let _ = connection.write_all(frames).await;
    within("the socket ends", close_code(&mut connection)).await.map_or("closed".to_owned(), |code| code.to_string())
}

async fn read_past(connection: &mut RawConnection, end: &[u8]) {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        read.extend(connection.read_bytes(1).await.expect("the socket opens"));
    }
}

/// `connection_init` of a page, whose socket has a cookie.
pub(super) fn init_without_token() -> Vec<u8> {
    text(r#"{"type":"connection_init"}"#)
}

fn init(token: &str) -> Vec<u8> {
    text(serde_json::json!({ "type": "connection_init", "payload": { "token": token } }).to_string())
}

async fn close_code(connection: &mut RawConnection) -> Option<u16> {
    loop {
        let head = connection.read_bytes(2).await?;
        let length = match head[1] {
            126 => u16::from_be_bytes(connection.read_bytes(2).await?.try_into().unwrap()).into(),
            127 => usize::try_from(u64::from_be_bytes(connection.read_bytes(8).await?.try_into().unwrap())).unwrap(),
            length => length.into(),
        };
        let payload = connection.read_bytes(length).await?;
        if head[0] == FINAL | CLOSE {
            return payload.get(..2).map(|code| u16::from_be_bytes(code.try_into().unwrap()));
        }
    }
}

/// A frame, masked with zeros.
fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let length = match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length), _) if length < 126 => vec![MASKED | length],
        (_, Ok(length)) => [&[MASKED | 126][..], &length.to_be_bytes()].concat(),
        _ => [&[MASKED | 127][..], &u64::try_from(payload.len()).unwrap().to_be_bytes()].concat(),
    };
    [&[first][..], &length, &[0; 4], payload].concat()
}

fn text(message: impl AsRef<[u8]>) -> Vec<u8> {
    frame(FINAL | TEXT, message)
}

fn close(code: u16) -> Vec<u8> {
    frame(FINAL | CLOSE, code.to_be_bytes())
}

pub(super) fn cases(context: &Context) -> Vec<Case> {
    let mut cases = openings(context);
    let mut add = |protocol, token, table: Vec<Row>| {
        for (name, frames, answer) in table {
            let opening = Opening { protocol, headers: String::new(), token: Option::clone(&token) };
            cases.push(case(name, Kind::Socket(opening, frames), answer));
        }
    };
    add(NEWER, None, frame_cases());
    for (protocol, start) in [(NEWER, "subscribe"), (OLDER, "start")] {
        add(protocol, None, init_cases(start));
        add(protocol, Some(context.token.clone()), message_cases(&context.token, start));
    }
    add(NEWER, Some(context.token.clone()), newer_cases());
    add(OLDER, Some(context.token.clone()), older_cases());
    cases
}

/// The name, the frames and the answer of a case.
type Row = (&'static str, Vec<u8>, &'static str);

/// Requests for a socket.
fn openings(context: &Context) -> Vec<Case> {
    let open = |headers: &str| {
        context.get(
            "/graphql/ws",
            &format!("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: {NEWER}\r\n{headers}"),
        )
    };
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    vec![
        case("socket without a key of its own", open("Sec-WebSocket-Version: 13\r\n"), "400"),
        case("socket of another version", open(&format!("{key}Sec-WebSocket-Version: 8\r\n")), "400"),
        case(
            "socket of another site",
            open(&format!("{key}Sec-WebSocket-Version: 13\r\nOrigin: https://evil.example\r\n")),
            "403",
        ),
        case("socket by POST", context.post("/graphql/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n", ""), "405"),
        case(
            "socket of an unknown protocol",
            Kind::Socket(Opening { protocol: "x", headers: String::new(), token: None }, Vec::new()),
            "4406",
        ),
        case(
            "socket of 5,000 protocols",
            open(&format!("{key}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {}\r\n", "x,".repeat(5_000))),
            "101",
        ),
    ]
}

/// Frames that no protocol allows.
fn frame_cases() -> Vec<Row> {
    let ping = frame(FINAL | PING, "x".repeat(125));
    vec![
        ("frame without a mask", [&[FINAL | TEXT, 2][..], b"{}"].concat(), "1002"),
        ("frame of 2^63 bytes", [&[FINAL | TEXT, MASKED | 127][..], &[0x7f; 8], &[0; 4]].concat(), "1009"),
        (
            "frame over the limit",
            [&[FINAL | TEXT, MASKED | 127][..], &(MESSAGE_BYTES_MAX as u64 + 1).to_be_bytes(), &[0; 4]].concat(),
            "1009",
        ),
        (
            "message over the limit in fragments",
            [frame(TEXT, "x".repeat(8_000)), frame(0, "x".repeat(8_000)).repeat(40)].concat(),
            "1009",
        ),
        ("control frame in fragments", frame(PING, "x"), "1002"),
        ("control frame of 126 bytes", frame(FINAL | PING, "x".repeat(126)), "1002"),
        ("control frame between fragments", [frame(TEXT, "{"), ping.clone(), frame(FINAL, "}")].concat(), "4400"),
        ("fragment without a beginning", frame(FINAL, "x"), "1002"),
        ("message inside a message", [frame(TEXT, "{"), text("{}")].concat(), "1002"),
        ("reserved bits", frame(FINAL | RESERVED_BITS | TEXT, "{}"), "1002"),
        ("reserved opcode", frame(FINAL | 3, ""), "1002"),
        ("reserved control opcode", frame(FINAL | 11, ""), "1002"),
        ("text that is not UTF-8", text(b"\xff"), "1007"),
        ("text that ends inside a character", text(b"\xe2\x82"), "1007"),
        ("binary message", frame(FINAL | BINARY, "{}"), "4400"),
        ("empty message", text(""), "4400"),
        ("10,000 empty fragments", [frame(TEXT, ""), frame(0, "").repeat(10_000)].concat(), "1009"),
        ("pong without a ping", [frame(FINAL | PONG, "x"), close(1000)].concat(), "1000"),
        ("flood of pings before a key", ping.repeat(1_000), "1009"),
        ("close without a code", frame(FINAL | CLOSE, ""), "closed"),
        ("close with a byte", frame(FINAL | CLOSE, "x"), "1002"),
        ("close code 0", close(0), "1002"),
        ("close code 999", close(999), "1002"),
        ("close code that is never sent", close(1005), "1002"),
        ("close code 65535", close(65535), "1002"),
        ("close reason that is not UTF-8", frame(FINAL | CLOSE, b"\x03\xe8\xff"), "1007"),
        ("close twice", close(1000).repeat(2), "1000"),
        ("request of HTTP in a socket", b"GET / HTTP/1.1\r\n\r\n".to_vec(), "1002"),
    ]
}

fn operation(start: &str, id: &str, query: &str) -> Vec<u8> {
    text(serde_json::json!({ "type": start, "id": id, "payload": { "query": query } }).to_string())
}

/// Messages before a socket is acknowledged.
fn init_cases(start: &str) -> Vec<Row> {
    vec![
        ("operation before connection_init", operation(start, "1", LIVE), "4401"),
        ("wrong key", text(r#"{"type":"connection_init","payload":{"token":"wrong"}}"#), "4403"),
        ("key that is no text", text(r#"{"type":"connection_init","payload":{"Authorization":["Bearer x"]}}"#), "4403"),
        ("no key", text(r#"{"type":"connection_init"}"#), "4403"),
        ("payload that is no object", text(r#"{"type":"connection_init","payload":[]}"#), "4400"),
        (
            "payload of 5,000 levels",
            text(format!(
                r#"{{"type":"connection_init","payload":{{"a":{}{}}}}}"#,
                "[".repeat(5_000),
                "]".repeat(5_000)
            )),
            "4400",
        ),
    ]
}

/// Messages after it, which no sub-protocol allows, or too many of them.
fn message_cases(token: &str, start: &str) -> Vec<Row> {
    let subscribe = |id: &str, query: &str| operation(start, id, query);
    vec![
        ("connection_init twice", init(token), "4429"),
        ("message that is no JSON", text("hello"), "4400"),
        ("message that is a list", text("[]"), "4400"),
        ("message without a type", text("{}"), "4400"),
        ("type twice", text(r#"{"type":"ping","type":"connection_init"}"#), "4400"),
        ("message of the service", text(r#"{"type":"connection_ack"}"#), "4400"),
        (
            "lone surrogate in an id",
            text(format!(r#"{{"type":"{start}","id":"\ud800","payload":{{"query":"{{headCursor}}"}}}}"#)),
            "4400",
        ),
        (
            "operation without an id",
            text(format!(r#"{{"type":"{start}","payload":{{"query":"{{headCursor}}"}}}}"#)),
            "4400",
        ),
        (
            "operation with a number as its id",
            text(format!(r#"{{"type":"{start}","id":1,"payload":{{"query":"{{headCursor}}"}}}}"#)),
            "4400",
        ),
        ("operation without a payload", text(format!(r#"{{"type":"{start}","id":"1"}}"#)), "4400"),
        ("document of braces over a socket", [subscribe("1", &"{".repeat(200_000)), close(1000)].concat(), "1000"),
        ("id of 200,000 letters", [subscribe(&"x".repeat(200_000), "{ headCursor }"), close(1000)].concat(), "1000"),
        (
            "1,000 operations",
            [(0..1_000).flat_map(|id| subscribe(&id.to_string(), LIVE)).collect(), close(1000)].concat(),
            "1000",
        ),
        ("flood of pings of the socket", [frame(FINAL | PING, "x").repeat(20_000), close(1000)].concat(), "1000"),
        ("messages of 256 KiB", [text(format!("{}{{}}", " ".repeat(MESSAGE_BYTES_MAX - 2)))].concat(), "4400"),
        ("2,000 operations with one id", subscribe("1", LIVE).repeat(2_000), "4409"),
    ]
}

fn newer_cases() -> Vec<Row> {
    vec![
        (
            "end of an operation that never began",
            [text(r#"{"type":"complete","id":"9"}"#), close(1000)].concat(),
            "1000",
        ),
        ("flood of pings of the protocol", [text(r#"{"type":"ping"}"#).repeat(20_000), close(1000)].concat(), "1000"),
        ("message of the service with data", text(r#"{"type":"next","id":"1","payload":{}}"#), "4400"),
    ]
}

fn older_cases() -> Vec<Row> {
    vec![
        ("stop of an operation that never began", [text(r#"{"type":"stop","id":"9"}"#), close(1000)].concat(), "1000"),
        (
            "operation after the end",
            [text(r#"{"type":"connection_terminate"}"#), operation("start", "1", LIVE)].concat(),
            "1000",
        ),
        ("message of the newer protocol", operation("subscribe", "1", LIVE), "4400"),
    ]
}
