//! Load over HTTP/1.1 on kept-open connections. Our own few lines rather than a client library: on a small machine the
//! load's own cost is taken from the server, and would even out the difference that is to be measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;
use crate::report::{Round, at};

/// How much of an answer's head is read at most.
const LONGEST_HEAD: usize = 16 * 1024;

/// A connection that posts JSON and reads answers.
pub(crate) struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, address, buffer: Vec::with_capacity(256 * 1024) })
    }

    /// The bytes of a request.
    pub(crate) fn request(&self, path: &str, body: &str) -> Vec<u8> {
        format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .into_bytes()
    }

    /// Sends a request and reads its answer, which must be 200 and have a length.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<&[u8], Failure> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if self.buffer.len() > LONGEST_HEAD {
                return Err("the answer's head does not end".into());
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
                return Err("the answer broke off".into());
            }
        }
        Ok(&self.buffer[head..])
    }
}

/// Asks of servers over several connections for a while: of each over as many.
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
            let mut took = Vec::new();
            while Instant::now() < end {
                let request = request(&connection);
                let asked = Instant::now();
                connection.ask(&request).await?;
                took.push(asked.elapsed());
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Failure>(took)
        }));
    }
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await??);
    }
    let elapsed = started.elapsed();
    took.sort_unstable();
    let answers = answered.load(Ordering::Relaxed);
    #[expect(clippy::cast_precision_loss, reason = "a round has far fewer answers than 2^52")]
    let rate = answers as f64 / elapsed.as_secs_f64();
    Ok(Round { answers, rate, p50: at(&took, 50), p99: at(&took, 99) })
}
