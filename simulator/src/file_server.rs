//! The files behind the links: serves them, and waits until the service has fetched them.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use clap::CommandFactory;
use clap::error::ErrorKind;
use simulator::files::FileServer;

use crate::cli::Cli;

/// Serves the files, if a hook can have a link.
pub async fn serve(cli: &Cli, seed: u64, out: &mut impl Write) -> Result<Option<FileServer>, Box<dyn Error>> {
    let Some(options) = cli.file_server(seed) else { return Ok(None) };
    let listen = options.listen;
    if !listen.ip().is_loopback() && !cli.allow_remote {
        let message = format!("--files: other machines can reach {listen}; to serve them anyway, add --allow-remote");
        Cli::command().error(ErrorKind::ValueValidation, message).exit();
    }
    let server =
        FileServer::start(options).await.map_err(|error| format!("--files: cannot listen at {listen}: {error}"))?;
    writeln!(out, "Serving drawings and proposals at {}.", server.url())?;
    Ok(Some(server))
}

/// Goes on serving after the last hook, until no request has come for some seconds.
pub async fn linger(server: &FileServer, cli: &Cli, out: &mut impl Write) -> io::Result<()> {
    if cli.linger > 0 {
        writeln!(out, "Serving the files until none has been fetched for {} s.", cli.linger)?;
        server.idle(Duration::from_secs(cli.linger.into())).await;
    }
    Ok(())
}
