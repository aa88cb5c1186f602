//! A temporary PostgreSQL cluster. `scripts/throwaway-postgres` runs it while this process lives.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// A cluster. It ends with its script when this value is dropped or the process ends.
pub(crate) struct Cluster {
    control: Mutex<Control>,
    base: String,
    bin_directory: String,
    databases: AtomicU32,
}

/// The pipes to the script that runs the cluster.
struct Control {
    child: Child,
    /// `None` after the pipe was closed, which ends the script.
    commands: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

/// The cluster that tests share.
static SHARED: LazyLock<Arc<Cluster>> = LazyLock::new(|| Arc::new(Cluster::start()));

impl Cluster {
    /// The shared cluster. A test must not crash, restart or pause it.
    pub(crate) fn shared() -> Arc<Self> {
        Arc::clone(&SHARED)
    }

    /// A cluster for one test, which may crash, restart or pause it.
    pub(crate) fn dedicated() -> Arc<Self> {
        Arc::new(Self::start())
    }

    fn start() -> Self {
        let script = format!("{}/scripts/throwaway-postgres", env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let commands = child.stdin.take();
        let mut replies = BufReader::new(child.stdout.take().unwrap());
        let url = line(&mut replies);
        let base = url.strip_suffix("/postgres").unwrap_or_else(|| panic!("no cluster: {url:?}")).to_owned();
        let bin_directory = line(&mut replies);
        Self {
            control: Mutex::new(Control { child, commands, replies }),
            base,
            bin_directory,
            databases: AtomicU32::new(0),
        }
    }

    /// The URL of a database in this cluster.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    /// A name that no database in this cluster has.
    pub(super) fn unused_name(&self) -> String {
        format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed))
    }

    /// Executes a statement as an administrator.
    pub(super) fn execute(&self, statement: &str) {
        self.execute_in(&self.url("postgres"), statement);
    }

    /// Executes a statement in a database as an administrator.
    pub(crate) fn execute_in(&self, url: &str, statement: &str) {
        let psql = format!("{}/psql", self.bin_directory);
        let arguments = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statement, url];
        let output = Command::new(psql).args(arguments).output().unwrap();
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A dump of a database by `pg_dump`.
    pub(super) fn dump(&self, name: &str) -> Vec<u8> {
        let pg_dump = format!("{}/pg_dump", self.bin_directory);
        let output = Command::new(pg_dump).arg(self.url(name)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Runs a shell command that calls PostgreSQL's programs.
    pub(crate) fn run(&self, command: &str) {
        let path = format!("{}:/usr/bin:/bin", self.bin_directory);
        let output = Command::new("/bin/bash").args(["-c", command]).env("PATH", path).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Crashes the server.
    pub(crate) fn crash(&self) {
        self.send_command("crash");
    }

    /// Starts the server after a crash.
    pub(crate) fn start_after_crash(&self) {
        self.send_command("start");
    }

    /// Stops the server immediately, as an administrator can, and starts it.
    pub(crate) fn restart(&self) {
        self.send_command("restart");
    }

    /// Restarts the server as a replica.
    pub(crate) fn restart_as_replica(&self) {
        self.send_command("standby");
    }

    /// Suspends the server, as on a machine that hangs.
    pub(crate) fn pause(&self) {
        self.send_command("pause");
    }

    /// Resumes a suspended server.
    pub(crate) fn resume(&self) {
        self.send_command("resume");
    }

    fn send_command(&self, command: &str) {
        let mut control = self.control.lock().unwrap();
        writeln!(control.commands.as_mut().unwrap(), "{command}").unwrap();
        assert_eq!(line(&mut control.replies), "done", "{command}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let control = self.control.get_mut().unwrap();
        drop(control.commands.take());
        control.child.wait().unwrap();
    }
}

fn line(replies: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    replies.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}
