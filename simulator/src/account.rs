//! The made-up Bidsketch account, where `--api` asks for it: served, and shown as it changes.

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;

use clap::CommandFactory;
use clap::error::ErrorKind;
use simulator::api::BidsketchApi;
use simulator::registry::Change;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::cli::Cli;

/// Serves the API if one is wanted, and says what to set in the service. From here on every change to its webhooks has its
/// line.
pub async fn serve(cli: &Cli, seed: u64, out: &mut impl Write) -> Result<Option<Arc<BidsketchApi>>, Box<dyn Error>> {
    let Some(options) = cli.api(seed) else { return Ok(None) };
    let listen = options.listen;
    if !listen.ip().is_loopback() && !cli.allow_remote {
        let message = format!("--api: {listen} can be reached by others; if that is what you want, add --allow-remote");
        Cli::command().error(ErrorKind::ValueValidation, message).exit();
    }
    let api =
        BidsketchApi::start(options).await.map_err(|error| format!("--api: cannot listen at {listen}: {error}"))?;
    writeln!(out, "Bidsketch's API is served. The service is to be started with")?;
    writeln!(out, "  BIDARC_BIDSKETCH__API_URL={} BIDARC_BIDSKETCH__API_TOKEN={}", api.url(), cli.shown_api_token())?;
    tokio::spawn(show(api.registry().watch(), cli.allow_remote));
    Ok(Some(Arc::new(api)))
}

/// A line a change. They come between the lines of a run, whole.
async fn show(mut changes: UnboundedReceiver<Change>, remote: bool) -> io::Result<()> {
    while let Some(change) = changes.recv().await {
        let remark = match &change {
            Change::Registered(webhook) if !remote && !webhook.is_on_this_machine() => {
                " (not on this machine: it is sent nothing without --allow-remote)"
            }
            Change::Registered(_) | Change::Deleted(_) | Change::Gone(_) => "",
        };
        writeln!(io::stdout(), "{change}{remark}")?;
    }
    Ok(())
}
