//! A throw-away PostgreSQL cluster, run by `scripts/throwaway-postgres`. Like a deployment, it
//! waits for its disk.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
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
    /// Creates a cluster in a directory, or in the one for temporary files, and waits until it
    /// accepts connections.
    pub(crate) async fn start(directory: Option<&Path>) -> Result<Self, Failure> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/throwaway-postgres");
        let mut script = Command::new(path);
        script.arg("--durable").stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(directory) = directory {
            script.env("TMPDIR", std::path::absolute(directory)?);
        }
        let mut script = script.spawn()?;
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

    /// The version of PostgreSQL, such as 15.14.
    pub(crate) async fn server_version(&self) -> Result<String, Failure> {
        let database = sea_orm::Database::connect(&self.url).await?;
        let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, "SHOW server_version")).await?;
        let version: String = row.ok_or("PostgreSQL did not tell its version")?.try_get_by_index(0)?;
        database.close().await?;
        Ok(version.split(' ').next().unwrap_or_default().to_owned())
    }

    /// Deletes the cluster, and waits until it is gone.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let Self { mut script, commands, .. } = self;
        drop(commands);
        let ended = with_timeout(STOP_TIMEOUT, "deleting the cluster", async { Ok(script.wait().await?) }).await?;
        if ended.success() { Ok(()) } else { Err(format!("scripts/throwaway-postgres failed: {ended}").into()) }
    }
}
