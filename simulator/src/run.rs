//! A run: sends hooks at a rate, delivers each by its vendor's rules, and shows the progress.

use std::io::{self, Write};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, sleep_until};

use crate::disorder::Planned;
use crate::hook::Hook;
use crate::sender::{Address, Outcome, Sender};

/// How many deliveries may be in progress, including delayed ones and those between two attempts.
/// At this limit no new hook is sent, so a long outage costs time, not memory.
const DELIVERIES_IN_PROGRESS_MAX: usize = 10_000;

/// Why a hook is not sent. It is said once, since it can be true of every hook for a while.
const NO_WEBHOOK_MESSAGE: &str =
    "no webhook is registered for this type, so its hooks are not sent (said once, for all types)";

/// The rate of a run, and its output.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Hooks a second. The sender limits how many attempts are in flight.
    pub rate: f64,
    /// Whether each delivery gets a line.
    pub lines: bool,
    /// The time between two lines of progress.
    pub progress: Duration,
    /// How long the deliveries in progress may continue after the stop.
    pub grace: Duration,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan { rate: 2.0, lines: true, progress: Duration::from_secs(5), grace: Duration::from_secs(3) }
    }
}

/// One finished delivery.
struct Done {
    hook: Hook,
    webhook: Option<u64>,
    outcome: Outcome,
    took: Duration,
}

/// Sends `hooks`, each to all of its addresses, until they end or `stop` completes, and reports to
/// `out`. The results are in the sender's tally; after `stop`, deliveries that do not finish within
/// the grace period are unfinished there.
///
/// # Errors
///
/// Only those of `out`: an unreachable service is a failed delivery.
pub async fn run(
    hooks: impl Iterator<Item = Planned>,
    sender: Arc<Sender>,
    plan: &Plan,
    stop: impl Future<Output = ()>,
    out: &mut impl Write,
) -> io::Result<()> {
    let start = Instant::now();
    let mut hooks = hooks.fuse();
    let mut stop = pin!(stop);
    let mut in_progress = JoinSet::new();
    let (mut is_sending, mut deadline, mut said_no_webhook) = (true, None, false);

    let mut ticks = interval(period(plan.rate));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let progress_period = plan.progress.max(Duration::from_millis(1));
    let mut progress = interval_at(start + progress_period, progress_period);
    progress.set_missed_tick_behavior(MissedTickBehavior::Skip);

    while is_sending || !in_progress.is_empty() {
        tokio::select! {
            Some(done) = in_progress.join_next() => report(done, plan, out)?,
            _ = ticks.tick(), if is_sending && in_progress.len() < DELIVERIES_IN_PROGRESS_MAX => match hooks.next() {
                Some(planned) => {
                    let addresses = sender.addresses(&planned.hook);
                    if addresses.is_empty() && !std::mem::replace(&mut said_no_webhook, true) {
                        writeln!(out, "{}: {NO_WEBHOOK_MESSAGE}", planned.hook.event)?;
                    }
                    for address in addresses {
                        in_progress.spawn(deliver(planned.clone(), address, Arc::clone(&sender)));
                    }
                }
                None => is_sending = false,
            },
            () = &mut stop, if deadline.is_none() => {
                is_sending = false;
                deadline = Some(Instant::now() + plan.grace);
                if !in_progress.is_empty() {
                    writeln!(out, "stopping: {} deliveries in progress have {:?} to finish", in_progress.len(), plan.grace)?;
                }
            },
            () = sleep_until(deadline.unwrap_or(start)), if deadline.is_some() => in_progress.shutdown().await,
            _ = progress.tick() => report_progress(&sender, start, out)?,
        }
    }
    Ok(())
}

async fn deliver(planned: Planned, address: Address, sender: Arc<Sender>) -> Done {
    if !planned.after.is_zero() {
        tokio::time::sleep(planned.after).await;
    }
    let start = Instant::now();
    let outcome = sender.deliver_to(&planned.hook, &address).await;
    Done { hook: planned.hook, webhook: address.webhook(), outcome, took: start.elapsed() }
}

/// The time between two hooks. Never zero, which `interval` does not accept.
fn period(rate: f64) -> Duration {
    Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::from_secs(1)).max(Duration::from_micros(1))
}

/// Writes a delivery's line. A failed delivery gets one even if `plan.lines` is off.
fn report(done: Result<Done, JoinError>, plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    let Done { hook, webhook, outcome, took } = match done {
        Ok(done) => done,
        Err(error) => return writeln!(out, "a delivery task failed: {error}"),
    };
    if !plan.lines && outcome.is_delivered() {
        return Ok(());
    }
    let Hook { vendor, event, .. } = &hook;
    write!(out, "{vendor:<9} {event:<29} {:<29} {outcome}  ({} ms", hook.subject(), took.as_millis())?;
    match webhook {
        Some(id) => writeln!(out, ", webhook {id})"),
        None => writeln!(out, ")"),
    }
}

fn report_progress(sender: &Sender, start: Instant, out: &mut impl Write) -> io::Result<()> {
    let counts = sender.tally().total();
    let seconds = start.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people; exact up to 2^53 deliveries")]
    let rate = counts.acknowledged as f64 / seconds.max(0.001);
    write!(
        out,
        "-- {seconds:.0} s: {} sent, {} acknowledged ({rate:.1} a second), {} retried",
        counts.sent, counts.acknowledged, counts.retried
    )?;
    // A run against a broken service can last for minutes, so the last failure is shown meanwhile.
    match sender.tally().last_failure() {
        Some(last) if counts.unfinished() > 0 => {
            writeln!(out, ", {} in progress (last failure: {last})", counts.unfinished())
        }
        Some(_) | None => writeln!(out),
    }
}

#[cfg(test)]
mod tests;
