//! The real binary in its own process, which a test can kill, restart or stop.

use std::ops::Deref;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};

use super::{Client, Database, TIMEOUT, eventually, within};

/// Linux assigns ephemeral ports above this range. A free port here therefore stays free while its
/// service is down.
const FIRST_PORT: u16 = 20_000;
const LAST_PORT: u16 = 32_000;

/// A command line of the binary. It runs in an empty directory with only the settings of the test,
/// and keeps no files.
pub(crate) struct Launch(Command);

/// A service in its own process. Dropping this value kills it.
pub(crate) struct Process {
    child: Child,
    client: Client,
    greeting: String,
    log: Arc<Mutex<String>>,
}

/// A command in its own process. Dropping this value kills it.
pub(crate) struct Running {
    child: Child,
    log: Arc<Mutex<String>>,
}

/// The exit status and the output of a process.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Launch {
    pub(crate) fn new(directory: impl Into<PathBuf>) -> Self {
        Self::of(Command::new(env!("CARGO_BIN_EXE_bidarc")), directory)
    }

    fn of(mut command: Command, directory: impl Into<PathBuf>) -> Self {
        command.env_clear().env("BIDARC_FILES__STORE", "off").current_dir(directory.into()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    /// The binary under a limit on the size of files, in KiB. A write past it fails, as on a full
    /// disk.
    pub(crate) fn with_file_size_limit(directory: impl Into<PathBuf>, kibibytes: u32) -> Self {
        Self::under(&["/bin/bash", "-c", &format!("ulimit -f {kibibytes}; exec \"$0\" \"$@\"")], directory)
    }

    /// The binary as a user whose rights to files are checked. The checks do not apply to root.
    pub(crate) fn without_root_rights(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        if std::fs::metadata(&directory).unwrap().uid() != 0 {
            return Self::new(directory);
        }
        Self::under(&["/usr/bin/setpriv", "--bounding-set=-dac_override,-dac_read_search"], directory)
    }

    /// The binary as a process that may open only so many files.
    pub(crate) fn with_open_files(directory: impl Into<PathBuf>, files: u32) -> Self {
        Self::under(&["/bin/sh", "-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")], directory)
    }

    fn under(program: &[&str], directory: impl Into<PathBuf>) -> Self {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).arg(env!("CARGO_BIN_EXE_bidarc"));
        Self::of(command, directory)
    }

    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.0.arg(arg);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// The command `bidarc keys …` on this database.
    pub(crate) fn keys(database: &Database, arguments: &[&str]) -> Self {
        let launch = Self::new(database.directory()).arg("keys").arg("--database-url").arg(&database.url());
        arguments.iter().fold(launch, |launch, argument| launch.arg(argument))
    }

    /// Starts a service on this port and database.
    pub(crate) async fn serve(self, port: u16, database: &Database) -> Process {
        self.arg("--database-url").arg(&database.url()).serve_configured(port).await
    }

    /// Starts a service on this port and on the database of its settings.
    pub(crate) async fn serve_configured(self, port: u16) -> Process {
        let launch = self.arg("--listen").arg(&format!("127.0.0.1:{port}"));
        let mut child = launch.spawn();
        let log = collect(child.stderr.take().unwrap());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let greeting = within("the service prints its greeting", read_greeting(&mut lines)).await;
        let base = greeting.lines().find_map(|line| line.trim().strip_prefix("playground")).unwrap_or_else(|| {
            panic!("no playground in the greeting: {greeting:?}, {}", log.lock().unwrap());
        });
        let base = base.trim().trim_end_matches("/playground").to_owned();
        Process { child, client: Client::new(base), greeting, log }
    }

    /// Starts a service whose greeting and log go into this pipe.
    pub(crate) async fn serve_into(mut self, pipe: std::io::PipeWriter, port: u16, database: &Database) -> Process {
        self.0.stdout(pipe.try_clone().unwrap()).stderr(pipe);
        let launch = self.arg("--database-url").arg(&database.url()).arg("--listen").arg(&format!("127.0.0.1:{port}"));
        let child = launch.spawn();
        let client = Client::new(format!("http://127.0.0.1:{port}"));
        eventually("the service answers", TIMEOUT, async || {
            client.request(reqwest::Method::GET, "/healthz").send().await.ok()
        })
        .await;
        Process { child, client, greeting: String::new(), log: Arc::default() }
    }

    /// Runs the command to its end.
    pub(crate) async fn run(self) -> Output {
        self.run_within(TIMEOUT).await
    }

    /// Runs a long command to its end.
    pub(crate) async fn run_within(mut self, limit: Duration) -> Output {
        let output = tokio::time::timeout(limit, self.0.output()).await.expect("the process ends in time").unwrap();
        Output {
            status: output.status,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts the command and returns while it runs.
    pub(crate) fn start(self) -> Running {
        let mut child = self.spawn();
        let log = collect(child.stderr.take().unwrap());
        Running { child, log }
    }

    fn spawn(mut self) -> Child {
        self.0.spawn().unwrap()
    }
}

impl Running {
    /// The log so far.
    pub(crate) fn log_so_far(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log contains this text.
    pub(crate) async fn wait_for_log(&self, text: &str) {
        eventually(text, TIMEOUT, async || self.log.lock().unwrap().contains(text).then_some(())).await;
    }

    /// Sends a signal by its name.
    pub(crate) async fn signal(&self, name: &str) {
        signal(&self.child, name).await;
    }

    /// Kills the process with SIGKILL.
    pub(crate) async fn kill(mut self) {
        within("the process is gone", self.child.kill()).await.unwrap();
    }

    /// Waits until the process exits, within this limit.
    pub(crate) async fn wait_within(mut self, limit: Duration) -> ExitStatus {
        tokio::time::timeout(limit, self.child.wait()).await.expect("the process ends in time").unwrap()
    }
}

impl Process {
    /// Starts a service with the default settings.
    pub(crate) async fn start(port: u16, database: &Database) -> Self {
        Launch::new(database.directory()).serve(port, database).await
    }

    /// The lines that the service printed at its start.
    pub(crate) fn greeting(&self) -> &str {
        &self.greeting
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Kills the service with SIGKILL, which stands for a power cut. It gets no chance to react.
    pub(crate) async fn kill(mut self) {
        within("the process is gone", self.child.kill()).await.unwrap();
    }

    /// Asks the service to stop, as a supervisor does.
    pub(crate) async fn terminate(&self) {
        self.signal("TERM").await;
    }

    /// Sends a signal by its name.
    pub(crate) async fn signal(&self, name: &str) {
        signal(&self.child, name).await;
    }

    /// The memory in use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// The log so far.
    pub(crate) fn log_so_far(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log contains this text. A line is written some time after what it tells of.
    pub(crate) async fn wait_for_log(&self, text: &str) {
        eventually(text, TIMEOUT, async || self.log_so_far().contains(text).then_some(())).await;
    }

    /// Waits until the process exits.
    pub(crate) async fn wait(mut self) -> ExitStatus {
        within("the process ends", self.child.wait()).await.unwrap()
    }

    /// Stops the service and checks the invariants of its database.
    pub(crate) async fn stop(self, database: &Database) {
        self.terminate().await;
        let log = Arc::clone(&self.log);
        let status = self.wait().await;
        assert!(status.success(), "{status}: {}", log.lock().unwrap());
        database.assert_consistent().await;
    }
}

impl Deref for Process {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

async fn signal(child: &Child, name: &str) {
    let id = child.id().expect("the process runs").to_string();
    let status = Command::new("kill").args([&format!("-{name}"), &id]).status().await.unwrap();
    assert!(status.success());
}

/// Makes a key by the command line. Returns its token.
pub(crate) async fn add_key(database: &Database, name: &str, scope: &str) -> String {
    let output = Launch::keys(database, &["add", name, "--scope", scope]).run().await;
    assert!(output.status.success(), "{output:?}");
    output.stdout.lines().last().unwrap().to_owned()
}

/// Revokes a key by the command line.
pub(crate) async fn revoke_key(database: &Database, name: &str) {
    let output = Launch::keys(database, &["revoke", name]).run().await;
    assert!(output.status.success(), "{output:?}");
}

/// A port on which a service can restart. The tests of one process get different ports. Other
/// processes begin elsewhere in the range.
pub(crate) async fn reserved_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let ports = u32::from(LAST_PORT - FIRST_PORT);
    for _ in 0..ports {
        let at = std::process::id().wrapping_mul(101).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % ports;
        let port = FIRST_PORT + u16::try_from(at).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// Reads up to the last line of the greeting.
async fn read_greeting(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let mut greeting = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        greeting.push_str(&line);
        greeting.push('\n');
        if line.trim().starts_with("files") {
            break;
        }
    }
    greeting
}

/// Collects the log of a process, so that the process never blocks on a full pipe.
fn collect(stream: impl AsyncRead + Unpin + Send + 'static) -> Arc<Mutex<String>> {
    let log = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&log);
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut log = sink.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
    log
}
