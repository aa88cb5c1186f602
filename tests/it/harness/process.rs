//! The real binary as a process of its own: to be killed, restarted, asked to stop.

use std::ops::Deref;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};

use super::{BOUND, Client, Database, eventually, within};

/// Below this, Linux gives no port to a connection that wants just any: one that is free stays so while its service is
/// down.
const FIRST_PORT: u16 = 20_000;
const LAST_PORT: u16 = 32_000;

/// How a process is started: in an empty directory, with no settings but the test's.
pub(crate) struct Launch(Command);

/// A service in a process; killed when dropped.
pub(crate) struct Process {
    child: Child,
    client: Client,
    greeting: String,
    errors: Arc<Mutex<String>>,
}

/// A command in a process; killed when dropped.
pub(crate) struct Running {
    child: Child,
    errors: Arc<Mutex<String>>,
}

/// How a process ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Launch {
    pub(crate) fn new(directory: impl Into<PathBuf>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bidarc"));
        command.env_clear().current_dir(directory.into()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.0.arg(arg);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// `bidarc keys …` on this database.
    pub(crate) fn keys(database: &Database, arguments: &[&str]) -> Self {
        let launch = Self::new(database.directory()).arg("keys").arg("--database-url").arg(&database.url());
        arguments.iter().fold(launch, |launch, argument| launch.arg(argument))
    }

    /// Starts a service on this port and database.
    pub(crate) async fn serve(self, port: u16, database: &Database) -> Process {
        self.arg("--database-url").arg(&database.url()).serve_as_told(port).await
    }

    /// Starts a service on this port, and on the database that it was told of.
    pub(crate) async fn serve_as_told(self, port: u16) -> Process {
        let launch = self.arg("--listen").arg(&format!("127.0.0.1:{port}"));
        let mut child = launch.spawn();
        let errors = collect(child.stderr.take().unwrap());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let greeting = within("the service says where it is", greeting(&mut lines)).await;
        let base = greeting.lines().find_map(|line| line.trim().strip_prefix("playground")).unwrap_or_else(|| {
            panic!("no playground in the greeting: {greeting:?}, {}", errors.lock().unwrap());
        });
        let base = base.trim().trim_end_matches("/playground").to_owned();
        Process { child, client: Client::new(base), greeting, errors }
    }

    /// Runs to the end.
    pub(crate) async fn run(self) -> Ended {
        self.run_within(BOUND).await
    }

    /// Runs to the end of something long.
    pub(crate) async fn run_within(mut self, bound: Duration) -> Ended {
        let output = tokio::time::timeout(bound, self.0.output()).await.expect("the process ends in time").unwrap();
        Ended {
            status: output.status,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts a command and lets it run.
    pub(crate) fn start(self) -> Running {
        let mut child = self.spawn();
        let errors = collect(child.stderr.take().unwrap());
        Running { child, errors }
    }

    fn spawn(mut self) -> Child {
        self.0.spawn().unwrap()
    }
}

impl Running {
    /// Waits until it has said this.
    pub(crate) async fn says(&self, what: &str) {
        eventually(what, BOUND, async || self.errors.lock().unwrap().contains(what).then_some(())).await;
    }

    /// Sends it a signal, by its name.
    pub(crate) async fn signal(&self, name: &str) {
        signal(&self.child, name).await;
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill(mut self) {
        within("the process is gone", self.child.kill()).await.unwrap();
    }

    /// How it ends by itself, after something long.
    pub(crate) async fn ended_within(mut self, bound: Duration) -> ExitStatus {
        tokio::time::timeout(bound, self.child.wait()).await.expect("the process ends in time").unwrap()
    }
}

impl Process {
    /// Starts a service with the defaults.
    pub(crate) async fn start(port: u16, database: &Database) -> Self {
        Launch::new(database.directory()).serve(port, database).await
    }

    /// What it said when it started.
    pub(crate) fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Ends it as a power cut would: it gets no chance to do anything.
    pub(crate) async fn kill(mut self) {
        within("the process is gone", self.child.kill()).await.unwrap();
    }

    /// Asks it to stop, as a supervisor does.
    pub(crate) async fn terminate(&self) {
        self.signal("TERM").await;
    }

    /// Sends it a signal, by its name.
    pub(crate) async fn signal(&self, name: &str) {
        signal(&self.child, name).await;
    }

    /// What it has logged so far.
    pub(crate) fn log_so_far(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    /// How it ends by itself.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        within("the process ends", self.child.wait()).await.unwrap()
    }

    /// Asks it to stop, and looks at what it leaves behind.
    pub(crate) async fn stop(self, database: &Database) {
        self.terminate().await;
        let log = Arc::clone(&self.errors);
        let status = self.ended().await;
        assert!(status.success(), "{status}: {}", log.lock().unwrap());
        database.assert_sound().await;
    }
}

impl Deref for Process {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

async fn signal(child: &Child, name: &str) {
    let id = child.id().expect("it runs").to_string();
    let status = Command::new("kill").args([&format!("-{name}"), &id]).status().await.unwrap();
    assert!(status.success());
}

/// Makes a key, as an operator does, and gives its token.
pub(crate) async fn add_key(database: &Database, name: &str, scope: &str) -> String {
    let ended = Launch::keys(database, &["add", name, "--scope", scope]).run().await;
    assert!(ended.status.success(), "{ended:?}");
    ended.stdout.lines().last().unwrap().to_owned()
}

/// Takes a key back, as an operator does.
pub(crate) async fn revoke_key(database: &Database, name: &str) {
    let ended = Launch::keys(database, &["revoke", name]).run().await;
    assert!(ended.status.success(), "{ended:?}");
}

/// A port on which a service can be started again and again. No two tests of this process get the same one, and other processes begin
/// elsewhere.
pub(crate) async fn lasting_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let ports = u32::from(LAST_PORT - FIRST_PORT);
    for _ in 0..ports {
        let at = std::process::id().wrapping_mul(101).wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % ports;
        let port = FIRST_PORT + u16::try_from(at).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// The lines up to the last of the greeting.
async fn greeting(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        said.push_str(&line);
        said.push('\n');
        if line.trim().starts_with("database") {
            break;
        }
    }
    said
}

/// Reads what a process logs, so that it never waits for a reader.
fn collect(stream: impl AsyncRead + Unpin + Send + 'static) -> Arc<Mutex<String>> {
    let log = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&log);
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut log = into.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
    log
}
