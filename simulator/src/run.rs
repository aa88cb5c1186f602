//! A run: hooks leave at a rate, each is delivered by its vendor's rules, and people can watch.

use std::io::{self, Write};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, sleep_until};

use crate::disorder::Planned;
use crate::hook::Hook;
use crate::sender::{Address, Outcome, Sender};

/// How many deliveries may be under way, late ones and those between two attempts included. Past it nothing new leaves: a
/// service that is down for long costs patience, not memory.
const MOST_UNDER_WAY: usize = 10_000;

/// Why a hook is not sent. It is said once: it can be true of every hook for a while.
const NOWHERE: &str = "no webhook is registered for this type, so its hooks go nowhere (said once, for all types)";

/// How fast, and how much of it is shown.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Hooks a second. How many attempts go on at once is the sender's own limit.
    pub rate: f64,
    /// Whether each delivery has its line.
    pub lines: bool,
    /// The time between two lines of progress.
    pub progress: Duration,
    /// How long the deliveries that are under way may go on after the stop.
    pub grace: Duration,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan { rate: 2.0, lines: true, progress: Duration::from_secs(5), grace: Duration::from_secs(3) }
    }
}

/// One delivery that came to its end.
struct Done {
    hook: Hook,
    webhook: Option<u64>,
    outcome: Outcome,
    took: Duration,
}

/// Sends `hooks` until they end or `stop` does, each to all of its addresses, and writes about it to `out`. What came of it is in the sender's tally;
/// after `stop`, deliveries that did not end within the grace are unfinished there.
///
/// # Errors
///
/// Those of `out` alone: a service that cannot be reached is a failed delivery.
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
    let mut under_way = JoinSet::new();
    let (mut sending, mut deadline, mut nowhere) = (true, None, false);

    let mut turn = interval(period(plan.rate));
    turn.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let between = plan.progress.max(Duration::from_millis(1));
    let mut progress = interval_at(start + between, between);
    progress.set_missed_tick_behavior(MissedTickBehavior::Skip);

    while sending || !under_way.is_empty() {
        tokio::select! {
            Some(done) = under_way.join_next() => report(done, plan, out)?,
            _ = turn.tick(), if sending && under_way.len() < MOST_UNDER_WAY => match hooks.next() {
                Some(planned) => {
                    let addresses = sender.addresses(&planned.hook);
                    if addresses.is_empty() && !std::mem::replace(&mut nowhere, true) {
                        writeln!(out, "{}: {NOWHERE}", planned.hook.event)?;
                    }
                    for address in addresses {
                        under_way.spawn(deliver(planned.clone(), address, Arc::clone(&sender)));
                    }
                }
                None => sending = false,
            },
            () = &mut stop, if deadline.is_none() => {
                sending = false;
                deadline = Some(Instant::now() + plan.grace);
                if !under_way.is_empty() {
                    writeln!(out, "stopping: {} deliveries under way have {:?} to end", under_way.len(), plan.grace)?;
                }
            },
            () = sleep_until(deadline.unwrap_or(start)), if deadline.is_some() => under_way.shutdown().await,
            _ = progress.tick() => pace(&sender, start, out)?,
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

/// The time between two hooks: never none at all, which an interval does not take.
fn period(rate: f64) -> Duration {
    Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::from_secs(1)).max(Duration::from_micros(1))
}

/// A delivery's line. A delivery that failed has one even where they are not asked for.
fn report(done: Result<Done, JoinError>, plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    let Done { hook, webhook, outcome, took } = match done {
        Ok(done) => done,
        Err(broken) => return writeln!(out, "a delivery broke off: {broken}"),
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

fn pace(sender: &Sender, start: Instant, out: &mut impl Write) -> io::Result<()> {
    let counts = sender.tally().total();
    let seconds = start.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people; exact up to 2^53 deliveries")]
    let rate = counts.acknowledged as f64 / seconds.max(0.001);
    write!(
        out,
        "-- {seconds:.0} s: {} sent, {} acknowledged ({rate:.1} a second), {} retried",
        counts.sent, counts.acknowledged, counts.retried
    )?;
    // What holds deliveries up is worth a word while it does: a run against a broken service can last for minutes.
    match sender.tally().last_failure() {
        Some(last) if counts.unfinished() > 0 => {
            writeln!(out, ", {} under way (last failure: {last})", counts.unfinished())
        }
        Some(_) | None => writeln!(out),
    }
}

#[cfg(test)]
mod tests;
