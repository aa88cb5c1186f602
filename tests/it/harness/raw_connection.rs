//! A connection for HTTP requests that no client library sends.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::{Client, within};

/// A TCP connection. The test writes every byte.
pub(crate) struct RawConnection(TcpStream);

impl RawConnection {
    pub(crate) async fn open(client: &Client) -> Self {
        Self(TcpStream::connect(client.authority()).await.unwrap())
    }

    /// Opens a connection whose receive buffer is small.
    pub(crate) async fn open_with_small_buffer(client: &Client) -> Self {
        let tcp = TcpSocket::new_v4().unwrap();
        tcp.set_recv_buffer_size(4096).unwrap();
        Self(tcp.connect(client.authority().parse().unwrap()).await.unwrap())
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Writes all bytes. Fails if the service closes the connection.
    pub(crate) async fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// Begins a POST. Returns when the service has asked for the body and reads it.
    pub(crate) async fn begin_post(client: &Client, path: &str, length: usize) -> Self {
        let mut connection = Self::open(client).await;
        let host = client.authority();
        connection
            .write(&format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
            ))
            .await;
        assert!(connection.read_until("\r\n\r\n").await.starts_with("HTTP/1.1 100 "), "the service asks for the body");
        connection
    }

    /// Shuts down the sending side.
    pub(crate) async fn shut_down(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Reads up to `end`, or to the end of the connection.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        within("a response comes", async {
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

    /// Reads these many bytes; none if the connection ends before.
    pub(crate) async fn read_bytes(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        within("bytes come", self.0.read_exact(&mut bytes)).await.ok().map(|_| bytes)
    }

    /// Whether neither a byte nor the end of the connection comes within this time.
    pub(crate) async fn is_silent_for(&mut self, duration: Duration) -> bool {
        timeout(duration, self.0.read_u8()).await.is_err()
    }

    /// Reads until the service closes the connection.
    pub(crate) async fn read_to_end(&mut self) -> String {
        self.read_until("\0").await
    }
}
