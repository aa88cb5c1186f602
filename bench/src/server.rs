//! The servers, each a process of its own: this very program, started again.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use bidarc::clock::Clock;
use bidarc::config::Settings;
use clap::ValueEnum;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::{Failure, handwritten, report, row_by_row};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// The service.
    Bidarc,
    /// One statement that builds the JSON.
    Handwritten,
    /// SeaORM models under DataLoaders.
    RowByRow,
}

impl Kind {
    /// The name in the report.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bidarc => "bidarc",
            Self::Handwritten => "hand-written",
            Self::RowByRow => "row by row",
        }
    }

    const fn argument(self) -> &'static str {
        match self {
            Self::Bidarc => "bidarc",
            Self::Handwritten => "handwritten",
            Self::RowByRow => "row-by-row",
        }
    }
}

/// The URL of a database file.
pub(crate) fn url(database: &Path) -> String {
    format!("sqlite://{}", database.display())
}

/// Serves until the process is ended.
pub(crate) async fn serve(kind: Kind, database: &Path) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    report::say(&listener.local_addr()?.to_string())?;
    match kind {
        Kind::Bidarc => {
            let mut settings = Settings::defaults()?;
            settings.database.url = url(database);
            let never = std::future::pending();
            bidarc::app::serve(&settings, Clock::system(), listener, never).await?;
        }
        Kind::Handwritten => axum::serve(listener, handwritten::router(&url(database)).await?).await?,
        Kind::RowByRow => axum::serve(listener, row_by_row::router(&url(database)).await?).await?,
    }
    Ok(())
}

/// A server that runs; it ends with this value.
pub(crate) struct Running {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Running {
    /// Starts a server and waits until it says where it listens.
    pub(crate) async fn start(kind: Kind, database: &Path) -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["server", kind.argument()])
            .arg(database)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let out = process.stdout.take().ok_or("the server has no standard output")?;
        let line = BufReader::new(out).lines().next_line().await?;
        let address = line.ok_or_else(|| format!("the server {} did not start", kind.name()))?.parse()?;
        Ok(Self { address, process })
    }

    /// Ends the server.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        Ok(self.process.kill().await?)
    }
}
