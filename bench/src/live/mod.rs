//! Live streams: many subscribers, beside a bare broadcast of frames and the library's stock transport.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::load::Connection;
use crate::report::{at, milliseconds, progress, say};
use crate::server::{Kind, Running};
use crate::{Failure, Live, seed, server};

pub(crate) mod bare;
mod memory;
pub(crate) mod socket;
pub(crate) mod stock;
pub(crate) mod subscribers;

use subscribers::subscribe;

/// What the subscribers ask for.
pub(crate) const QUERY: &str = "subscription { events { id kind receivedAt } }";
/// The same, of events received from a time on that lies long ago: each time is another filter, and all let everything through.
fn filtered(which: usize) -> String {
    format!(
        "subscription {{ events(filter: {{ receivedFrom: \"2001-01-01T00:00:00.{which:06}Z\" }}) {{ id kind receivedAt }} }}"
    )
}

/// Connections that post the events whose delivery is measured.
const POSTERS: u64 = 16;
/// How long all that was posted may take to arrive.
pub(crate) const ARRIVE_WITHIN: Duration = Duration::from_secs(120);

/// Measures, and reports.
pub(crate) async fn run(settings: &Live) -> Result<(), Failure> {
    delivered(settings).await?;
    filters(settings).await?;
    latency(settings).await?;
    memory::run(settings.idle).await
}

/// Messages a second to subscribers who ask for the same.
async fn delivered(settings: &Live) -> Result<(), Failure> {
    let mut rates: Vec<(Kind, Vec<f64>)> =
        [Kind::Bidarc, Kind::Bare, Kind::Stock].into_iter().map(|kind| (kind, Vec::new())).collect();
    for round in 1..=settings.rounds {
        for (kind, rates) in &mut rates {
            let rate = burst(*kind, settings, |_| QUERY.to_owned()).await?;
            progress(&format!("round {round}: {} delivers {rate:.0} messages a second", kind.name()));
            rates.push(rate);
        }
    }
    say(&format!(
        "{} subscribers who ask for the same, {} events, median of {} rounds:\n\n| server | messages a second | lowest to highest |\n|---|---|---|",
        settings.subscribers, settings.events, settings.rounds
    ))?;
    let mut medians = Vec::new();
    for (kind, rates) in &mut rates {
        rates.sort_by(f64::total_cmp);
        let median = rates[rates.len() / 2];
        say(&format!("| {} | {median:.0} | {:.0} to {:.0} |", kind.name(), rates[0], rates[rates.len() - 1]))?;
        medians.push(median);
    }
    say(&format!(
        "\nbidarc to bare:  {:.2}\nbidarc to stock: {:.2}\n",
        medians[0] / medians[1],
        medians[0] / medians[2]
    ))
}

/// The same number of subscribers with so many different filters.
async fn filters(settings: &Live) -> Result<(), Failure> {
    let (mut one, mut many) = (Vec::new(), Vec::new());
    for _ in 0..settings.rounds {
        one.push(burst(Kind::Bidarc, settings, |_| filtered(0)).await?);
        many.push(burst(Kind::Bidarc, settings, |subscriber| filtered(subscriber % settings.filters)).await?);
    }
    one.sort_by(f64::total_cmp);
    many.sort_by(f64::total_cmp);
    let (one, many) = (one[one.len() / 2], many[many.len() / 2]);
    say(&format!(
        "one filter: {one:.0} messages a second; {} filters: {many:.0}; what a message costs is {:.2} times as much\n",
        settings.filters,
        one / many
    ))
}

/// Posts events as fast as they are taken, and gives the messages that all subscribers got a second.
async fn burst(kind: Kind, settings: &Live, query: impl Fn(usize) -> String) -> Result<f64, Failure> {
    let directory = tempfile::tempdir()?;
    let server = Running::start(kind, &server::sqlite(&directory.path().join("live.db"))).await?;
    let open = subscribe(&server, settings.subscribers, query).await?;
    let began = Instant::now();
    let mut readers = JoinSet::new();
    for mut subscriber in open {
        let events = settings.events;
        readers.spawn(async move {
            for _ in 0..events {
                subscriber.one().await?;
            }
            Ok::<_, Failure>(())
        });
    }
    let mut posters = JoinSet::new();
    for poster in 0..POSTERS {
        let (address, events) = (server.address, settings.events);
        posters.spawn(async move {
            let mut connection = Connection::open(address).await?;
            for _ in (poster..events).step_by(usize::try_from(POSTERS)?) {
                seed::post_project(&mut connection, seed::fresh()).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(posted) = posters.join_next().await {
        posted??;
    }
    let arrived = async {
        while let Some(read) = readers.join_next().await {
            read??;
        }
        Ok::<_, Failure>(())
    };
    timeout(ARRIVE_WITHIN, arrived).await.map_err(|_| "not everything arrived")??;
    let took = began.elapsed();
    server.stop().await?;
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let messages = (settings.subscribers as u64 * settings.events) as f64;
    Ok(messages / took.as_secs_f64())
}

/// How long it takes from a post to each subscriber's frame, at a steady rate.
async fn latency(settings: &Live) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let server = Running::start(Kind::Bidarc, &server::sqlite(&directory.path().join("live.db"))).await?;
    let open = subscribe(&server, settings.subscribers, |_| QUERY.to_owned()).await?;
    let events = settings.latency_events;
    let mut readers = JoinSet::new();
    for mut subscriber in open {
        readers.spawn(async move {
            let mut arrived = Vec::new();
            for _ in 0..events {
                subscriber.one().await?;
                arrived.push(Instant::now());
            }
            Ok::<_, Failure>(arrived)
        });
    }
    let mut connection = Connection::open(server.address).await?;
    let mut pace = tokio::time::interval(Duration::from_millis(1000 / settings.rate.max(1)));
    let mut posted = Vec::new();
    for _ in 0..events {
        pace.tick().await;
        posted.push(Instant::now());
        seed::post_project(&mut connection, seed::fresh()).await?;
    }
    let mut took = Vec::new();
    while let Some(read) = readers.join_next().await {
        took.extend(read??.iter().zip(&posted).map(|(arrived, posted)| arrived.duration_since(*posted)));
    }
    took.sort_unstable();
    server.stop().await?;
    say(&format!(
        "{} subscribers, {} events a second: from the post to a frame p50 {}, p99 {}\n",
        settings.subscribers,
        settings.rate,
        milliseconds(at(&took, 50)),
        milliseconds(at(&took, 99))
    ))
}
