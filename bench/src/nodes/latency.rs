//! From a post on node A to the frame of a subscriber of node B, and beside it to the frame of a subscriber of node A.
//!
//! Both subscribers get the same events, so their times differ by nothing but the way from node to node. Events come one at a
//! time over one connection at a steady rate, as a vendor's do, not as fast as they are taken: a queue would be measured
//! otherwise. The time begins before the request is written, so the durable commit is in it; how long the 200 took is told too.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::log::Log;
use super::within;
use crate::live::socket::Subscriber;
use crate::live::subscribers::settle;
use crate::live::{ARRIVE_WITHIN, QUERY};
use crate::load::Connection;
use crate::report::{at, milliseconds, progress, say};
use crate::server::Running;
use crate::{Failure, Nodes, seed};

/// An event on its way: its id, and when.
type Seen = (String, Instant);

/// Measures with two nodes on that log, and reports.
pub(super) async fn run(settings: &Nodes, log: &mut Log) -> Result<(), Failure> {
    progress(&format!("from post to frame: {} events, {} a second", settings.latency_events, settings.rate));
    let nodes = log.start(2).await?;
    let [a, b] = nodes.as_slice() else { return Err("there are not two nodes".into()) };
    let mut open = vec![Subscriber::open(a.address, QUERY).await?, Subscriber::open(b.address, QUERY).await?];
    log.acknowledged += within(ARRIVE_WITHIN, "subscribing", settle(a.address, &mut open)).await?;

    let mut readers = JoinSet::new();
    for (subscriber, reader) in open.into_iter().enumerate() {
        let events = settings.latency_events;
        readers.spawn(async move { Ok::<_, Failure>((subscriber, read(reader, events).await?)) });
    }
    let began = Instant::now();
    let limit = Duration::from_secs(settings.latency_events as u64 / u64::from(settings.rate.get())) + ARRIVE_WITHIN;
    let (posted, answered) = within(limit, "posting", post(a, settings)).await?;
    let took = began.elapsed();
    log.acknowledged += settings.latency_events as u64;

    let mut frames = [Vec::new(), Vec::new()];
    let arrived = async {
        while let Some(read) = readers.join_next().await {
            let (subscriber, seen) = read??;
            frames[subscriber] = times(&posted, &seen)?;
        }
        Ok(())
    };
    within(ARRIVE_WITHIN, "waiting for the frames", arrived).await?;
    log.stop(nodes).await?;

    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let rate = settings.latency_events as f64 / took.as_secs_f64();
    say(&format!(
        "PostgreSQL, {} events posted to node A, {rate:.1} a second of {} wanted:\n\n\
         | from the post to | p50 | p99 | max |\n|---|---|---|---|",
        settings.latency_events, settings.rate
    ))?;
    let [of_a, of_b] = frames;
    row("its 200", answered)?;
    row("a frame of node A", of_a)?;
    row("a frame of node B", of_b)?;
    say("")
}

/// A row of the report.
fn row(name: &str, mut times: Vec<Duration>) -> Result<(), Failure> {
    times.sort_unstable();
    let [p50, p99, max] = [50, 99, 100].map(|part| milliseconds(at(&times, part)));
    say(&format!("| {name} | {p50} | {p99} | {max} |"))
}

/// Posts new events to a node at a steady rate. Gives each with the time before it was written, and how long each answer took.
async fn post(node: &Running, settings: &Nodes) -> Result<(Vec<Seen>, Vec<Duration>), Failure> {
    let mut connection = Connection::open(node.address).await?;
    let mut pace = interval(Duration::from_secs(1) / settings.rate.get());
    // After an answer that was late the next ones are not posted in a bunch.
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut posted, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..settings.latency_events {
        let request = seed::fresh_project(&connection);
        pace.tick().await;
        let began = Instant::now();
        let answer = connection.ask(&request).await?;
        answered.push(began.elapsed());
        let answer: Value = serde_json::from_slice(answer)?;
        let event = answer["eventId"].as_str().ok_or_else(|| format!("no event was recorded: {answer}"))?;
        posted.push((event.to_owned(), began));
    }
    Ok((posted, answered))
}

/// Reads so many frames: of which event each is, and when it came.
async fn read(mut subscriber: Subscriber, events: usize) -> Result<Vec<Seen>, Failure> {
    let mut seen = Vec::new();
    for _ in 0..events {
        let text = subscriber.text().await?;
        let arrived = Instant::now();
        let frame: Value = serde_json::from_slice(text)?;
        let event = frame["payload"]["data"]["events"]["id"].as_str();
        seen.push((event.ok_or_else(|| format!("a frame without an event: {frame}"))?.to_owned(), arrived));
    }
    Ok(seen)
}

/// How long each event took. All must have come, in the log's order.
fn times(posted: &[Seen], seen: &[Seen]) -> Result<Vec<Duration>, Failure> {
    let took = |((posted, began), (seen, arrived)): (&Seen, &Seen)| {
        if posted == seen {
            Ok(arrived.duration_since(*began))
        } else {
            Err(format!("the frame of {seen} came where {posted} was due").into())
        }
    };
    posted.iter().zip(seen).map(took).collect()
}
