//! HTTP written by hand, for what no client library sends.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Client, within};

/// A connection on which every byte is the test's.
pub(crate) struct Wire(TcpStream);

impl Wire {
    pub(crate) async fn open(client: &Client) -> Self {
        Self(TcpStream::connect(client.authority()).await.unwrap())
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Writes for as long as the other side reads.
    pub(crate) async fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// Begins a POST whose body is asked for: when this returns, the service reads it.
    pub(crate) async fn begin_post(client: &Client, path: &str, length: usize) -> Self {
        let mut wire = Self::open(client).await;
        let host = client.authority();
        wire.write(&format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        ))
        .await;
        assert!(wire.read_until("\r\n\r\n").await.starts_with("HTTP/1.1 100 "), "the service asks for the body");
        wire
    }

    /// Says that nothing more will be written.
    pub(crate) async fn end(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// What comes up to `end`, or to the end of the connection.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        within("an answer comes", async {
            let mut read = Vec::new();
            let mut chunk = [0; 4096];
            while !String::from_utf8_lossy(&read).contains(end) {
                match self.0.read(&mut chunk).await {
                    Ok(0) | Err(_) => break,
                    Ok(count) => read.extend_from_slice(&chunk[..count]),
                }
            }
            String::from_utf8(read).unwrap()
        })
        .await
    }

    /// Whether nothing comes, not even the end, for so long.
    pub(crate) async fn is_silent_for(&mut self, bound: Duration) -> bool {
        timeout(bound, self.0.read_u8()).await.is_err()
    }

    /// All that comes until the service closes the connection.
    pub(crate) async fn read_to_end(&mut self) -> String {
        self.read_until("\0").await
    }
}
