//! The servers. Each is a process: this program, started again.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use axum::serve::ListenerExt;
use bidarc::clock::Clock;
use bidarc::config::Settings;
use clap::ValueEnum;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::{Failure, handwritten, live, report, row_by_row};

/// The kind of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// bidarc.
    Bidarc,
    /// One statement that builds the JSON.
    Handwritten,
    /// SeaORM models under DataLoaders.
    RowByRow,
    /// A bare broadcast of frames.
    Bare,
    /// The service behind the library's stock transport.
    Stock,
}

impl Kind {
    /// Its name in the report.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bidarc => "bidarc",
            Self::Handwritten => "hand-written",
            Self::RowByRow => "row by row",
            Self::Bare => "bare broadcast",
            Self::Stock => "stock transport",
        }
    }

    const fn argument(self) -> &'static str {
        match self {
            Self::Bidarc => "bidarc",
            Self::Handwritten => "handwritten",
            Self::RowByRow => "row-by-row",
            Self::Bare => "bare",
            Self::Stock => "stock",
        }
    }
}

/// The name of another build of bidarc in a report.
pub(crate) const OTHER_BUILD: &str = "bidarc, the other build";

/// The URL of an SQLite file.
pub(crate) fn sqlite(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

/// Serves a database until the process ends.
pub(crate) async fn serve(kind: Kind, database: &str) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    report::print(&listener.local_addr()?.to_string())?;
    match kind {
        Kind::Bidarc => {
            let mut settings = Settings::defaults()?;
            settings.database.url = database.into();
            let stop = std::future::pending();
            bidarc::app::serve(&settings, Clock::system(), listener, stop).await?;
        }
        Kind::Handwritten => axum::serve(listener, handwritten::router(database).await?).await?,
        Kind::Bare => axum::serve(listener.tap_io(no_delay), live::bare::router()).await?,
        Kind::Stock => axum::serve(listener.tap_io(no_delay), live::stock::router(database).await?).await?,
        Kind::RowByRow => axum::serve(listener, row_by_row::router(database).await?).await?,
    }
    Ok(())
}

/// Disables Nagle's algorithm, as the service does: a frame leaves when it is written.
fn no_delay(stream: &mut TcpStream) {
    // A closed connection does not need it.
    let _ = stream.set_nodelay(true);
}

/// A running server. Dropping it ends the process.
pub(crate) struct Running {
    /// The address at which it listens.
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Running {
    /// Starts a server on a database, and waits until it reports its address.
    pub(crate) async fn start(kind: Kind, database: &str) -> Result<Self, Failure> {
        Self::start_from(&std::env::current_exe()?, kind, database).await
    }

    /// The same from another build of this program.
    pub(crate) async fn start_from(program: &Path, kind: Kind, database: &str) -> Result<Self, Failure> {
        let mut process = Command::new(program)
            .args(["server", kind.argument(), database])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let out = process.stdout.take().ok_or("the server has no standard output")?;
        let line = BufReader::new(out).lines().next_line().await?;
        let address = line.ok_or_else(|| format!("the server {} did not start", kind.name()))?.parse()?;
        Ok(Self { address, process })
    }

    /// Its resident set, in bytes.
    pub(crate) fn memory(&self) -> Result<u64, Failure> {
        let id = self.process.id().ok_or("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("/proc has no VmRSS")?;
        Ok(kilobytes.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// Ends the server.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        Ok(self.process.kill().await?)
    }
}
