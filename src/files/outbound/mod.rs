//! Fetching files from outside, so that no link can make this service reach what it must not
//! (server-side request forgery).
//!
//! 1. `judge`: which links may be fetched, by the settings alone.
//! 2. `resolver`: which addresses of a host may be connected to. It runs for each connection, and
//!    the connection goes to the addresses that it judged.
//! 3. `download`: fetches, follows redirects through both judgements, and bounds time and size.
//! 4. `content`: which bytes are a file of the kind that the event names.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::redirect::Policy;
use reqwest::{NoProxy, Proxy, Url};

use self::download::TimeLimits;
use self::judge::Rules;
use self::resolver::{Lookup, Resolver, system_lookup};
use crate::clock::Clock;
use crate::domain::Digest;
use crate::shown_url::SecretUrl;

mod address;
mod content;
mod download;
mod judge;
mod resolver;
#[cfg(test)]
mod tests;

#[cfg(any(test, fuzzing))]
pub(crate) use judge::fuzz_link;
pub use judge::{AllowedUrl, InvalidHostPattern, Refusal};

/// The name of this machine, which is not looked up like others.
const LOCALHOST: &str = "localhost";

/// The hosts that no proxy can reach for this machine.
const NEVER_BY_PROXY: &str = "localhost,127.0.0.0/8,::1";

/// What an operator sets, and the mode of the service.
#[derive(Clone, Debug)]
pub struct OutboundSettings {
    /// `files.allowed_hosts`: full names of hosts, and `*.example.com` for all hosts at any depth
    /// below a domain, without the domain itself.
    pub allowed_hosts: Vec<String>,
    /// Whether links to this machine may be fetched, by http too and from any port: if the settings
    /// allow open mode. [`Outbound::while_open_mode`] says until when.
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
        retry_after: Option<Duration>,
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

/// Fetches files. Each request resolves its host again, judges the addresses, and has a connection
/// of its own.
#[derive(Clone)]
pub struct Outbound {
    rules: Rules,
    clock: Clock,
    http: reqwest::Client,
    limits: TimeLimits,
}

impl Outbound {
    /// Prepares fetching. `clock` reads the dates of answers.
    ///
    /// # Errors
    ///
    /// If a setting is invalid. The text names it.
    pub fn new(settings: OutboundSettings, clock: Clock) -> Result<Self, OutboundConfigError> {
        Self::with(settings, clock, system_lookup(), TimeLimits::DEFAULT)
    }

    fn with(
        settings: OutboundSettings,
        clock: Clock,
        lookup: Lookup,
        limits: TimeLimits,
    ) -> Result<Self, OutboundConfigError> {
        let rules = Rules::new(&settings.allowed_hosts, settings.allow_loopback)?;
        let proxy = settings.proxy.map(parse_proxy).transpose()?;
        let proxy_host = proxy.as_ref().and_then(Url::host_str).map(str::to_owned);
        let resolver = Resolver { lookup, allow_loopback: settings.allow_loopback, proxy_host };
        let mut builder = reqwest::Client::builder()
            // Without this the client takes a proxy from the environment.
            .no_proxy()
            // Other crates may switch these on.
            .http1_only()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .user_agent(concat!("bidarc/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .pool_max_idle_per_host(0)
            .dns_resolver(resolver);
        if let Some(url) = proxy {
            let proxy = Proxy::https(url).map_err(OutboundConfigError::Client)?;
            builder = builder.proxy(proxy.no_proxy(NoProxy::from_string(NEVER_BY_PROXY)));
        }
        let http = builder.build().map_err(OutboundConfigError::Client)?;
        Ok(Self { rules, clock, http, limits })
    }

    /// Allows links to this machine only while `is_open_mode` says so, because a key that is made
    /// ends open mode. Redirects are asked again.
    #[must_use]
    pub fn while_open_mode(mut self, is_open_mode: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.rules.is_open_mode = Arc::new(is_open_mode);
        self
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
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("rules", &self.rules).finish_non_exhaustive()
    }
}

fn parse_proxy(text: SecretUrl) -> Result<Url, OutboundConfigError> {
    match text.expose().parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(OutboundConfigError::Proxy(text)),
    }
}
