//! Frames of HTTP/2. An error ends the stream (`reset`) or the connection (`goaway`), with a code
//! of RFC 9113, 7.

use super::super::http2::{
    CONTINUATION, Connection, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, frame,
};
use super::{Case, Context, Kind, case};
use crate::harness::Client;

const PRIORITY: u8 = 2;
const PUSH_PROMISE: u8 = 5;
const WINDOW_UPDATE: u8 = 8;
const PADDED: u8 = 8;

/// Sends frames. Returns the status of the answer to stream 1, or how it or the connection ends.
pub(super) async fn send(client: &Client, frames: &[u8]) -> String {
    let mut connection = Connection::open(client).await;
    // The service may end the connection before it has read everything.
    let _ = connection.write_all(frames).await;
    while let Some(frame) = connection.next().await {
        let code = |at: usize| {
            frame.payload.get(at..at + 4).map_or(u32::MAX, |code| u32::from_be_bytes(code.try_into().unwrap()))
        };
        match frame.kind {
            RST_STREAM => return format!("reset {}", code(0)),
            GOAWAY if code(4) != 0 => return format!("goaway {}", code(4)),
            // The static table has these statuses.
            HEADERS if frame.stream == 1 => match frame.payload.first() {
                Some(0x88) => return "200".to_owned(),
                Some(0x8c) => return "400".to_owned(),
                Some(0x8d) => return "404".to_owned(),
                _ => return "another status".to_owned(),
            },
            _ => {}
        }
    }
    "closed".to_owned()
}

fn literal(name: &str, value: &[u8]) -> Vec<u8> {
    let length = |length: usize| match u8::try_from(length) {
        Ok(length) if length < 127 => vec![length],
        // An integer with a prefix of 7 bits (RFC 7541, 5.1).
        _ => {
            let mut bytes = vec![127];
            let mut rest = length - 127;
            while rest >= 128 {
                bytes.push(u8::try_from(rest % 128).unwrap() | 128);
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).unwrap());
            bytes
        }
    };
    [vec![0], length(name.len()), name.as_bytes().to_vec(), length(value.len()), value.to_vec()].concat()
}

fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| literal(name, value.as_bytes())).collect()
}

pub(super) fn cases(context: &Context) -> Vec<Case> {
    let authority = context.authority.as_str();
    let get = [(":method", "GET"), (":scheme", "http"), (":path", "/healthz"), (":authority", authority)];
    let with = |more: &[(&str, &str)]| frame(HEADERS, END_HEADERS | END_STREAM, 1, &fields(&[&get, more].concat()));
    let only = |some: &[(&str, &str)]| frame(HEADERS, END_HEADERS | END_STREAM, 1, &fields(some));
    let post = fields(&[(":method", "POST"), (":scheme", "http"), (":path", "/webhooks/x"), (":authority", authority)]);
    let right = with(&[]);
    let after = |bytes: Vec<u8>| [bytes, right.clone()].concat();
    // A name in the dynamic table, and 4,000 references to it.
    let large = [vec![0x40], literal("x", &[b'x'; 3_900])[1..].to_vec()].concat();
    let bomb = [fields(&get), large, vec![0xbe; 4_000]].concat();
    let piece = frame(CONTINUATION, 0, 1, &literal("x", &[b'x'; 15_000]));
    let cases = [
        ("h2: a right request", right.clone(), "200"),
        ("h2: an unknown frame before a request", after(frame(0xfe, 0xff, 0, &[0; 100])), "200"),
        ("h2: an unknown setting", after(frame(SETTINGS, 0, 0, &[0xff, 0xff, 0, 0, 0, 0])), "200"),
        ("h2: a name in upper case", with(&[("X-Upper", "x")]), "goaway 1"),
        ("h2: a name with a line end", with(&[("x\r\ny", "x")]), "goaway 1"),
        ("h2: a value with a line end", with(&[("x", "x\r\nHost: y")]), "goaway 1"),
        ("h2: a value with NUL", with(&[("x", "\0")]), "goaway 1"),
        ("h2: Transfer-Encoding", with(&[("transfer-encoding", "chunked")]), "reset 1"),
        ("h2: Connection", with(&[("connection", "keep-alive")]), "reset 1"),
        ("h2: TE that is not trailers", with(&[("te", "gzip")]), "reset 1"),
        ("h2: a path twice", with(&[(":path", "/webhooks/x")]), "reset 1"),
        ("h2: a pseudo-header after a header", with(&[("x", "x"), (":path", "/")]), "reset 1"),
        ("h2: an unknown pseudo-header", with(&[(":x", "x")]), "goaway 1"),
        ("h2: a pseudo-header of answers", with(&[(":status", "200")]), "reset 1"),
        ("h2: no method", only(&get[1..]), "reset 1"),
        ("h2: no path", only(&[get[0], get[1], get[3]]), "reset 1"),
        ("h2: an empty path", only(&[get[0], get[1], (":path", ""), get[3]]), "reset 1"),
        ("h2: CONNECT", only(&[(":method", "CONNECT"), get[3]]), "404"),
        (
            "h2: a list of headers over 32 KiB",
            [
                frame(HEADERS, END_STREAM, 1, &fields(&get)),
                piece.clone(),
                piece.clone(),
                frame(CONTINUATION, END_HEADERS, 1, &literal("x", &[b'x'; 15_000])),
            ]
            .concat(),
            "another status",
        ),
        ("h2: a bomb of references", frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb), "goaway 11"),
        (
            "h2: a reference to nothing",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff, 0xff, 0xff, 0xff, 0x7f]),
            "goaway 1",
        ),
        (
            "h2: a broken Huffman text",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x00, 0x84, 0xff, 0xff, 0xff, 0xff]),
            "goaway 1",
        ),
        (
            "h2: a length that is less than the body",
            [
                frame(HEADERS, END_HEADERS, 1, &[post.clone(), fields(&[("content-length", "1")])].concat()),
                frame(DATA, END_STREAM, 1, b"xx"),
            ]
            .concat(),
            "reset 1",
        ),
        (
            "h2: a length that is more than the body",
            [
                frame(HEADERS, END_HEADERS, 1, &[post.clone(), fields(&[("content-length", "9")])].concat()),
                frame(DATA, END_STREAM, 1, b"xx"),
            ]
            .concat(),
            "reset 1",
        ),
        ("h2: DATA on stream 0", frame(DATA, 0, 0, b"x"), "goaway 1"),
        ("h2: DATA on an idle stream", frame(DATA, 0, 1, b"x"), "goaway 1"),
        ("h2: HEADERS on an even stream", frame(HEADERS, END_HEADERS | END_STREAM, 2, &fields(&get)), "goaway 1"),
        ("h2: a stream that depends on itself", frame(PRIORITY, 0, 1, &[0, 0, 0, 1, 0]), "reset 1"),
        ("h2: a PRIORITY of 4 bytes", frame(PRIORITY, 0, 1, &[0; 4]), "goaway 1"),
        ("h2: padding beyond the frame", frame(DATA, PADDED, 1, &[200, 0]), "goaway 1"),
        ("h2: a push", frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2]), "goaway 1"),
        ("h2: CONTINUATION without HEADERS", frame(CONTINUATION, END_HEADERS, 1, &[]), "goaway 1"),
        (
            "h2: a frame between HEADERS and CONTINUATION",
            [frame(HEADERS, 0, 1, &fields(&get)), frame(PING, 0, 0, &[0; 8])].concat(),
            "goaway 1",
        ),
        ("h2: a PING of 7 bytes", frame(PING, 0, 0, &[0; 7]), "goaway 1"),
        ("h2: a PING of a stream", frame(PING, 0, 1, &[0; 8]), "goaway 1"),
        ("h2: SETTINGS of 5 bytes", frame(SETTINGS, 0, 0, &[0; 5]), "goaway 1"),
        ("h2: SETTINGS of a stream", frame(SETTINGS, 0, 1, &[]), "goaway 1"),
        ("h2: a window of 2^31", frame(SETTINGS, 0, 0, &[0, 4, 0x80, 0, 0, 0]), "goaway 1"),
        ("h2: a window that grows by 0", frame(WINDOW_UPDATE, 0, 0, &[0; 4]), "goaway 1"),
        ("h2: a window that grows beyond 2^31", frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]), "goaway 3"),
        ("h2: a frame of 16 MiB", [0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1].to_vec(), "goaway 6"),
        ("h2: RST_STREAM of an idle stream", frame(RST_STREAM, 0, 1, &[0; 4]), "goaway 1"),
    ];
    cases.into_iter().map(|(name, frames, answer)| case(name, Kind::Http2(frames), answer)).collect()
}
