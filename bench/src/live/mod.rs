//! Live streams: many subscribers, compared with a bare broadcast of frames and the library's stock
//! transport.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::load::Connection;
use crate::report::{milliseconds, percentile, progress, rounds};
use crate::server::{Kind, OTHER_BUILD, Running};
use crate::{Failure, Live, seed, server};

pub(crate) mod bare;
mod memory;
pub(crate) mod socket;
pub(crate) mod stock;
pub(crate) mod subscribers;

use socket::Transport;
use subscribers::subscribe;

/// The subscription.
pub(crate) const QUERY: &str = "subscription { events { id kind receivedAt } }";
/// The same, with a filter. Each number gives a different filter, and each filter passes every
/// event.
fn filtered_query(filter: usize) -> String {
    format!(
        "subscription {{ events(filter: {{ receivedFrom: \"2001-01-01T00:00:00.{filter:06}Z\" }}) {{ id kind receivedAt }} }}"
    )
}

/// How many connections post the events.
const CONNECTIONS: u64 = 16;
/// How long the frames of all posted events may take to arrive.
pub(crate) const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(120);

/// Open files of a process besides those for its subscribers.
const OTHER_FILES: u64 = 200;

/// A client may have half of the connections, of which there are as many as open files.
const FILES_A_SUBSCRIBER: u64 = 2;

impl Live {
    /// Lets this process, and the servers that it starts, open the files that the subscribers need.
    /// Fails if the system does not permit as many.
    pub(crate) fn allow_open_files(&self) -> Result<(), Failure> {
        let needed = self.idle.max(self.subscribers) as u64 * FILES_A_SUBSCRIBER + OTHER_FILES;
        let mut limit = getrlimit(Resource::Nofile);
        // `None` is no limit.
        if limit.current.is_none_or(|current| current >= needed) {
            return Ok(());
        }
        if let Some(maximum) = limit.maximum.filter(|maximum| *maximum < needed) {
            return Err(format!(
                "live needs room for {needed} open files, and a process may open {maximum}; raise that with ulimit -Hn, \
                 or choose fewer --subscribers and --idle"
            )
            .into());
        }
        limit.current = Some(needed);
        Ok(setrlimit(Resource::Nofile, limit)?)
    }
}

/// Measures, and reports.
pub(crate) async fn run(settings: &Live) -> Result<String, Failure> {
    let throughput = throughput(settings).await?;
    let filters = filters(settings).await?;
    let latency = latency(settings).await?;
    let memory = memory::run(settings.idle).await?;
    Ok(format!("{throughput}\n\n- {filters}\n- {latency}\n- {memory}"))
}

/// Measures messages a second to subscribers with the same subscription.
async fn throughput(settings: &Live) -> Result<String, Failure> {
    let own = std::env::current_exe()?;
    let mut sides = vec![
        (Kind::Bidarc.name(), &own, Kind::Bidarc, Transport::Socket),
        ("bidarc, event streams", &own, Kind::Bidarc, Transport::EventStream),
        (Kind::Bare.name(), &own, Kind::Bare, Transport::Socket),
        (Kind::Stock.name(), &own, Kind::Stock, Transport::Socket),
    ];
    sides.extend(settings.beside.iter().map(|program| (OTHER_BUILD, program, Kind::Bidarc, Transport::Socket)));
    let mut rates = vec![Vec::new(); sides.len()];
    for round in 1..=settings.rounds {
        for ((name, program, kind, transport), rates) in sides.iter().copied().zip(&mut rates) {
            let rate = burst(program, kind, settings, transport, |_| QUERY.to_owned()).await?;
            progress(&format!("round {round} of {}: {name} delivers {rate:.0} messages a second", settings.rounds));
            rates.push(rate);
        }
    }
    let mut text = format!(
        "{} subscribers with the same subscription, {} events, median of {}.\n\n\
         | server | messages a second | lowest to highest |\n|---|---|---|\n",
        settings.subscribers,
        settings.events,
        rounds(settings.rounds)
    );
    let mut medians = Vec::new();
    for ((name, ..), rates) in sides.iter().zip(&mut rates) {
        rates.sort_by(f64::total_cmp);
        let median = rates[rates.len() / 2];
        text += &format!("| {name} | {median:.0} | {:.0} to {:.0} |\n", rates[0], rates[rates.len() - 1]);
        medians.push(median);
    }
    text += &format!(
        "\nbidarc to bare: {:.2}. bidarc to stock: {:.2}. Event streams to sockets: {:.2}.",
        medians[0] / medians[2],
        medians[0] / medians[3],
        medians[1] / medians[0]
    );
    if let Some(other) = medians.get(4) {
        text += &format!(" bidarc to {OTHER_BUILD}: {:.2}.", medians[0] / other);
    }
    Ok(text)
}

/// Measures the same number of subscribers with different filters.
async fn filters(settings: &Live) -> Result<String, Failure> {
    let own = std::env::current_exe()?;
    let (mut one, mut many) = (Vec::new(), Vec::new());
    for round in 1..=settings.rounds {
        progress(&format!("round {round} of {}: one filter and {}", settings.rounds, settings.filters));
        one.push(burst(&own, Kind::Bidarc, settings, Transport::Socket, |_| filtered_query(0)).await?);
        many.push(
            burst(&own, Kind::Bidarc, settings, Transport::Socket, |subscriber| {
                filtered_query(subscriber % settings.filters)
            })
            .await?,
        );
    }
    one.sort_by(f64::total_cmp);
    many.sort_by(f64::total_cmp);
    let (one, many) = (one[one.len() / 2], many[many.len() / 2]);
    Ok(format!(
        "One filter: {one:.0} messages a second. {} different filters that match everything: {many:.0}. \
         A message costs {:.2} times as much.",
        settings.filters,
        one / many
    ))
}

/// Posts events as fast as they are accepted, and returns the messages a second to all subscribers.
async fn burst(
    program: &Path,
    kind: Kind,
    settings: &Live,
    transport: Transport,
    query: impl Fn(usize) -> String,
) -> Result<f64, Failure> {
    let directory = tempfile::tempdir()?;
    let server = Running::start_from(program, kind, &server::sqlite(&directory.path().join("live.db"))).await?;
    let open = subscribe(&server, settings.subscribers, transport, query).await?;
    let started = Instant::now();
    let mut readers = JoinSet::new();
    for mut subscriber in open {
        let events = settings.events;
        readers.spawn(async move {
            for _ in 0..events {
                subscriber.receive().await?;
            }
            Ok::<_, Failure>(())
        });
    }
    let mut posters = JoinSet::new();
    for offset in 0..CONNECTIONS {
        let (address, events) = (server.address, settings.events);
        posters.spawn(async move {
            let mut connection = Connection::open(address).await?;
            for _ in (offset..events).step_by(usize::try_from(CONNECTIONS)?) {
                seed::post_project(&mut connection, seed::next_project()).await?;
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
    timeout(ARRIVAL_TIMEOUT, arrived).await.map_err(|_| "not every frame arrived in time")??;
    let took = started.elapsed();
    server.stop().await?;
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let messages = (settings.subscribers as u64 * settings.events) as f64;
    Ok(messages / took.as_secs_f64())
}

/// Measures the time from a post to each subscriber's frame, at a steady rate.
async fn latency(settings: &Live) -> Result<String, Failure> {
    progress(&format!("from post to frame: {} events, {} a second", settings.latency_events, settings.rate));
    let directory = tempfile::tempdir()?;
    let server = Running::start(Kind::Bidarc, &server::sqlite(&directory.path().join("live.db"))).await?;
    let open = subscribe(&server, settings.subscribers, Transport::Socket, |_| QUERY.to_owned()).await?;
    let events = settings.latency_events;
    let mut readers = JoinSet::new();
    for mut subscriber in open {
        readers.spawn(async move {
            let mut arrived = Vec::new();
            for _ in 0..events {
                subscriber.receive().await?;
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
        seed::post_project(&mut connection, seed::next_project()).await?;
    }
    let mut latencies = Vec::new();
    while let Some(read) = readers.join_next().await {
        latencies.extend(read??.iter().zip(&posted).map(|(arrived, posted)| arrived.duration_since(*posted)));
    }
    latencies.sort_unstable();
    server.stop().await?;
    Ok(format!(
        "{} subscribers, {} events a second: from post to frame p50 {}, p99 {}.",
        settings.subscribers,
        settings.rate,
        milliseconds(percentile(&latencies, 50)),
        milliseconds(percentile(&latencies, 99))
    ))
}
