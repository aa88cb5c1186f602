//! Load over persistent HTTP/1.1 connections. It does not use a client library: on a small machine
//! the cost of the load slows the server down, and would hide the difference that is measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;
use crate::report::{Round, percentile};

/// How many bytes of an answer's head are read.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// A connection that posts JSON and reads answers.
pub(crate) struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens a connection.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, address, buffer: Vec::with_capacity(256 * 1024) })
    }

    /// Encodes a request.
    pub(crate) fn request(&self, path: &str, body: &str) -> Vec<u8> {
        format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .into_bytes()
    }

    /// Sends a request and returns the body of its answer, which must be 200 and have a
    /// `content-length`.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<&[u8], Failure> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err("the answer's head is too long".into());
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        if !text.starts_with("http/1.1 200") {
            return Err(format!("the answer is {}", text.lines().next().unwrap_or_default()).into());
        }
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.ok_or("the answer has no length")?.trim().parse()?;
        while self.buffer.len() < head + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection within an answer".into());
            }
        }
        Ok(&self.buffer[head..])
    }
}

/// Loads servers for a while, with an equal share of the connections each.
pub(crate) async fn run(
    servers: &[SocketAddr],
    request: impl Fn(&Connection) -> Vec<u8> + Clone + Send + 'static,
    connections: usize,
    length: Duration,
) -> Result<Round, Failure> {
    let answered = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let end = started + length;
    let mut tasks = Vec::new();
    for address in servers.iter().cycle().take(connections) {
        let mut connection = Connection::open(*address).await?;
        let request = request.clone();
        let answered = Arc::clone(&answered);
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < end {
                let request = request(&connection);
                let sent_at = Instant::now();
                connection.send(&request).await?;
                times.push(sent_at.elapsed());
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Failure>(times)
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let elapsed = started.elapsed();
    times.sort_unstable();
    let answers = answered.load(Ordering::Relaxed);
    #[expect(clippy::cast_precision_loss, reason = "a round has far fewer answers than 2^52")]
    let rate = answers as f64 / elapsed.as_secs_f64();
    Ok(Round { answers, rate, p50: percentile(&times, 50), p99: percentile(&times, 99) })
}
