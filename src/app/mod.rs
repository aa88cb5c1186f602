//! Wiring: from settings to a service on a listener. [`serve`] is the one door, for `main` and for tests; `main` goes through it in
//! two steps, [`Service::open`] and [`Service::serve`], to say in between where the service is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use chrono::TimeDelta;
use metrics_exporter_prometheus::BuildError;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Keys;
use crate::clock::Clock;
use crate::config::{Bidsketch, DatabaseUrl, Settings};
use crate::domain::Provider;
use crate::feed::Feed;
use crate::graphql;
use crate::http::{self, AllowedOrigins, AppState};
use crate::ingest::record::DedupWindowLengths;
use crate::ingest::release::Releaser;
use crate::ingest::verify::Verifier;
use crate::ingest::writer::Writer;
use crate::ingest::{Ingest, SignatureTolerance};
use crate::metrics;
use crate::store::{OpenError, Store, StoreError};
use crate::vendor::bidsketch::api::{ApiConfigError, BidsketchApi};
use crate::webhooks::Webhooks;

mod shutdown;
mod tasks;

use shutdown::Shutdown;
use tasks::Tasks;

/// Why the service does not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database cannot be used.
    #[error("{error}\n  database.url is {url}")]
    Store {
        /// What went wrong.
        #[source]
        error: OpenError,
        /// The setting.
        url: DatabaseUrl,
    },
    /// It would be reachable from elsewhere, and there is no key to keep strangers out.
    #[error(
        "others could reach this service (server.listen is {listen}, server.public_url is {url}), and there is no \
         key to keep strangers out. Make one first, with the same settings:\n  \
         bidarc keys add NAME --scope manage\n\
         For a try on this machine alone, let server.listen be 127.0.0.1:8080 and leave server.public_url empty: that needs \
         no key",
        url = .public_url.as_deref().unwrap_or("empty")
    )]
    NoKey {
        /// The address listened on.
        listen: SocketAddr,
        /// `server.public_url`.
        public_url: Option<String>,
    },
    /// The settings of Bidsketch's API are of no use.
    #[error(transparent)]
    Bidsketch(#[from] ApiConfigError),
    /// The metrics cannot be set up.
    #[error("the metrics cannot be set up: {0}")]
    Metrics(#[from] BuildError),
    /// A part of the service that must not end has ended: its log tells why.
    #[error("{0} has ended; the log above tells why")]
    TaskEnded(&'static str),
    /// The listener failed.
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
}

/// Serves on a listener until `shutdown` is ready; then finishes what it has begun, within the grace time.
///
/// # Errors
///
/// [`ServeError`] says what stands in the way of starting.
pub async fn serve(
    settings: &Settings,
    clock: Clock,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    Service::open(settings, clock, &listener).await?.serve(listener, shutdown).await
}

/// A service that may serve: its database is open, and nobody is let in whom it should not let in.
#[derive(Debug)]
pub struct Service<'a> {
    settings: &'a Settings,
    clock: Clock,
    /// Whether the settings make it open mode, as long as there is no key.
    open_without_keys: bool,
    store: Store,
    keys: Keys,
}

impl<'a> Service<'a> {
    /// Opens the database, and reads the keys.
    ///
    /// # Errors
    ///
    /// Where the database cannot be used, and where the service would be reachable from elsewhere and has no key.
    pub async fn open(settings: &'a Settings, clock: Clock, listener: &TcpListener) -> Result<Self, ServeError> {
        let listen = listener.local_addr()?;
        let open = settings.is_open_mode(listen);
        let store = Store::open(&settings.database, clock.now()).await.map_err(|error| store_error(settings, error))?;
        let keys = Keys::new(store.clone(), open).await.map_err(|error| store_error(settings, error))?;
        if !open && keys.count() == 0 {
            store.close().await;
            return Err(ServeError::NoKey { listen, public_url: settings.server.public_url.clone() });
        }
        Ok(Self { settings, clock, open_without_keys: open, store, keys })
    }

    /// How many keys there are that are not revoked. With none it is open mode.
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.keys.count()
    }

    /// Serves until `shutdown` is ready; then finishes what it has begun, within the grace time.
    ///
    /// # Errors
    ///
    /// [`ServeError`] says what failed.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let Self { settings, clock, open_without_keys: open, store, keys } = self;
        let store_error = |error: StoreError| store_error(settings, error);
        let feed = Feed::new(store.clone()).await.map_err(store_error)?;
        let verifier = build_verifier(settings, open);
        log_hook_access(&verifier);
        let windows = DedupWindowLengths { state: settings.state_window(), occurrence: settings.occurrence_window() };
        let releaser = Releaser::new(store.clone(), windows, feed.waker());
        let webhooks = build_webhooks(settings, &store, &clock, listener.local_addr()?)?;
        webhooks.recover().await;
        let writer_shutdown = CancellationToken::new();
        let (writer, writer_task) = Writer::start(store.clone(), windows, feed.waker(), writer_shutdown.clone());
        let ingest = Ingest { store: store.clone(), verifier, tolerance: signature_tolerance(settings), writer };

        let metrics = metrics::install()?;
        let stopping = CancellationToken::new();
        let connections = TaskTracker::new();
        let router = http::router(AppState {
            ingest: Arc::new(ingest),
            graphql: graphql::build_executor(
                store.clone(),
                feed.clone(),
                releaser,
                webhooks.clone(),
                &settings.graphql,
            ),
            store: store.clone(),
            feed: feed.clone(),
            clock,
            metrics: metrics.clone(),
            keys: keys.clone(),
            origins: AllowedOrigins::new(&settings.server.allowed_origins),
            shutdown: stopping.clone(),
            connections: connections.clone(),
        });
        let mut tasks = Tasks::start(writer_task, feed, keys, metrics, webhooks.clone());

        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY could not be set");
            }
        });
        let signal = stopping.clone();
        let server = axum::serve(listener, router).with_graceful_shutdown(async move {
            shutdown.await;
            tracing::info!("stopping: finishing what was accepted");
            signal.cancel();
        });
        let grace = Duration::from_secs(settings.server.shutdown_grace_seconds);
        let grace_over = async {
            stopping.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        let mut ended = None;
        tokio::select! {
            served = server => served?,
            task = tasks.wait_for_exit() => {
                tracing::error!("{task} has ended: the service stops, so that it can be started again");
                ended = Some(task);
                stopping.cancel();
            }
            () = grace_over => tracing::warn!(seconds = grace.as_secs(), "not everything was finished within server.shutdown_grace_seconds"),
        }
        Shutdown { tasks, connections, webhooks, writer_shutdown, store }.run().await;
        ended.map_or(Ok(()), |task| Err(ServeError::TaskEnded(task)))
    }
}

fn store_error(settings: &Settings, error: impl Into<OpenError>) -> ServeError {
    ServeError::Store { error: error.into(), url: settings.database.url.clone() }
}

fn build_verifier(settings: &Settings, open: bool) -> Verifier {
    Verifier {
        arcsite_secrets: settings.arcsite.signing_secrets.clone(),
        arcsite_token: settings.arcsite.path_token.clone(),
        bidsketch_token: settings.bidsketch.path_token.clone(),
        open,
    }
}

/// What manages the webhooks at Bidsketch. On a first try Bidsketch's part is played by a program on this machine, which reaches the
/// service where it listens.
fn build_webhooks(
    settings: &Settings,
    store: &Store,
    clock: &Clock,
    listen: SocketAddr,
) -> Result<Webhooks, ServeError> {
    let Bidsketch { api_url, api_token, api_timeout_seconds, .. } = &settings.bidsketch;
    let timeout = Duration::from_secs(*api_timeout_seconds);
    let api = api_token.as_ref().map(|token| BidsketchApi::new(api_url, token, timeout)).transpose()?;
    let listens_at = settings.is_open_mode(listen).then(|| format!("http://{listen}"));
    let base = settings.server.public_url.clone().or(listens_at);
    Ok(Webhooks::new(store.clone(), api, base, clock.clone()))
}

/// Says what each vendor's hooks take.
fn log_hook_access(verifier: &Verifier) {
    for provider in Provider::ALL.iter().copied() {
        if verifier.is_open(provider) {
            tracing::warn!(%provider, "open mode: hooks are taken without proof of who sent them, from this machine only");
        } else if !verifier.is_configured(provider) {
            tracing::warn!(%provider, "no secret is set: hooks of this vendor are answered 404");
        }
    }
}

fn signature_tolerance(settings: &Settings) -> SignatureTolerance {
    SignatureTolerance {
        past: TimeDelta::hours(settings.arcsite.signature_max_age_hours.into()),
        future: TimeDelta::minutes(settings.arcsite.signature_max_ahead_minutes.into()),
    }
}
