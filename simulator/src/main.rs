//! The simulator as a program. `simulator --help` explains it.

mod account;
mod cli;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use simulator::clock;
use simulator::hook::{Hook, Vendor};
use simulator::office::{Office, every_event_at};
use simulator::run::{Plan, run};
use simulator::sender::{Patience, Reply, Sender};
use simulator::tally::Tally;
use simulator::target::Target;
use tokio::net::TcpStream;

use crate::cli::Cli;

/// A service on this machine answers a connection at once; one elsewhere gets a little longer.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// How often to look for a service that is being started.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> ExitCode {
    match simulate(Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell when even that cannot be written.
            let _ = writeln!(io::stderr().lock(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything was acknowledged.
async fn simulate(cli: Cli) -> Result<bool, Box<dyn Error>> {
    let usage = |message: &str| Cli::command().error(ErrorKind::ValueValidation, message).exit();
    let target = cli.target().unwrap_or_else(|error| usage(&format!("--url: {error}")));
    if !target.is_loopback() && !cli.allow_remote {
        usage(&format!(
            "{} is not on this machine. Made-up webhooks would be kept there for good; \
             if that is what you want, add --allow-remote",
            target.base()
        ));
    }
    let seed = cli.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let mut out = io::stdout();
    let api = account::serve(&cli, seed, &mut out).await?;
    match (&api, cli.vendor.only()) {
        (None, _) => reach(&target).await?,
        // Whoever has just been told what to set cannot have started it yet.
        (Some(_), Some(Vendor::Arcsite) | None) => wait_for(&target, &mut out).await?,
        // Nothing is sent there: what is registered says where hooks go.
        (Some(_), Some(Vendor::Bidsketch)) => {}
    }

    let patience = Patience {
        first_pause: Duration::from_millis(cli.pause.into()),
        longest_pause: Duration::from_millis(cli.longest_pause.into()),
        arcsite_attempts: cli.arcsite_attempts,
        resign: !cli.keep_signature,
        workers: cli.workers.into(),
        ..Patience::default()
    };
    writeln!(out, "{}", announcement(&cli, &target, seed))?;

    let mut sender = Sender::new(target, patience, Arc::new(Tally::new()))?;
    let mut hooks = hooks(&cli, seed);
    // The API goes on to the end of this function: deliveries that are under way outlast the hooks.
    if let Some(api) = &api {
        sender = sender.with_registry(api.registry(), cli.allow_remote);
        let api = Arc::clone(api);
        hooks = Box::new(hooks.inspect(move |hook| api.learn(hook)));
    }
    let sender = Arc::new(sender);
    let plan = Plan { rate: cli.rate, lines: !cli.quiet, ..Plan::default() };
    let hooks = cli.disorder().over(hooks, seed);
    run(hooks, Arc::clone(&sender), &plan, ctrl_c(), &mut out).await?;

    writeln!(out, "\n{}", sender.tally())?;
    let all = sender.tally().all_acknowledged();
    if let Some(hint) = sender.tally().last_failure().filter(|_| !all).and_then(|last| hint(&last)) {
        writeln!(out, "{hint}")?;
    }
    Ok(all)
}

/// The hooks that were asked for, in their own order.
fn hooks(cli: &Cli, seed: u64) -> Box<dyn Iterator<Item = Hook>> {
    let only = cli.vendor.only();
    let wanted = move |hook: &Hook| only.is_none_or(|vendor| hook.vendor == vendor);
    if cli.every_event {
        return Box::new(every_event_at(seed, clock::now()).into_iter().filter(wanted));
    }
    let office = Office::new(seed, clock::now());
    let office = match only {
        Some(vendor) => office.only(vendor),
        None => office,
    };
    let endless = office.into_hooks(clock::now);
    match cli.count.and_then(|count| usize::try_from(count).ok()) {
        Some(count) => Box::new(endless.take(count)),
        None => Box::new(endless),
    }
}

/// One line: what will be sent, how fast, where, and which world it is.
fn announcement(cli: &Cli, target: &Target, seed: u64) -> String {
    let what = match (cli.every_event, cli.count) {
        (true, _) => "one hook of each event type".to_owned(),
        (false, Some(count)) => format!("{count} hooks"),
        (false, None) => "hooks until Ctrl-C".to_owned(),
    };
    let arcsite = match target.arcsite_secret() {
        Some(_) => format!("{} (signed)", target.shown_url(Vendor::Arcsite)),
        None => format!("{} (unsigned)", target.shown_url(Vendor::Arcsite)),
    };
    let bidsketch = match cli.api {
        Some(_) => "the webhooks that are registered with Bidsketch's API".to_owned(),
        None => target.shown_url(Vendor::Bidsketch),
    };
    let places = match cli.vendor.only() {
        Some(Vendor::Arcsite) => arcsite,
        Some(Vendor::Bidsketch) => bidsketch,
        None => format!("{arcsite} and {bidsketch}"),
    };
    format!("Sending {what}, {} a second, to {places}; world --seed {seed}.", cli.rate)
}

/// Fails with what to do when nothing listens: better than a screen of failed deliveries.
async fn reach(target: &Target) -> Result<(), String> {
    let base = target.base();
    let host = base.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = base.port_or_known_default().unwrap_or(80);
    let why = match tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no connection within {CONNECT_WITHIN:?}"),
    };
    Err(format!("nothing listens at {base} ({why}). Is bidarc running? Start it with `cargo run`, or give its --url."))
}

/// Waits until something listens, having said once what for.
async fn wait_for(target: &Target, out: &mut impl Write) -> io::Result<()> {
    if reach(target).await.is_err() {
        writeln!(out, "Waiting for the service at {}.", target.base())?;
        while reach(target).await.is_err() {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }
    Ok(())
}

/// What an answer most likely means when it is the last word.
fn hint(last: &Reply) -> Option<String> {
    let words = match last {
        Reply::Status(401) => "the signature is missing or wrong: is --arcsite-secret one of arcsite.signing_secrets?",
        Reply::Status(403) => "the service is in open mode and takes only direct requests to a loopback address",
        Reply::Status(404) => {
            "the path token is wrong, or that vendor is not configured: see --arcsite-token, --bidsketch-token"
        }
        Reply::Status(410) => "that webhook was retired on the service, which is how Bidsketch is told to delete it",
        Reply::Status(503) => "the service could not store what it got: its log says why",
        Reply::Status(_) | Reply::TimedOut | Reply::Broken(_) => return None,
    };
    Some(format!("Last failure {last}: {words}"))
}

/// The end that people give. Where Ctrl-C cannot be listened for, it ends the process as ever.
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
