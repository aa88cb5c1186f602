//! A throw-away PostgreSQL cluster, run by `scripts/throwaway-postgres`. Like a deployment, it
//! waits for its disk.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use super::with_timeout;
use crate::Failure;

/// How long starting a cluster may take.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How long deleting it may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// A cluster. The script deletes it when its standard input closes: in [`Cluster::stop`], and also
/// if this process dies.
pub(crate) struct Cluster {
    /// The URL of its database.
    pub(crate) url: String,
    /// Not killed on drop, which would leave the cluster behind.
    script: Child,
    commands: ChildStdin,
}

impl Cluster {
    /// Creates a cluster, and waits until it accepts connections.
    pub(crate) async fn start() -> Result<Self, Failure> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/throwaway-postgres");
        let mut script = Command::new(path).arg("--durable").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let commands = script.stdin.take().ok_or("the script has no standard input")?;
        let mut lines = BufReader::new(script.stdout.take().ok_or("the script has no standard output")?).lines();
        let started = async {
            let url = lines.next_line().await?;
            // The second line comes when the server has started.
            Ok(lines.next_line().await?.and(url).ok_or("the cluster did not start")?)
        };
        let url = with_timeout(START_TIMEOUT, "starting the cluster", started).await?;
        Ok(Self { url, script, commands })
    }

    /// Deletes the cluster, and waits until it is gone.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let Self { mut script, commands, .. } = self;
        drop(commands);
        let ended = with_timeout(STOP_TIMEOUT, "deleting the cluster", async { Ok(script.wait().await?) }).await?;
        if ended.success() { Ok(()) } else { Err(format!("scripts/throwaway-postgres failed: {ended}").into()) }
    }
}
