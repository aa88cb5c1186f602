//! What links can and cannot make the service do, over real sockets.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use sha2::Digest as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::domain::FileKind;

mod answers;
mod links;
mod proxies;

const PDF: &[u8] = b"%PDF-1.4\n%%EOF\n";
const MAX_BYTES: u64 = 1_000_000;

/// The bounds of tests that wait for one to be reached.
const SHORT: TimeLimits = TimeLimits {
    connect: Duration::from_millis(200),
    head: Duration::from_millis(300),
    idle: Duration::from_millis(300),
    rate_min: 1_000_000,
    grace: Duration::from_millis(300),
};

/// A server on this machine that remembers who came.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Each connection gets what `answer` makes of its request.
    async fn start<F>(address: &str, answer: impl Fn(TcpStream, String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, connections: Arc::default(), requests: Arc::default() };
        let (connections, requests) = (Arc::clone(&server.connections), Arc::clone(&server.requests));
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (answer, requests) = (Arc::clone(&answer), Arc::clone(&requests));
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.unwrap_or(0) > 0 {}
                    let request = String::from_utf8_lossy(&request).into_owned();
                    requests.lock().unwrap().push(request.clone());
                    // A client that leaves early is none of the server's concern.
                    let _ = answer(stream, request).await;
                });
            }
        });
        server
    }

    /// Each connection gets these bytes, and its end.
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::start("127.0.0.1:0", move |mut stream, _| {
            let answer = Arc::clone(&answer);
            async move {
                stream.write_all(&answer).await?;
                stream.shutdown().await
            }
        })
        .await
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/a.pdf?Expires=1&Signature=s3cret", self.port)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// An answer of 200 with this body.
fn ok(body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// Counts the bytes, and keeps none but the first few.
#[derive(Debug, Default)]
struct Sink {
    bytes: u64,
    first: Vec<u8>,
    longest: usize,
    room: Option<u64>,
}

impl FileSink for Sink {
    type Error = &'static str;

    async fn write(&mut self, bytes: Bytes) -> Result<(), &'static str> {
        self.bytes += bytes.len() as u64;
        self.longest = self.longest.max(bytes.len());
        if self.first.len() < 1000 {
            self.first.extend_from_slice(&bytes);
        }
        match self.room {
            Some(room) if self.bytes > room => Err("the disk is full"),
            _ => Ok(()),
        }
    }
}

/// The names that a lookup knows, and how often each was looked up.
#[derive(Clone, Default)]
struct Names {
    answers: Arc<BTreeMap<String, Vec<Vec<IpAddr>>>>,
    lookups: Arc<Mutex<Vec<String>>>,
}

impl Names {
    /// Each name has one answer for each lookup in turn; the last one repeats.
    fn new(names: &[(&str, &[&[&str]])]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        let names =
            names.iter().map(|(name, answers)| ((*name).to_owned(), answers.iter().map(parse).collect())).collect();
        Self { answers: Arc::new(names), lookups: Arc::default() }
    }

    fn lookup(&self) -> Lookup {
        let names = self.clone();
        Arc::new(move |name| -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let mut lookups = names.lookups.lock().unwrap();
            let turn = lookups.iter().filter(|looked_up| **looked_up == name).count();
            let answer = match names.answers.get(&name) {
                Some(answers) => Ok(answers[turn.min(answers.len() - 1)].clone()),
                None => Err(io::Error::other("no such name")),
            };
            lookups.push(name);
            Box::pin(std::future::ready(answer))
        })
    }

    fn lookups(&self) -> Vec<String> {
        self.lookups.lock().unwrap().clone()
    }
}

/// The defaults of the settings, in open mode or not.
fn settings(allow_loopback: bool) -> OutboundSettings {
    OutboundSettings {
        allowed_hosts: vec!["*.arcsite.com".to_owned(), "*.cloudfront.net".to_owned()],
        allow_loopback,
        proxy: None,
    }
}

fn outbound(settings: OutboundSettings, names: &Names, limits: TimeLimits) -> Outbound {
    Outbound::with(settings, Clock::system(), names.lookup(), limits).unwrap()
}

/// The way of a link: judged, then fetched. The error is `WORD: text`.
async fn fetch(outbound: &Outbound, link: &str, is_signed: bool, sink: &mut Sink) -> Result<Downloaded, String> {
    let url = outbound.judge(link, is_signed).map_err(|refusal| format!("REFUSED: {refusal}"))?;
    outbound.download(&url, FileKind::Pdf, MAX_BYTES, sink).await.map_err(|error| match error {
        DownloadError::Refused(text) => format!("REFUSED: {text}"),
        DownloadError::Failed(text) => format!("FAILED: {text}"),
        DownloadError::Retry { text, retry_after: None } => format!("RETRY: {text}"),
        DownloadError::Retry { text, retry_after: Some(wait) } => format!("RETRY in {} s: {text}", wait.as_secs()),
        DownloadError::Sink(text) => format!("SINK: {text}"),
    })
}
