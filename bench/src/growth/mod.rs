//! Growth: what a long log costs. Each database grows from size to size, and at each size it is
//! measured in turn with one that stays at the smallest size. A temporary slowdown of the machine
//! affects both.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::load::{self, Connection};
use crate::nodes::Cluster;
use crate::report::{self, Picture, Ratios, Report, Round, median, progress};
use crate::server::{Kind, Running};
use crate::{Failure, Growth, seed};

mod database;
mod fill;
mod plot;

use database::Database;

/// How far behind the head the page at a position is; in a shorter log, in its middle.
const POSITION: u64 = 100_000;
/// Connections that query at once.
const QUERY_CONNECTIONS: usize = 16;
/// Connections that post at once.
const POST_CONNECTIONS: usize = 64;
/// What an event is expected to need on disk.
const BYTES_AN_EVENT: u64 = 2_300;
/// What the databases are expected to need besides: logs, and files for sorting.
const BYTES_BESIDES: u64 = 1_000_000_000;
/// How many events a second are expected to be recorded while a database is filled.
const EVENTS_A_SECOND: u64 = 4_000;
/// The figures that are measured by a load of [`Growth::seconds`] each.
const LOADS: u64 = 4;

/// The figures of one database at one size.
#[derive(Debug, Default)]
struct Figures {
    intake: Vec<Round>,
    latest_page: Vec<Round>,
    page_at_position: Vec<Round>,
    event_by_id: Vec<Round>,
    start: Vec<Duration>,
    memory: Vec<u64>,
    /// Events in the log after the last measurement, and its bytes on disk.
    log: (u64, u64),
}

/// A database at one size beside the small one.
struct Comparison {
    name: &'static str,
    events: u64,
    grown: Figures,
    small: Figures,
}

impl Growth {
    /// The directory in which the databases are made.
    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.clone().unwrap_or_else(std::env::temp_dir)
    }

    fn smallest_and_greatest(&self) -> Result<(u64, u64), Failure> {
        let (smallest, greatest) = (self.sizes.iter().min(), self.sizes.iter().max());
        Ok((*smallest.ok_or("--sizes names no size")?, *greatest.ok_or("--sizes names no size")?))
    }

    /// Says how much room and time it needs. Fails if the directory has less room.
    pub(crate) fn announce(&self) -> Result<(), Failure> {
        let (smallest, greatest) = self.smallest_and_greatest()?;
        let needed = (smallest + greatest) * BYTES_AN_EVENT + BYTES_BESIDES;
        let directory = self.directory();
        let file_system =
            rustix::fs::statvfs(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        let free = file_system.f_bavail * file_system.f_frsize;
        let databases = if self.only_sqlite || self.only_postgres { 1 } else { 2 };
        let loads = self.sizes.len() as u64 * self.rounds as u64 * 2 * LOADS * self.seconds;
        let seconds = databases * ((smallest + greatest) / EVENTS_A_SECOND + loads);
        let room = format!(
            "growth needs about {} GB in {}, which has {} GB free",
            needed.div_ceil(1_000_000_000),
            directory.display(),
            free / 1_000_000_000
        );
        if needed > free {
            return Err(format!("{room}; name a directory with more room with --directory, or smaller --sizes").into());
        }
        progress(&format!("{room}, and about {} min", seconds.div_ceil(60)));
        Ok(())
    }
}

/// Fills, measures, and reports.
pub(crate) async fn run(settings: &Growth) -> Result<Report, Failure> {
    let (smallest, _) = settings.smallest_and_greatest()?;
    let directory = tempfile::tempdir_in(settings.directory())?;
    let mut comparisons = Vec::new();
    if !settings.only_postgres {
        let at = |name: &str| Database::Sqlite(directory.path().join(name));
        let databases = ("SQLite", at("small.db"), at("grown.db"));
        comparisons.extend(grow(settings, smallest, &databases).await?);
        databases.1.remove()?;
        databases.2.remove()?;
    }
    let mut text = format!(
        "Median of {} of {} s; the small database has {smallest} events.",
        report::rounds(settings.rounds),
        settings.seconds
    );
    if !settings.only_sqlite {
        let cluster = Cluster::start(settings.directory.as_deref()).await?;
        text += &format!(" PostgreSQL {}.", cluster.server_version().await?);
        let measured = grow_on_postgres(settings, smallest, &cluster).await;
        // The result of the measurement counts for more than that of ending the cluster.
        let ended = cluster.stop().await;
        comparisons.extend(measured?);
        ended?;
    }
    text += &format!("\n\n{}", table(&comparisons)?);
    Ok(Report { text, picture: Some(plot(&comparisons)?) })
}

async fn grow_on_postgres(settings: &Growth, smallest: u64, cluster: &Cluster) -> Result<Vec<Comparison>, Failure> {
    let grown = Database::Postgres(cluster.url.clone());
    let small = grown.create_beside("small").await?;
    grow(settings, smallest, &("PostgreSQL", small, grown)).await
}

/// Fills both databases and measures them at each size.
async fn grow(
    settings: &Growth,
    smallest: u64,
    (name, small, grown): &(&'static str, Database, Database),
) -> Result<Vec<Comparison>, Failure> {
    let mut sizes = settings.sizes.clone();
    sizes.sort_unstable();
    fill::fill(&small.url(), smallest).await?;
    let mut comparisons = Vec::new();
    for events in sizes {
        progress(&format!("{name}: filling up to {events} events"));
        fill::fill(&grown.url(), events).await?;
        let mut comparison = Comparison { name, events, grown: Figures::default(), small: Figures::default() };
        for round in 1..=settings.rounds {
            measure(settings, small, &mut comparison.small).await?;
            measure(settings, grown, &mut comparison.grown).await?;
            let rate = |figures: &Figures| figures.intake.last().map_or(0.0, |round| round.rate);
            progress(&format!(
                "{name}, {events} events, round {round} of {}: {:.0} deliveries a second, {:.0} with {smallest} events",
                settings.rounds,
                rate(&comparison.grown),
                rate(&comparison.small)
            ));
        }
        comparison.small.log.1 = small.bytes().await?;
        comparison.grown.log.1 = grown.bytes().await?;
        comparisons.push(comparison);
    }
    Ok(comparisons)
}

/// Starts a service on the database and measures each figure once.
async fn measure(settings: &Growth, database: &Database, figures: &mut Figures) -> Result<(), Failure> {
    let started = Instant::now();
    let service = Running::start(Kind::Bidarc, &database.url()).await?;
    let head = head(&service).await?;
    figures.start.push(started.elapsed());
    let length = Duration::from_secs(settings.seconds);
    let position = head - POSITION.min(head / 2);
    let cursor =
        ask(&service, &format!("{{ node(id: \"event:{position}\") {{ ... on Event {{ cursor }} }} }}")).await?;
    let cursor = cursor["data"]["node"]["cursor"].as_str().ok_or("the event at the position has no cursor")?.to_owned();
    let page = |arguments: &str| {
        format!("{{ events({arguments}) {{ nodes {{ id cursor kind provider receivedAt occurredAt payload }} }} }}")
    };
    for (query, rounds) in [
        (page("first: 50"), &mut figures.latest_page),
        (page(&format!("first: 50, after: {}", json!(cursor))), &mut figures.page_at_position),
        (
            format!("{{ node(id: \"event:{position}\") {{ id ... on Event {{ kind receivedAt payload }} }} }}"),
            &mut figures.event_by_id,
        ),
    ] {
        let body = json!({ "query": query }).to_string();
        let request = move |connection: &Connection| connection.request("/graphql", &body);
        rounds.push(load::run(&[service.address], request, QUERY_CONNECTIONS, length).await?);
    }
    let posted = load::run(&[service.address], seed::new_project_request, POST_CONNECTIONS, length).await?;
    figures.log.0 = head + posted.answers;
    figures.intake.push(posted);
    figures.memory.push(service.memory()?);
    service.stop().await
}

/// The seq of the newest event.
async fn head(service: &Running) -> Result<u64, Failure> {
    let answer = ask(service, "{ events(first: 1) { nodes { id } } }").await?;
    let id = answer["data"]["events"]["nodes"][0]["id"].as_str().unwrap_or_default();
    Ok(id.strip_prefix("event:").ok_or_else(|| format!("no event: {answer}"))?.parse()?)
}

async fn ask(service: &Running, query: &str) -> Result<Value, Failure> {
    let mut connection = Connection::open(service.address).await?;
    let request = connection.request("/graphql", &json!({ "query": query }).to_string());
    Ok(serde_json::from_slice(connection.send(&request).await?)?)
}

/// The figures as a table: of the grown database, and its ratio to the small one.
fn table(comparisons: &[Comparison]) -> Result<String, Failure> {
    let mut table = String::from(
        "| database | events | deliveries a second | latest page a second | page at 100,000 a second | event by id a second | start | memory | bytes an event |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for Comparison { name, events, grown, small } in comparisons {
        let rate = |grown: &[Round], small: &[Round]| {
            Ok::<_, Failure>(format!("{:.0}, {}", median(grown)?.rate, Ratios::of(grown, small)?))
        };
        let middle = |times: &[Duration]| {
            let mut times = times.to_vec();
            times.sort_unstable();
            report::percentile(&times, 50)
        };
        table += &format!(
            "| {name} | {events} | {} | {} | {} | {} | {}, small {} | {} MB, small {} MB | {} |\n",
            rate(&grown.intake, &small.intake)?,
            rate(&grown.latest_page, &small.latest_page)?,
            rate(&grown.page_at_position, &small.page_at_position)?,
            rate(&grown.event_by_id, &small.event_by_id)?,
            report::milliseconds(middle(&grown.start)),
            report::milliseconds(middle(&small.start)),
            median_memory(grown) / 1_000_000,
            median_memory(small) / 1_000_000,
            grown.log.1 / grown.log.0.max(1),
        );
    }
    Ok(table)
}

fn median_memory(figures: &Figures) -> u64 {
    let mut memory = figures.memory.clone();
    memory.sort_unstable();
    memory.get(memory.len() / 2).copied().unwrap_or_default()
}

/// Selects the rounds of a figure.
type RoundsOf = fn(&Figures) -> &[Round];

/// Plots the ratios to the small database over the size.
fn plot(comparisons: &[Comparison]) -> Result<Picture, Failure> {
    let mut lines = Vec::new();
    let figures: [(&str, RoundsOf); 3] = [
        ("deliveries", |figures| &figures.intake),
        ("latest page", |figures| &figures.latest_page),
        ("page at 100,000", |figures| &figures.page_at_position),
    ];
    for database in ["SQLite", "PostgreSQL"] {
        for (figure, rounds) in figures {
            let points = comparisons.iter().filter(|comparison| comparison.name == database).map(|comparison| {
                let ratios = Ratios::of(rounds(&comparison.grown), rounds(&comparison.small))?;
                Ok((comparison.events, ratios.median))
            });
            let points: Vec<(u64, f64)> = points.collect::<Result<_, Failure>>()?;
            if !points.is_empty() {
                lines.push(plot::Line { name: format!("{database}, {figure}"), points });
            }
        }
    }
    let title = "Rate to that of the smallest size, by events in the log";
    Ok(Picture { file_name: "growth.svg", title, svg: plot::svg(title, &lines) })
}
