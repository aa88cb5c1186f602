//! Deliveries at a steady rate, on an idle service and beside expensive queries.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use crate::load::{self, Connection};
use crate::report::{Round, milliseconds, percentile, progress, rounds};
use crate::server::{Kind, Running};
use crate::{Failure, Hooks, seed, server};

/// Queries that cost as much as the default limits allow: one reads many rows through many fields,
/// the other scans a table for a text that no row has.
const EXPENSIVE: [&str; 2] = [
    "{ projects(first: 100) { totalCount nodes { id name jobNumber tags createdAt updatedAt customer { name email } \
     drawings(first: 50) { totalCount nodes { id vendorId name pngUrl pdfUrl firstSeenAt lastEventAt } } } } }",
    "{ a: projects(filter: { nameContains: \"no such lot\" }) { totalCount nodes { id } } \
     b: events(first: 100) { nodes { id payload deliveries { id } } } \
     c: projects(first: 100, orderBy: { field: NAME, direction: ASC }) { nodes { id name } } }",
];

/// Fills a database, then measures deliveries in turn without and with the queries.
pub(crate) async fn run(settings: &Hooks) -> Result<String, Failure> {
    let directory = tempfile::tempdir()?;
    let database = server::sqlite(&directory.path().join("hooks.db"));
    progress(&format!("filling a database: {} projects with 5 drawings each", settings.projects));
    let service = Running::start(Kind::Bidarc, &database).await?;
    seed::fill(service.address, settings.projects, 5).await?;

    let length = Duration::from_secs(settings.seconds);
    let (mut idle, mut beside, mut queries) = (Vec::new(), Vec::new(), 0.0);
    for round in 1..=settings.rounds {
        idle.extend(deliver(service.address, settings.rate.get(), length).await?);
        let load = tokio::spawn(query(service.address, settings.connections, length));
        let times = deliver(service.address, settings.rate.get(), length).await?;
        queries = load.await??.rate;
        let p99 = milliseconds(percentile(&times, 99));
        progress(&format!("round {round} of {}: p99 {p99} beside the queries", settings.rounds));
        beside.extend(times);
    }
    service.stop().await?;
    idle.sort_unstable();
    beside.sort_unstable();
    let mut text = format!(
        "Time to the 200 of a delivery, {} a second from one connection, on {} projects with 5 drawings each; {} of {} s. \
         Beside it {} connections query: {queries:.0} answers a second.\n\n\
         | service | p50 | p99 | longest |\n|---|---|---|---|\n",
        settings.rate,
        settings.projects,
        rounds(settings.rounds),
        settings.seconds,
        settings.connections,
    );
    for (name, times) in [("idle", &idle), ("beside expensive queries", &beside)] {
        let [p50, p99, longest] = [50, 99, 100].map(|percent| milliseconds(percentile(times, percent)));
        text += &format!("| {name} | {p50} | {p99} | {longest} |\n");
    }
    Ok(text)
}

/// Posts deliveries at a steady rate, and returns the time to each answer. A late answer delays the
/// next delivery.
async fn deliver(address: SocketAddr, rate: u32, length: Duration) -> Result<Vec<Duration>, Failure> {
    let mut connection = Connection::open(address).await?;
    let mut ticks = interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (end, mut times) = (Instant::now() + length, Vec::new());
    while Instant::now() < end {
        ticks.tick().await;
        let request = seed::new_project_request(&connection);
        let sent_at = Instant::now();
        connection.send(&request).await?;
        times.push(sent_at.elapsed());
    }
    Ok(times)
}

/// Sends the expensive queries without a pause.
async fn query(address: SocketAddr, connections: usize, length: Duration) -> Result<Round, Failure> {
    let bodies: Arc<[String]> = EXPENSIVE.iter().map(|query| json!({ "query": query }).to_string()).collect();
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let request = move |connection: &Connection| {
        let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        connection.request("/graphql", &bodies[at % bodies.len()])
    };
    load::run(&[address], request, connections, length).await
}
