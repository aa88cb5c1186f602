//! The service in this process: the same door as `main` uses, a socket of its own, a database of its own.

use std::ops::Deref;

use bidarc::app::{self, ServeError};
use bidarc::clock::Clock;
use bidarc::config::Settings;
use simulator::api::BidsketchApi;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Client, Database, ManualClock, within};

/// What a service is started with: the defaults, but for what a test changes.
pub(crate) struct Setup {
    settings: Settings,
    clock: Clock,
    database: Database,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self { settings: Settings::defaults().unwrap(), clock: Clock::system(), database: Database::fresh() }
    }

    /// Changes settings.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    pub(crate) fn signing_secrets(self, secrets: &[&str]) -> Self {
        self.with(|settings| settings.arcsite.signing_secrets = secrets.iter().map(|&secret| secret.into()).collect())
    }

    pub(crate) fn arcsite_token(self, token: &str) -> Self {
        self.with(|settings| settings.arcsite.path_token = Some(token.into()))
    }

    pub(crate) fn bidsketch_token(self, token: &str) -> Self {
        self.with(|settings| settings.bidsketch.path_token = Some(token.into()))
    }

    /// Bidsketch's API is the simulator's.
    pub(crate) fn bidsketch_api(self, api: &BidsketchApi, token: &str) -> Self {
        self.with(|settings| {
            settings.bidsketch.api_url = api.url();
            settings.bidsketch.api_token = Some(token.into());
            settings.bidsketch.api_timeout_seconds = 1;
        })
    }

    pub(crate) fn clock(mut self, clock: &ManualClock) -> Self {
        self.clock = clock.clock();
        self
    }

    /// On a database that was there before.
    pub(crate) fn database(mut self, database: Database) -> Self {
        self.database = database;
        self
    }

    pub(crate) async fn start(self) -> Service {
        let Self { mut settings, clock, database } = self;
        settings.database.url = database.url().into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(format!("http://{}", listener.local_addr().unwrap()));
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { drop(stopped.await) };
        let mut serving = tokio::spawn(async move { app::serve(&settings, clock, listener, shutdown).await });
        // The listener takes connections before the service does: its first answer says that it is there.
        tokio::select! {
            ready = client.get("/readyz") => assert_eq!(ready.status, 200, "{ready:?}"),
            ended = &mut serving => panic!("the service does not start: {ended:?}"),
        }
        Service { client, database, stop: Some(stop), serving }
    }
}

/// A running service. Talk to it by its [`Client`], and stop it in the end.
pub(crate) struct Service {
    client: Client,
    database: Database,
    /// Taken when the service is told to stop.
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Service {
    /// One with the defaults: open mode.
    pub(crate) async fn open() -> Self {
        Setup::new().start().await
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Its database, to be looked at or stood in the way of.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Tells it to stop and does not wait.
    pub(crate) fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Stops it, and looks at what it leaves behind. Gives its database, to be used again.
    pub(crate) async fn stop(mut self) -> Database {
        self.begin_stop();
        let served = within("the service stops", &mut self.serving).await.expect("the service does not panic");
        served.expect("the service ends well");
        self.database.assert_sound().await;
        std::mem::replace(&mut self.database, Database::fresh())
    }
}

impl Deref for Service {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let forgotten = self.stop.is_some() && !std::thread::panicking();
        assert!(!forgotten, "a test ends with `stop`, which looks at what is left over");
    }
}
