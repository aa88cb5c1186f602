//! The files behind the links in ArcSite's payloads, over real HTTP on this machine.
//!
//! A link leads to a file until it expires, and only as it was signed. It leads to the same bytes
//! for ever, so that a test can compare. On request the server fails as CDNs and storage do.
//!
//! 1. `document`: PDFs and PNGs; `body`: how their bytes are sent.
//! 2. `fault`: what goes wrong with an answer.
//! 3. `server`: the answers.

mod body;
mod document;
mod fault;
mod server;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use self::body::File;
pub use self::fault::Fault;
use self::server::State;
use crate::arcsite::{Links, link};
use crate::http_server;

/// How often a server that waits for its last request looks.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The options of a file server.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address to listen at. Port 0 chooses a free one.
    pub listen: SocketAddr,
    /// The seed of the key that signs links, and of the faults.
    pub seed: u64,
    /// How long a link lives.
    pub lifetime: TimeDelta,
    /// The share of answers that fail, though a later request of the same link may succeed (0 to
    /// 1).
    pub failing: f64,
    /// The share of links whose file is gone or of another type, for every request (0 to 1).
    pub lost: f64,
    /// How long the answers take that fail by being slow.
    pub slow: Duration,
    /// Each PDF has at least this many bytes.
    pub pdf_bytes: u64,
}

/// A free port on loopback, links that live as long as the vendor documents, small files and no
/// faults.
impl Default for Options {
    fn default() -> Options {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 0,
            lifetime: link::LIFETIME,
            failing: 0.0,
            lost: 0.0,
            slow: Duration::from_secs(3),
            pdf_bytes: 0,
        }
    }
}

/// A running file server. Dropping it stops it and closes its connections.
#[derive(Debug)]
pub struct FileServer {
    url: String,
    state: Arc<State>,
    serving: AbortHandle,
}

impl FileServer {
    /// Starts serving.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened at.
    pub async fn start(options: Options) -> io::Result<FileServer> {
        let listener = TcpListener::bind(options.listen).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let links = Links::to(url.clone(), options.lifetime, options.seed);
        let state = Arc::new(State::new(options, links));
        let serving = tokio::spawn(http_server::serve(listener, server::routes(Arc::clone(&state)))).abort_handle();
        Ok(FileServer { url, state, serving })
    }

    /// Its address: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Signs links that lead here, for [`crate::office::Office::with_links`].
    pub fn links(&self) -> Links {
        self.state.links.clone()
    }

    /// The bytes to which a link leads while it lives. None for a link that this server did not
    /// sign, and for one whose file is lost.
    pub fn expected(&self, link: &str) -> Option<Vec<u8>> {
        let url: Url = link.strip_prefix(&self.url).and_then(|_| link.parse().ok())?;
        let (path, query) = (url.path().trim_start_matches('/'), url.query()?);
        let version = self.state.links.check(path, query, chrono::DateTime::UNIX_EPOCH).ok()?;
        if self.state.is_lost(query) {
            return None;
        }
        File::at(path, version, self.state.options.pdf_bytes).map(|file| file.pieces().flatten().collect())
    }

    /// Queues a fault. Each request takes one from the queue.
    pub fn next(&self, fault: Fault) {
        self.state.queue(fault);
    }

    /// The path, query and answered status of every request so far. Only the newest 10,000 are
    /// kept.
    pub fn requests(&self) -> Vec<(String, u16)> {
        self.state.requests()
    }

    /// Waits until no request has come for this long.
    pub async fn idle(&self, time: Duration) {
        let started = Instant::now();
        while self.state.last_request().max(Some(started)).is_some_and(|last| last.elapsed() < time) {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[cfg(test)]
mod tests;
