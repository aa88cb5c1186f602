//! Wiring: builds the service from its settings and serves it on a listener. Tests call [`serve`].
//! `main` calls its two steps, [`Service::open`] and [`Service::serve`], and prints the banner
//! between them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use metrics_exporter_prometheus::BuildError;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Keys;
use crate::clock::Clock;
use crate::config::{Bidsketch, Settings};
use crate::domain::{AuditKind, Provider};
use crate::feed::Feed;
use crate::files;
use crate::files::location::Location;
use crate::files::outbound::{Outbound, OutboundConfigError, OutboundSettings};
use crate::files::storage::{FileStore, OpenStoreError};
use crate::files::worker::Worker;
use crate::graphql::{self, ServiceFacts, VendorFacts};
use crate::http::{self, AllowedOrigins, AppState, SessionCookie};
use crate::ingest::clocks::ClockWatch;
use crate::ingest::hook_tokens::HookTokens;
use crate::ingest::record::DedupWindowLengths;
use crate::ingest::refusals::Refusals;
use crate::ingest::release::Releaser;
use crate::ingest::verify::Verifier;
use crate::ingest::writer::Writer;
use crate::ingest::{Ingest, SignatureTolerance};
use crate::metrics;
use crate::shown_url::SecretUrl;
use crate::store::files::FileRecording;
use crate::store::{OpenError, Store, webhooks};
use crate::vendor::bidsketch::api::{ApiConfigError, BidsketchApi};
use crate::webhooks::Webhooks;

mod greeting;
mod own_runtime;
mod shutdown;
mod tasks;
mod warnings;

use greeting::Facts;
use own_runtime::OwnRuntime;
use shutdown::Shutdown;
use tasks::Tasks;

/// Why the service did not start, or why it ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database cannot be used.
    #[error("{error}\n  database.url is {url}")]
    Store {
        /// The error of the store.
        #[source]
        error: OpenError,
        /// `database.url`.
        url: SecretUrl,
    },
    /// The service would be reachable from other machines, and there is no key.
    #[error(
        "other machines could reach this service (server.listen is {listen}, server.public_url is {url}), and there \
         is no key. Make one first, with the same settings:\n  \
         bidarc keys add NAME --scope manage\n\
         To try bidarc on this machine only, set server.listen to 127.0.0.1:8080 and leave server.public_url empty: \
         that needs no key",
        url = .public_url.as_ref().map_or_else(|| "empty".to_owned(), SecretUrl::to_string)
    )]
    NoKey {
        /// The address listened on.
        listen: SocketAddr,
        /// `server.public_url`.
        public_url: Option<SecretUrl>,
    },
    /// The settings of Bidsketch's API are invalid.
    #[error(transparent)]
    Bidsketch(#[from] ApiConfigError),
    /// The metrics cannot be set up.
    #[error("the metrics cannot be set up: {0}")]
    Metrics(#[from] BuildError),
    /// The settings of files are invalid.
    #[error(transparent)]
    Outbound(#[from] OutboundConfigError),
    /// The place of the files cannot be used.
    #[error("{error}\n  files.store is {place}; set it to another place, or to off")]
    FileStore {
        /// What is wrong.
        #[source]
        error: OpenStoreError,
        /// The folder or the URL.
        place: String,
    },
    /// The threads of GraphQL or of the downloads cannot be started.
    #[error("the threads of the service cannot be started: {0}")]
    Runtime(std::io::Error),
    /// A task that must run as long as the service has ended. The log says why.
    #[error("{0} has ended unexpectedly; the log above says why")]
    TaskEnded(&'static str),
    /// The listener failed.
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
}

/// Serves on a listener until `shutdown` is ready. Then it finishes the requests that have begun,
/// within `server.shutdown_grace_seconds`.
pub async fn serve(
    settings: &Settings,
    clock: Clock,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    Service::open(settings, clock, &listener).await?.serve(listener, shutdown).await
}

/// A service that is ready to serve: its database is open, and it has a key or is in open mode.
#[derive(Debug)]
pub struct Service<'a> {
    settings: &'a Settings,
    clock: Clock,
    /// Whether the service is in open mode as long as there is no key.
    open_without_keys: bool,
    store: Store,
    keys: Keys,
    bidsketch_api: Option<BidsketchApi>,
    vault: Option<Vault>,
    facts: Facts,
}

/// The store of files, and the client that fetches them.
#[derive(Debug)]
struct Vault {
    files: FileStore,
    outbound: Outbound,
}

impl<'a> Service<'a> {
    /// Opens the database and reads the keys.
    ///
    /// # Errors
    ///
    /// [`ServeError::NoKey`] if other machines could reach the service and there is no key.
    pub async fn open(settings: &'a Settings, clock: Clock, listener: &TcpListener) -> Result<Self, ServeError> {
        let listen = listener.local_addr()?;
        let open_without_keys = settings.is_open_mode(listen);
        // A setting that cannot be used is refused before a database is made.
        let bidsketch_api = build_bidsketch_api(&settings.bidsketch)?;
        let outbound = Outbound::new(outbound_settings(settings, open_without_keys), clock.clone())?;
        let store = Store::open_for_service(&settings.database, clock.now()).await;
        let store = store.map_err(|error| store_error(settings, error))?;
        let keys = Keys::new(store.clone(), clock.clone(), open_without_keys)
            .await
            .map_err(|error| store_error(settings, error))?;
        if !open_without_keys && keys.count() == 0 {
            store.close().await;
            return Err(ServeError::NoKey { listen, public_url: settings.server.public_url.clone() });
        }
        let own_webhooks = webhooks::count_accepting(store.reserved_reader()).await;
        let own_webhooks = own_webhooks.map_err(|error| store_error(settings, error))?;
        let location = Location::of(settings);
        let vault = match location.place() {
            Some(place) => Some(Vault { files: open_file_store(place)?, outbound }),
            None => None,
        };
        let facts = Facts {
            location,
            listen,
            open_without_keys,
            keys: keys.count(),
            own_webhooks: usize::try_from(own_webhooks).unwrap_or(usize::MAX),
            is_new_database: store.is_new(),
        };
        Ok(Self { settings, clock, open_without_keys, store, keys, bidsketch_api, vault, facts })
    }

    /// The lines to print at the start: the URLs that answer, what is verified, and what is
    /// missing.
    #[must_use]
    pub fn greeting(&self) -> String {
        self.facts.greeting(self.settings)
    }

    /// Serves until `shutdown` is ready. Then it finishes the requests that have begun, within
    /// `server.shutdown_grace_seconds`.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let Self { settings, clock, open_without_keys, store, keys, bidsketch_api, vault, facts } = self;
        let feed = Feed::new(store.clone());
        let verifier = build_verifier(settings, open_without_keys);
        warn_of_closed_hooks(&facts, settings);
        for warning in warnings::warnings(settings) {
            tracing::warn!("{warning}");
        }
        let windows = DedupWindowLengths { state: settings.state_window(), occurrence: settings.occurrence_window() };
        let clocks = ClockWatch::default();
        let recording = if vault.is_some() { FileRecording::On } else { FileRecording::Off };
        let releaser = Releaser::new(store.clone(), windows, recording, clocks.clone());
        let listen = listener.local_addr()?;
        let webhooks = Webhooks::new(store.clone(), bidsketch_api, hook_base_url(settings, listen), clock.clone());
        webhooks.recover().await;
        let writer_shutdown = CancellationToken::new();
        let (writer, writer_task) = Writer::start(store.clone(), windows, recording, writer_shutdown.clone());
        let tolerance = signature_tolerance(settings);
        let audit = keys.audit().clone();
        audit.append_soon(AuditKind::Start, None, AuditKind::Start.action(), Some(show_start(settings)));
        let hook_tokens = HookTokens::start(store.clone());
        let refusals = Refusals::default();
        let ingest = Ingest { hook_tokens, verifier, tolerance, writer, clocks, refusals: refusals.clone() };

        let graphql_runtime = OwnRuntime::of_graphql().map_err(ServeError::Runtime)?;
        let downloads_runtime = OwnRuntime::of_downloads().map_err(ServeError::Runtime)?;
        let metrics = metrics::install()?;
        let stopping = CancellationToken::new();
        let connections = TaskTracker::new();
        let public_url = settings.server.public_url.as_ref().map(SecretUrl::expose);
        let shown_files = vault.as_ref().map(|vault| {
            files::Vault::new(vault.files.clone(), store.clone(), clock.clone(), public_url.map(str::to_owned))
        });
        let mode = keys.clone();
        let file_worker = vault.map(|Vault { files, outbound }| {
            let parts = files::worker::Parts {
                store: store.clone(),
                files,
                outbound: outbound.while_open_mode(move || mode.is_open_mode()),
                clock: clock.clone(),
                downloads: downloads_runtime.handle(),
                stopping: stopping.clone(),
            };
            Worker::new(parts, &settings.files)
        });
        let router = http::router(AppState {
            ingest: Arc::new(ingest),
            graphql: graphql::build_executor(
                store.clone(),
                feed.clone(),
                releaser,
                webhooks.clone(),
                keys.clone(),
                service_facts(settings, hook_base_url(settings, listen), open_without_keys),
                shown_files.clone(),
                settings,
            ),
            files: shown_files,
            graphql_runtime: graphql_runtime.handle(),
            store: store.clone(),
            feed: feed.clone(),
            clock,
            metrics: metrics.clone(),
            keys: keys.clone(),
            origins: AllowedOrigins::new(settings.server.allowed_origins.iter().map(String::as_str))
                .with_public_url(public_url),
            cookie: SessionCookie::new(public_url, settings.session_length()),
            server: settings.server.clone(),
            shutdown: stopping.clone(),
            connections: connections.clone(),
        });
        let mut tasks = Tasks::start(
            writer_task,
            store.clone(),
            feed,
            keys.clone(),
            metrics,
            webhooks.clone(),
            refusals,
            file_worker,
        );

        let server = http::serve(listener, router, &settings.server, audit, stopping.clone());
        let signal = stopping.clone();
        let signalled = async move {
            shutdown.await;
            tracing::info!("stopping; finishing the requests that have begun");
            signal.cancel();
            std::future::pending::<()>().await;
        };
        let grace = Duration::from_secs(settings.server.shutdown_grace_seconds);
        let grace_expired = async {
            stopping.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        let mut ended_task = None;
        tokio::select! {
            () = server => {}
            () = signalled => {}
            task = tasks.wait_for_exit(&stopping) => {
                tracing::error!("{task} has ended unexpectedly; the service stops, so that a process manager restarts it");
                ended_task = Some(task);
                stopping.cancel();
            }
            () = grace_expired => tracing::warn!(seconds = grace.as_secs(), "some requests did not finish within server.shutdown_grace_seconds and were cut off"),
        }
        Shutdown { tasks, connections, webhooks, keys, writer_shutdown, store }.run().await;
        ended_task.map_or(Ok(()), |task| Err(ServeError::TaskEnded(task)))
    }
}

/// Sets how many lines of the log were dropped since the process began.
pub fn count_dropped_log_lines(lines: usize) {
    ::metrics::counter!(metrics::LOG_LINES_DROPPED).absolute(u64::try_from(lines).unwrap_or(u64::MAX));
}

fn store_error(settings: &Settings, error: impl Into<OpenError>) -> ServeError {
    ServeError::Store { error: error.into(), url: settings.database.url.clone() }
}

/// What files may be fetched from. In open mode links may name this machine, as those of a
/// simulator do.
#[must_use]
pub fn outbound_settings(settings: &Settings, is_open_mode: bool) -> OutboundSettings {
    let files = &settings.files;
    OutboundSettings {
        allowed_hosts: files.allowed_hosts.clone(),
        allow_loopback: is_open_mode,
        proxy: files.proxy.clone(),
    }
}

fn open_file_store(place: &str) -> Result<FileStore, ServeError> {
    FileStore::open(place).map_err(|error| ServeError::FileStore { error, place: place.to_owned() })
}

/// The start of the service, as the audit has it: the version and the settings that were given.
fn show_start(settings: &Settings) -> String {
    let version = concat!("version ", env!("CARGO_PKG_VERSION"));
    let given = settings.given.iter().map(|given| format!("; {given}"));
    std::iter::once(version.to_owned()).chain(given).collect()
}

fn build_verifier(settings: &Settings, open_without_keys: bool) -> Verifier {
    Verifier {
        arcsite_secrets: settings.arcsite.signing_secrets.clone(),
        arcsite_token: settings.arcsite.path_token.clone(),
        bidsketch_token: settings.bidsketch.path_token.clone(),
        open: open_without_keys,
    }
}

fn build_bidsketch_api(settings: &Bidsketch) -> Result<Option<BidsketchApi>, ApiConfigError> {
    let Bidsketch { api_url, api_token, api_timeout_seconds, .. } = settings;
    let timeout = Duration::from_secs(*api_timeout_seconds);
    api_token.as_ref().map(|token| BidsketchApi::new(api_url.expose(), token, timeout)).transpose()
}

/// The URL at which the vendors reach this service, if it is known. In open mode a simulator on
/// this machine can act as a vendor, so the hook URLs then use the listen address.
fn hook_base_url(settings: &Settings, listen: SocketAddr) -> Option<String> {
    let local_base = settings.is_open_mode(listen).then(|| format!("http://{listen}"));
    settings.server.public_url.as_ref().map(|url| url.expose().to_owned()).or(local_base)
}

/// What the API tells of this service. The secret part of a hook URL is masked.
fn service_facts(settings: &Settings, base: Option<String>, open_without_keys: bool) -> ServiceFacts {
    let Settings { server, service, arcsite, bidsketch, .. } = settings;
    let vendor = |name: &str, has_open_path: bool, path_token: &Option<SecretString>, has_api: bool| VendorFacts {
        has_proof: has_open_path || path_token.is_some(),
        hook_url: base.as_ref().and_then(|base| match path_token {
            _ if has_open_path => Some(format!("{base}/webhooks/{name}")),
            Some(_) => Some(format!("{base}/webhooks/{name}/…")),
            None => open_without_keys.then(|| format!("{base}/webhooks/{name}")),
        }),
        has_api,
    };
    ServiceFacts {
        name: service.name.clone(),
        public_url: server.public_url.as_ref().map(|url| url.expose().to_owned()),
        time_zone: service.time_zone.clone(),
        default_currency: settings.arcsite.currency.clone(),
        arcsite: vendor("arcsite", !arcsite.signing_secrets.is_empty(), &arcsite.path_token, false),
        bidsketch: vendor("bidsketch", false, &bidsketch.path_token, bidsketch.api_token.is_some()),
    }
}

/// Warns of each vendor that no hook URL is open for.
fn warn_of_closed_hooks(facts: &Facts, settings: &Settings) {
    for (provider, hooks) in
        [(Provider::Arcsite, facts.arcsite(settings)), (Provider::Bidsketch, facts.bidsketch(settings))]
    {
        if hooks.is_closed {
            tracing::warn!(%provider, "{}", hooks.text);
        }
    }
}

fn signature_tolerance(settings: &Settings) -> SignatureTolerance {
    SignatureTolerance {
        past: TimeDelta::hours(settings.arcsite.signature_max_age_hours.into()),
        future: TimeDelta::minutes(settings.arcsite.signature_max_ahead_minutes.into()),
    }
}
