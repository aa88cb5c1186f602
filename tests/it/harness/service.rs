//! The service inside the test process. It starts like `main`, on its own socket and database.

use std::ops::Deref;

use bidarc::app::{self, ServeError};
use bidarc::clock::Clock;
use bidarc::config::Settings;
use simulator::api::BidsketchApi;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Client, Database, ManualClock, within};

/// The start-up values of a service: the defaults without files, with the changes of a test.
pub(crate) struct Setup {
    settings: Settings,
    clock: Clock,
    database: Database,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self { settings: Settings::defaults().unwrap(), clock: Clock::system(), database: Database::fresh() }
            .with(|settings| settings.files.store = Some("off".to_owned()))
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

    /// Uses the simulator's Bidsketch API.
    pub(crate) fn bidsketch_api(self, api: &BidsketchApi, token: &str) -> Self {
        self.with(|settings| {
            settings.bidsketch.api_url = api.url().into();
            settings.bidsketch.api_token = Some(token.into());
            settings.bidsketch.api_timeout_seconds = 1;
        })
    }

    pub(crate) fn clock(mut self, clock: &ManualClock) -> Self {
        self.clock = clock.clock();
        self
    }

    /// The database of the service to start.
    pub(crate) fn database_of(&self) -> &Database {
        &self.database
    }

    /// Uses an existing database.
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
        // The listener accepts connections before the service runs. The first response shows that
        // it runs.
        tokio::select! {
            ready = client.get("/readyz") => assert_eq!(ready.status, 200, "{ready:?}"),
            result = &mut serving => panic!("the service does not start: {result:?}"),
        }
        Service { client, database, stop: Some(stop), serving }
    }
}

/// A running service. It dereferences to its [`Client`]. Every test must call [`Service::stop`].
pub(crate) struct Service {
    client: Client,
    database: Database,
    /// `None` after the service was asked to stop.
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Service {
    /// Starts a service with the defaults, in open mode.
    pub(crate) async fn open() -> Self {
        Setup::new().start().await
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The database of the service, for a test to inspect or to lock.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Asks the service to stop and does not wait.
    pub(crate) fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Stops the service and checks the invariants of its database. Returns the database.
    pub(crate) async fn stop(mut self) -> Database {
        self.begin_stop();
        let result = within("the service stops", &mut self.serving).await.expect("the service does not panic");
        result.expect("the service stops without an error");
        self.database.assert_consistent().await;
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
        let not_stopped = self.stop.is_some() && !std::thread::panicking();
        assert!(!not_stopped, "a test must end with `stop`, which checks the database");
    }
}
