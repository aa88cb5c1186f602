//! A throw-away PostgreSQL cluster, kept by `scripts/throwaway-postgres` for as long as this process lives.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// A cluster. The script ends, and the cluster with it, once this is dropped or the process is gone.
pub(crate) struct Cluster {
    talk: Mutex<Talk>,
    base: String,
    programs: String,
    databases: AtomicU32,
}

struct Talk {
    child: Child,
    /// Taken when the script is to end.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// One for all tests that leave it alone.
static SHARED: LazyLock<Arc<Cluster>> = LazyLock::new(|| Arc::new(Cluster::start()));

impl Cluster {
    /// The one that all tests share: nobody breaks it.
    pub(crate) fn shared() -> Arc<Self> {
        Arc::clone(&SHARED)
    }

    /// One of a test's own, which it may break.
    pub(crate) fn own() -> Arc<Self> {
        Arc::new(Self::start())
    }

    fn start() -> Self {
        let script = format!("{}/scripts/throwaway-postgres", env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let commands = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let url = line(&mut answers);
        let base = url.strip_suffix("/postgres").unwrap_or_else(|| panic!("no cluster: {url:?}")).to_owned();
        let programs = line(&mut answers);
        Self { talk: Mutex::new(Talk { child, commands, answers }), base, programs, databases: AtomicU32::new(0) }
    }

    /// The URL of a database in it.
    pub(super) fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    /// A name that no database has.
    pub(super) fn name(&self) -> String {
        format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs a statement, as an administrator does.
    pub(super) fn run(&self, statement: &str) {
        let psql = format!("{}/psql", self.programs);
        let arguments =
            ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statement, &self.url("postgres")];
        let ended = Command::new(psql).args(arguments).output().unwrap();
        assert!(ended.status.success(), "{statement}: {}", String::from_utf8_lossy(&ended.stderr));
    }

    /// All that a database holds, as a backup has it.
    pub(super) fn dump(&self, name: &str) -> Vec<u8> {
        let dump = format!("{}/pg_dump", self.programs);
        let ended = Command::new(dump).arg(self.url(name)).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        ended.stdout
    }

    /// Ends the server as a failure of it would.
    pub(crate) fn crash(&self) {
        self.tell("crash");
    }

    /// Starts it again after a crash.
    pub(crate) fn start_again(&self) {
        self.tell("start");
    }

    /// Ends it as an administrator does, at once, and starts it again.
    pub(crate) fn restart(&self) {
        self.tell("restart");
    }

    /// Lets it stand still, as a machine does that hangs.
    pub(crate) fn pause(&self) {
        self.tell("pause");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.tell("resume");
    }

    fn tell(&self, command: &str) {
        let mut talk = self.talk.lock().unwrap();
        writeln!(talk.commands.as_mut().unwrap(), "{command}").unwrap();
        assert_eq!(line(&mut talk.answers), "done", "{command}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let talk = self.talk.get_mut().unwrap();
        drop(talk.commands.take());
        talk.child.wait().unwrap();
    }
}

fn line(answers: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}
