//! A subscriber over `graphql-transport-ws` that does as little work as possible, because the cost
//! of the load slows the server down. Its masking key is zero, which leaves the payload unchanged.

use std::net::SocketAddr;
use std::ops::Range;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;

/// An open subscription.
pub(crate) struct Subscriber {
    stream: TcpStream,
    /// Bytes received. The unread ones begin at `position`.
    buffer: Vec<u8>,
    position: usize,
}

impl Subscriber {
    /// Opens a socket and subscribes.
    pub(crate) async fn open(address: SocketAddr, query: &str) -> Result<Self, Failure> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /graphql/ws HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut subscriber = Self { stream, buffer: Vec::with_capacity(4096), position: 0 };
        let head = loop {
            if let Some(end) = subscriber.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            subscriber.read().await?;
        };
        if !subscriber.buffer.starts_with(b"HTTP/1.1 101") {
            return Err(
                format!("the server refused the socket: {}", String::from_utf8_lossy(&subscriber.buffer)).into()
            );
        }
        subscriber.position = head;
        subscriber.send(r#"{"type":"connection_init"}"#).await?;
        subscriber.receive().await?;
        let subscribe = serde_json::json!({ "id": "1", "type": "subscribe", "payload": { "query": query } });
        subscriber.send(&subscribe.to_string()).await?;
        Ok(subscriber)
    }

    /// Waits for the next text message.
    pub(crate) async fn receive(&mut self) -> Result<(), Failure> {
        self.text().await?;
        Ok(())
    }

    /// Waits for the next text message and returns it.
    pub(crate) async fn text(&mut self) -> Result<&[u8], Failure> {
        let text = loop {
            match self.frame() {
                Some((0x1, text)) => break text,
                Some((0x8, _)) => return Err("the server closed the socket".into()),
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
