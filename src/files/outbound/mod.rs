//! Fetching files from outside, so that no link can make this service reach what it must not
//! (server-side request forgery).
//!
//! 1. [`judge`]: which links may be fetched, by the settings alone.
//! 2. `resolver`: which addresses of a host may be connected to. It runs for each connection, and
//!    the connection goes to the addresses that it judged.
//! 3. `download`: fetches, follows redirects through both judgements, and bounds time and size.
//! 4. `content`: which bytes are a file of the kind that the event names.

use std::future::Future;

use bytes::Bytes;

use crate::clock::Clock;
use crate::domain::{Digest, FileKind};
use crate::shown_url::SecretUrl;

mod judge;

pub use judge::{AllowedUrl, InvalidHostPattern, Refusal};

/// The name of this machine, which is not looked up like others.
const LOCALHOST: &str = "localhost";

/// What an operator sets, and the mode of the service.
#[derive(Clone, Debug)]
pub struct OutboundSettings {
    /// `files.allowed_hosts`: full names of hosts, and `*.example.com` for all hosts at any depth
    /// below a domain, without the domain itself.
    pub allowed_hosts: Vec<String>,
    /// Whether links to this machine may be fetched, by http too and from any port: in open mode.
    pub allow_loopback: bool,
    /// `files.proxy`: an http or https proxy that fetches every file, except those of this machine.
    pub proxy: Option<SecretUrl>,
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutboundConfigError {
    /// A host is not one.
    #[error(transparent)]
    Host(#[from] InvalidHostPattern),
    /// The proxy is not one.
    #[error("files.proxy must be an http or https URL of a proxy; it is {0}")]
    Proxy(SecretUrl),
    /// TLS cannot be set up.
    #[error("the client that fetches files cannot be created: {0}")]
    Client(reqwest::Error),
}

/// A file that was fetched whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub size_bytes: u64,
}

/// Why a file was not fetched. The text is for people, and holds nothing of the link but the host.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError<E> {
    /// The link redirects to where it may not, or too often.
    #[error("{0}")]
    Refused(String),
    /// No retry changes it: the file is gone, too large, or of another type.
    #[error("{0}")]
    Failed(String),
    /// It may succeed later.
    #[error("{text}")]
    Retry {
        /// What happened.
        text: String,
        /// How long the host asks to wait, at most an hour.
        retry_after: Option<std::time::Duration>,
    },
    /// The sink did not take the bytes. The host is not to blame.
    #[error("{0}")]
    Sink(E),
}

/// Takes the bytes of a file, in order. After an error of the download, what it took is no file.
pub trait FileSink: Send {
    /// Why it takes no more.
    type Error: Send;

    /// Takes the next bytes, at most 1 MiB.
    fn write(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Fetches files.
#[derive(Clone, Debug)]
pub struct Outbound {
    rules: judge::Rules,
    #[expect(dead_code, reason = "the download follows")]
    clock: Clock,
}

impl Outbound {
    /// Prepares fetching. `clock` reads the dates of answers.
    ///
    /// # Errors
    ///
    /// If a setting is invalid. The text names it.
    pub fn new(settings: OutboundSettings, clock: Clock) -> Result<Self, OutboundConfigError> {
        let rules = judge::Rules::new(&settings.allowed_hosts, settings.allow_loopback)?;
        Ok(Self { rules, clock })
    }

    /// Judges a link: https, port 443, no user name, and a host of the settings. `is_signed_hook`
    /// says whether a signature proved the delivery.
    ///
    /// # Errors
    ///
    /// A refusal is for good: only other settings change it.
    pub fn judge(&self, link: &str, is_signed_hook: bool) -> Result<AllowedUrl, Refusal> {
        self.rules.judge(link, is_signed_hook)
    }

    /// Fetches a file of `kind` with at most `max_bytes` into `sink`, and returns its digest.
    ///
    /// # Errors
    ///
    /// See [`DownloadError`]. The sink may have taken a part of the file.
    pub async fn download<S: FileSink>(
        &self,
        _url: AllowedUrl,
        _kind: FileKind,
        _max_bytes: u64,
        _sink: &mut S,
    ) -> Result<Downloaded, DownloadError<S::Error>> {
        Err(DownloadError::Retry { text: "not yet".to_owned(), retry_after: None })
    }
}
