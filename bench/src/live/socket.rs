//! A subscriber over `graphql-transport-ws` or over server-sent events that does as little work as
//! possible, because the cost of the load slows the server down. Its masking key on a socket is
//! zero, which leaves the payload unchanged.

use std::net::SocketAddr;
use std::ops::Range;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;

/// How a subscription reaches its client.
#[derive(Clone, Copy)]
pub(crate) enum Transport {
    Socket,
    EventStream,
}

/// The first line of an event, and its end.
const EVENT: (&[u8], &[u8]) = (b"event: next\n", b"\n\n");

/// An open subscription.
pub(crate) struct Subscriber {
    transport: Transport,
    stream: TcpStream,
    /// Bytes received. The unread ones begin at `position`.
    buffer: Vec<u8>,
    position: usize,
}

impl Subscriber {
    /// Opens a connection of either kind and subscribes.
    pub(crate) async fn open_over(transport: Transport, address: SocketAddr, query: &str) -> Result<Self, Failure> {
        match transport {
            Transport::Socket => Self::open(address, query).await,
            Transport::EventStream => Self::open_event_stream(address, query).await,
        }
    }

    async fn open_event_stream(address: SocketAddr, query: &str) -> Result<Self, Failure> {
        let body = serde_json::json!({ "query": query }).to_string();
        let request = format!(
            "POST /graphql/sse HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        Self::request(address, Transport::EventStream, &request, b"HTTP/1.1 200").await
    }

    /// Sends the request that opens the connection, and reads the head of its response.
    async fn request(address: SocketAddr, transport: Transport, request: &str, status: &[u8]) -> Result<Self, Failure> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        stream.write_all(request.as_bytes()).await?;
        let mut subscriber = Self { transport, stream, buffer: Vec::with_capacity(4096), position: 0 };
        let head = loop {
            if let Some(end) = subscriber.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            subscriber.read().await?;
        };
        if !subscriber.buffer.starts_with(status) {
            return Err(format!("the server refused: {}", String::from_utf8_lossy(&subscriber.buffer)).into());
        }
        subscriber.position = head;
        Ok(subscriber)
    }

    /// Opens a socket and subscribes.
    pub(crate) async fn open(address: SocketAddr, query: &str) -> Result<Self, Failure> {
        let request = format!(
            "GET /graphql/ws HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        );
        let mut subscriber = Self::request(address, Transport::Socket, &request, b"HTTP/1.1 101").await?;
        subscriber.send(r#"{"type":"connection_init"}"#).await?;
        subscriber.receive().await?;
        let subscribe = serde_json::json!({ "id": "1", "type": "subscribe", "payload": { "query": query } });
        subscriber.send(&subscribe.to_string()).await?;
        Ok(subscriber)
    }

    /// Waits for the next message.
    pub(crate) async fn receive(&mut self) -> Result<(), Failure> {
        match self.transport {
            Transport::Socket => drop(self.text().await?),
            Transport::EventStream => {
                while !self.take_event() {
                    self.read().await?;
                }
            }
        }
        Ok(())
    }

    /// Takes one complete event, if there is one. The lines of the chunked encoding between events
    /// do not matter.
    fn take_event(&mut self) -> bool {
        let (first, end) = EVENT;
        let find = |from: usize, part: &[u8]| {
            let bytes = &self.buffer[from..];
            bytes.windows(part.len()).position(|window| window == part).map(|at| from + at + part.len())
        };
        let Some(end) = find(self.position, first).and_then(|from| find(from, end)) else { return false };
        self.position = end;
        true
    }

    /// Waits for the next text message and returns it.
    pub(crate) async fn text(&mut self) -> Result<&[u8], Failure> {
        let text = loop {
            match self.frame() {
                Some((0x1, text)) => break text,
                Some((0x8, close)) => return Err(closed(&self.buffer[close]).into()),
                Some(_) => {}
                None => self.read().await?,
            }
        };
        Ok(&self.buffer[text])
    }

    /// Sends a ping of the sub-protocol and waits for its pong.
    pub(crate) async fn ping(&mut self) -> Result<(), Failure> {
        self.send(r#"{"type":"ping"}"#).await?;
        self.receive().await
    }

    /// Takes one complete frame, if there is one. Returns its opcode and the range of its payload,
    /// which is valid until the next read.
    fn frame(&mut self) -> Option<(u8, Range<usize>)> {
        let bytes = &self.buffer[self.position..];
        let (opcode, short) = (bytes.first()? & 0x0f, usize::from(bytes.get(1)? & 0x7f));
        let (head, length) = match short {
            126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
            127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
            short => (2, short),
        };
        if bytes.len() < head + length {
            return None;
        }
        let payload = self.position + head..self.position + head + length;
        self.position = payload.end;
        Some((opcode, payload))
    }

    async fn read(&mut self) -> Result<(), Failure> {
        if self.position > 0 {
            self.buffer.drain(..self.position);
            self.position = 0;
        }
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(())
    }

    async fn send(&mut self, text: &str) -> Result<(), Failure> {
        let mut frame = vec![0x81];
        match u16::try_from(text.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | u8::try_from(length)?),
            Ok(length) => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => return Err("a message is too long".into()),
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        Ok(self.stream.write_all(&frame).await?)
    }
}

/// Says that the server closed the socket, with the close frame's code and reason.
fn closed(close: &[u8]) -> String {
    match close.split_first_chunk() {
        Some((code, reason)) => {
            let (code, reason) = (u16::from_be_bytes(*code), String::from_utf8_lossy(reason));
            format!("the server closed the socket with {code}: {reason}")
        }
        None => "the server closed the socket".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_is_told_with_its_code_and_reason() {
        assert_eq!(closed(b"\x03\xf5too many"), "the server closed the socket with 1013: too many");
        assert_eq!(closed(b""), "the server closed the socket");
    }
}
