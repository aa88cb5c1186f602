//! A throw-away PostgreSQL cluster that waits for its disk, kept by `scripts/throwaway-postgres`: what a deployment has, for as
//! long as a run takes.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use super::within;
use crate::Failure;

/// How long a cluster may take to be made.
const START_WITHIN: Duration = Duration::from_secs(120);
/// How long it may take to be taken away.
const END_WITHIN: Duration = Duration::from_secs(60);

/// A cluster. The script takes it away when its standard input closes: by [`Cluster::stop`], and however this process ends.
pub(super) struct Cluster {
    /// The URL of its database.
    pub(super) url: String,
    /// Not killed on drop: it would leave the cluster behind.
    script: Child,
    commands: ChildStdin,
}

impl Cluster {
    /// Makes a cluster, and waits until it takes connections.
    pub(super) async fn start() -> Result<Self, Failure> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/throwaway-postgres");
        let mut script = Command::new(path).arg("--durable").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let commands = script.stdin.take().ok_or("the script has no standard input")?;
        let mut says = BufReader::new(script.stdout.take().ok_or("the script has no standard output")?).lines();
        let said = async {
            let url = says.next_line().await?;
            // Where the programs are comes last: then it has started.
            Ok(says.next_line().await?.and(url).ok_or("the cluster did not start")?)
        };
        let url = within(START_WITHIN, "starting the cluster", said).await?;
        Ok(Self { url, script, commands })
    }

    /// Takes it away, and waits until it is gone.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        let Self { mut script, commands, .. } = self;
        drop(commands);
        let ended = within(END_WITHIN, "taking the cluster away", async { Ok(script.wait().await?) }).await?;
        if ended.success() { Ok(()) } else { Err(format!("the cluster's script has failed: {ended}").into()) }
    }
}
