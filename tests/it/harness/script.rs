//! A JavaScript client from `tests/clients`.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::within;

/// The directory of the clients. `scripts/test` installs their dependencies.
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

/// A running script. Dropping this value kills it.
pub(crate) struct Script {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Script {
    /// Runs a script in this directory with one variable in its environment.
    pub(crate) fn run(name: &str, variable: (&str, &str), directory: &Path) -> Self {
        let installed = Path::new(CLIENTS).join("node_modules");
        assert!(installed.exists(), "the clients are not installed; run npm ci --prefix tests/clients");
        let mut command = Command::new("node");
        command.arg(Path::new(CLIENTS).join(name)).env(variable.0, variable.1).current_dir(directory);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("node is installed");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, lines }
    }

    /// The source text of a script.
    pub(crate) fn source(name: &str) -> String {
        std::fs::read_to_string(Path::new(CLIENTS).join(name)).unwrap()
    }

    /// The next line that the script prints.
    pub(crate) async fn line(&mut self) -> String {
        within("the script prints a line", self.lines.next_line()).await.unwrap().expect("the script still runs")
    }
}
