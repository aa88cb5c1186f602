//! The time from a post to node A to a frame at a subscriber of node B, and at a subscriber of node
//! A.
//!
//! Both subscribers receive the same events, so their times differ only by the way from node to
//! node. Events come one at a time over one connection at a steady rate, as a vendor sends them; a
//! higher rate would measure a queue. The time begins before the request is written, so it includes
//! the durable commit. The time to the 200 is reported as well.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::log::Log;
use super::with_timeout;
use crate::live::socket::Subscriber;
use crate::live::subscribers::wait_until_active;
use crate::live::{ARRIVAL_TIMEOUT, QUERY};
use crate::load::Connection;
use crate::report::{milliseconds, percentile, progress};
use crate::server::Running;
use crate::{Failure, Nodes, seed};

/// An event's id, and when it was posted or received.
type Seen = (String, Instant);

/// Measures with two nodes on this log, and reports.
pub(super) async fn run(settings: &Nodes, log: &mut Log) -> Result<String, Failure> {
    progress(&format!("from post to frame: {} events, {} a second", settings.latency_events, settings.rate));
    let nodes = log.start(2).await?;
    let [a, b] = nodes.as_slice() else { return Err("two nodes are needed".into()) };
    let mut open = vec![Subscriber::open(a.address, QUERY).await?, Subscriber::open(b.address, QUERY).await?];
    log.acknowledged += with_timeout(ARRIVAL_TIMEOUT, "subscribing", wait_until_active(a.address, &mut open)).await?;

    let mut readers = JoinSet::new();
    for (subscriber, reader) in open.into_iter().enumerate() {
        let events = settings.latency_events;
        readers.spawn(async move { Ok::<_, Failure>((subscriber, read(reader, events).await?)) });
    }
    let started = Instant::now();
    let limit = Duration::from_secs(settings.latency_events as u64 / u64::from(settings.rate.get())) + ARRIVAL_TIMEOUT;
    let (posted, answered) = with_timeout(limit, "posting", post(a, settings)).await?;
    let elapsed = started.elapsed();
    log.acknowledged += settings.latency_events as u64;

    let mut frames = [Vec::new(), Vec::new()];
    let arrived = async {
        while let Some(read) = readers.join_next().await {
            let (subscriber, seen) = read??;
            frames[subscriber] = times(&posted, &seen)?;
        }
        Ok(())
    };
    with_timeout(ARRIVAL_TIMEOUT, "waiting for the frames", arrived).await?;
    log.stop(nodes).await?;

    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let rate = settings.latency_events as f64 / elapsed.as_secs_f64();
    let [of_a, of_b] = frames;
    Ok(format!(
        "{} events posted to node A, {rate:.1} a second of {} requested.\n\n\
         | from the post to | p50 | p99 | longest |\n|---|---|---|---|\n{}{}{}",
        settings.latency_events,
        settings.rate,
        row("its 200", answered),
        row("a frame of node A", of_a),
        row("a frame of node B", of_b),
    ))
}

/// Formats a row of the report.
fn row(name: &str, mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let [p50, p99, longest] = [50, 99, 100].map(|percent| milliseconds(percentile(&times, percent)));
    format!("| {name} | {p50} | {p99} | {longest} |\n")
}

/// Posts new events to a node at a steady rate. Returns each with the time before it was written,
/// and the time to each answer.
async fn post(node: &Running, settings: &Nodes) -> Result<(Vec<Seen>, Vec<Duration>), Failure> {
    let mut connection = Connection::open(node.address).await?;
    let mut pace = interval(Duration::from_secs(1) / settings.rate.get());
    // After a late answer the next posts must not come in a burst.
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut posted, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..settings.latency_events {
        let request = seed::new_project_request(&connection);
        pace.tick().await;
        let started = Instant::now();
        let answer = connection.send(&request).await?;
        answered.push(started.elapsed());
        let answer: Value = serde_json::from_slice(answer)?;
        let event = answer["eventId"].as_str().ok_or_else(|| format!("no event was recorded: {answer}"))?;
        posted.push((event.to_owned(), started));
    }
    Ok((posted, answered))
}

/// Reads this many frames, each with the id of its event and the time of its arrival.
async fn read(mut subscriber: Subscriber, events: usize) -> Result<Vec<Seen>, Failure> {
    let mut seen = Vec::new();
    for _ in 0..events {
        let text = subscriber.text().await?;
        let arrived = Instant::now();
        let frame: Value = serde_json::from_slice(text)?;
        let event = frame["payload"]["data"]["events"]["id"].as_str();
        seen.push((event.ok_or_else(|| format!("a frame has no event: {frame}"))?.to_owned(), arrived));
    }
    Ok(seen)
}

/// The latency of each event. All must have arrived in the order of the log.
fn times(posted: &[Seen], seen: &[Seen]) -> Result<Vec<Duration>, Failure> {
    let latency = |((posted, posted_at), (seen, arrived)): (&Seen, &Seen)| {
        if posted == seen {
            Ok(arrived.duration_since(*posted_at))
        } else {
            Err(format!("got the frame of {seen}, expected that of {posted}").into())
        }
    };
    posted.iter().zip(seen).map(latency).collect()
}
