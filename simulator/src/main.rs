//! The simulator as a program. `simulator --help` explains it.

mod account;
mod cli;
mod file_server;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use simulator::arcsite::Links;
use simulator::clock;
use simulator::files::FileServer;
use simulator::hook::{Hook, Vendor};
use simulator::office::{Office, every_event_at};
use simulator::run::{Plan, run};
use simulator::sender::{Reply, RetryPolicy, Sender};
use simulator::tally::Tally;
use simulator::target::Target;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::cli::Cli;

/// How long connecting may take. A service on this machine answers at once; a remote one needs a
/// little longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How often to look for a service that is starting.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> ExitCode {
    match simulate(Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // A failure to write this cannot be reported anywhere.
            let _ = writeln!(io::stderr().lock(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the simulator. True if everything was acknowledged.
async fn simulate(cli: Cli) -> Result<bool, Box<dyn Error>> {
    let usage = |message: &str| Cli::command().error(ErrorKind::ValueValidation, message).exit();
    let target = cli.target().unwrap_or_else(|error| usage(&format!("--url: {error}")));
    if !target.is_loopback() && !cli.allow_remote {
        usage(&format!(
            "--url: {} is not on this machine, and its bidarc would store made-up webhooks for good; \
             to do that anyway, add --allow-remote",
            target.base()
        ));
    }
    let seed = cli.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let mut out = io::stdout();
    let api = account::serve(&cli, seed, &mut out).await?;
    let files = file_server::serve(&cli, seed, &mut out).await?;
    let links = files.as_ref().map_or_else(Links::nowhere, FileServer::links);
    match (&api, cli.vendor.only()) {
        (None, _) => check_reachable(&target).await?,
        // The user has just read what to set, so the service cannot be running yet.
        (Some(_), Some(Vendor::Arcsite) | None) => wait_until_reachable(&target, &mut out).await?,
        // Nothing is sent to the target: hooks go to the registered webhooks.
        (Some(_), Some(Vendor::Bidsketch)) => {}
    }

    let retry_policy = RetryPolicy {
        first_pause: Duration::from_millis(cli.pause.into()),
        longest_pause: Duration::from_millis(cli.longest_pause.into()),
        arcsite_attempts: cli.arcsite_attempts,
        resign: !cli.keep_signature,
        workers: cli.workers.into(),
        ..RetryPolicy::default()
    };
    writeln!(out, "{}", announcement(&cli, &target, seed))?;

    let mut sender = Sender::new(target, retry_policy, Arc::new(Tally::new()))?;
    let mut hooks = hooks(&cli, seed, links);
    // The API runs until this function ends, since deliveries may outlast the hooks.
    if let Some(api) = &api {
        sender = sender.with_registry(api.registry(), cli.allow_remote);
        let api = Arc::clone(api);
        hooks = Box::new(hooks.inspect(move |hook| api.learn(hook)));
    }
    let sender = Arc::new(sender);
    let plan = Plan { rate: cli.rate, lines: !cli.quiet, ..Plan::default() };
    let hooks = cli.disorder().over(hooks, seed);
    let stopped = Arc::new(Notify::new());
    let stop = Arc::clone(&stopped);
    let stop = async move {
        ctrl_c().await;
        // The wait for the files ends as well.
        stop.notify_one();
    };
    run(hooks, Arc::clone(&sender), &plan, stop, &mut out).await?;
    if let Some(files) = &files {
        tokio::select! {
            result = file_server::linger(files, &cli, &mut out) => result?,
            () = stopped.notified() => {}
            () = ctrl_c() => {}
        }
    }

    writeln!(out, "\n{}", sender.tally())?;
    let all = sender.tally().all_acknowledged();
    if let Some(hint) = sender.tally().last_failure().filter(|_| !all).and_then(|last| hint(&last)) {
        writeln!(out, "{hint}")?;
    }
    Ok(all)
}

/// The requested hooks, in the order of the world.
fn hooks(cli: &Cli, seed: u64, links: Links) -> Box<dyn Iterator<Item = Hook>> {
    let only = cli.vendor.only();
    let is_requested = move |hook: &Hook| only.is_none_or(|vendor| hook.vendor == vendor);
    if cli.every_event {
        return Box::new(every_event_at(seed, clock::now(), links).into_iter().filter(is_requested));
    }
    let office = Office::new(seed, clock::now()).with_links(links);
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

/// One line: what is sent, at which rate, to which URLs, and the seed of the world.
fn announcement(cli: &Cli, target: &Target, seed: u64) -> String {
    let amount = match (cli.every_event, cli.count) {
        (true, _) => "one hook of each event type".to_owned(),
        (false, Some(count)) => format!("{count} hooks"),
        (false, None) => "hooks until Ctrl-C".to_owned(),
    };
    let arcsite = match target.arcsite_secret() {
        Some(_) => format!("{} (signed)", target.shown_url(Vendor::Arcsite)),
        None => format!("{} (unsigned)", target.shown_url(Vendor::Arcsite)),
    };
    let bidsketch = match cli.api {
        Some(_) => "the webhooks registered with Bidsketch's API".to_owned(),
        None => target.shown_url(Vendor::Bidsketch),
    };
    let destinations = match cli.vendor.only() {
        Some(Vendor::Arcsite) => arcsite,
        Some(Vendor::Bidsketch) => bidsketch,
        None => format!("{arcsite} and {bidsketch}"),
    };
    format!("Sending {amount}, {} a second, to {destinations}; repeat it with --seed {seed}.", cli.rate)
}

/// Fails with advice if nothing listens at the target. That is clearer than a list of failed
/// deliveries.
async fn check_reachable(target: &Target) -> Result<(), String> {
    let base = target.base();
    let host = base.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = base.port_or_known_default().unwrap_or(80);
    let reason = match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no connection within {CONNECT_TIMEOUT:?}"),
    };
    Err(format!("nothing listens at {base} ({reason}); start bidarc with `cargo run`, or give its address with --url"))
}

/// Waits until something listens at the target. Says once that it waits.
async fn wait_until_reachable(target: &Target, out: &mut impl Write) -> io::Result<()> {
    if check_reachable(target).await.is_err() {
        writeln!(out, "Waiting for the service at {}.", target.base())?;
        while check_reachable(target).await.is_err() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
    Ok(())
}

/// The likely cause of the last failure.
fn hint(last: &Reply) -> Option<String> {
    let cause = match last {
        Reply::Status(401) => {
            "the signature is missing or wrong; set --arcsite-secret to one of the service's arcsite.signing_secrets"
        }
        Reply::Status(403) => "the service is in open mode and accepts only direct requests to a loopback address",
        Reply::Status(404) => {
            "the path token is wrong, or the vendor is not configured; see --arcsite-token and --bidsketch-token"
        }
        Reply::Status(410) => "the service has retired this webhook; the answer makes Bidsketch delete it",
        Reply::Status(503) => "the service could not store the delivery; see its log",
        Reply::Status(_) | Reply::TimedOut | Reply::Broken(_) => return None,
    };
    Some(format!("Last failure {last}: {cause}"))
}

/// Waits for Ctrl-C. If it cannot be listened for, it ends the process as usual.
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
