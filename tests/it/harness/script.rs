//! A client from `tests/clients`, in JavaScript or Python.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::within;

/// The directory of the clients. `scripts/test` installs their dependencies.
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

/// The Python of the clients, which has their dependencies.
const PYTHON: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../clients/bin/python");

/// A running script. Dropping this value kills it.
pub(crate) struct Script {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    errors: JoinHandle<String>,
}

impl Script {
    /// Runs a script in this directory with these variables in its environment.
    pub(crate) fn run(name: &str, variables: &[(&str, &str)], directory: &Path) -> Self {
        let script = Path::new(CLIENTS).join(name);
        let is_python = script.extension().is_some_and(|extension| extension == "py");
        let (program, installed) =
            if is_python { (PYTHON, PYTHON.into()) } else { ("node", script.with_file_name("node_modules")) };
        assert!(installed.exists(), "the clients are not installed; scripts/test installs them");
        let mut command = Command::new(program);
        command.arg(script).current_dir(directory).envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("node is installed");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut stderr = child.stderr.take().unwrap();
        let errors = tokio::spawn(async move {
            let mut text = String::new();
            stderr.read_to_string(&mut text).await.unwrap();
            text
        });
        Self { child, lines, errors }
    }

    /// Waits until the script ends by itself. Returns its status and its standard error.
    pub(crate) async fn wait(mut self) -> (ExitStatus, String) {
        let status = within("the script ends", self.child.wait()).await.unwrap();
        (status, self.errors.await.unwrap())
    }

    /// Ends the script. Returns its standard error.
    pub(crate) async fn stop(mut self) -> String {
        self.child.kill().await.unwrap();
        self.errors.await.unwrap()
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
