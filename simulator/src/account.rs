//! The made-up Bidsketch account of `--api`: serves it and shows its changes.

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;

use clap::CommandFactory;
use clap::error::ErrorKind;
use simulator::api::BidsketchApi;
use simulator::registry::Change;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::cli::Cli;

/// Serves the API if `--api` asks for it, and says what to set in the service. Every later change
/// to its webhooks gets a line.
pub async fn serve(cli: &Cli, seed: u64, out: &mut impl Write) -> Result<Option<Arc<BidsketchApi>>, Box<dyn Error>> {
    let Some(options) = cli.api(seed) else { return Ok(None) };
    let listen = options.listen;
    if !listen.ip().is_loopback() && !cli.allow_remote {
        let message = format!("--api: other machines can reach {listen}; to serve it anyway, add --allow-remote");
        Cli::command().error(ErrorKind::ValueValidation, message).exit();
    }
    let api =
        BidsketchApi::start(options).await.map_err(|error| format!("--api: cannot listen at {listen}: {error}"))?;
    writeln!(out, "Serving Bidsketch's API. Start the service with")?;
    writeln!(out, "  BIDARC_BIDSKETCH__API_URL={} BIDARC_BIDSKETCH__API_TOKEN={}", api.url(), cli.shown_api_token())?;
    tokio::spawn(show(api.registry().watch(), cli.allow_remote));
    Ok(Some(Arc::new(api)))
}

/// Shows one line for each change, between the lines of a run.
async fn show(mut changes: UnboundedReceiver<Change>, remote: bool) -> io::Result<()> {
    while let Some(change) = changes.recv().await {
        let remark = match &change {
            Change::Registered(webhook) if !remote && !webhook.is_on_this_machine() => {
                " (not on this machine: no hooks are sent to it without --allow-remote)"
            }
            Change::Registered(_) | Change::Deleted(_) | Change::Gone(_) => "",
        };
        writeln!(io::stdout(), "{change}{remark}")?;
    }
    Ok(())
}
